"""What happens to a device between two customers, and how long each part of it may take."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from common.rules.devices import ConfirmBy
from edge_agent.settings.part import Key, Part

StepSeconds = Annotated[float, Field(gt=0, le=86_400)]


class TurnoverPart(Part):
    """The turnover of a device; what its program resets and empties stands in the catalogue."""

    confirm_by: ConfirmBy = ConfirmBy.NONE
    """Who says that it is clean: `none`, `code` (a cleaner's), `photo` (his too) or `sensor`."""

    sensor: Key | None = None
    """The catalogue's command that ends with 0 where the device is clean."""

    sensor_each_seconds: StepSeconds = 10.0
    """How long after it has found the device not clean the sensor is asked again."""

    wipe_seconds: StepSeconds = 300.0
    """How long the program's folders may take to be emptied; then the device is out of order."""

    reset_seconds: StepSeconds = 300.0
    """How long the program's reset command may take; then the device is out of order."""

    confirm_seconds: StepSeconds = 3_600.0
    """How long a turnover may wait to be confirmed; then the device is out of order."""

    @model_validator(mode="after")
    def _has_its_sensor(self) -> Self:
        if self.confirm_by is ConfirmBy.SENSOR and self.sensor is None:
            message = "a sensor that confirms is a command: say which, as `sensor`"
            raise ValueError(message)
        return self
