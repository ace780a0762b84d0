"""What the agent switches: as any program that has switches, and by commands of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final, Literal

from pydantic import Field
from typing_extensions import override

from common.ids import NAME_PATTERN
from common.rules.actions import Patience
from common.switches import MqttSwitch

COMMAND_SECONDS: Final = 60.0
"""How long the end of a command is waited for at least: the catalogue's own limit comes first."""

CommandId = Annotated[str, Field(pattern=rf"^$|{NAME_PATTERN}")]


class AgentSwitch(MqttSwitch):
    """A switch of this terminal: a door, a light, a power socket."""

    what: Literal["mqtt", "command"] = "mqtt"
    """What moves it: a message to a broker, or a command of the runner's catalogue."""

    command_on: CommandId = ""
    """The id of the command that puts it on; it has done so when it ends with 0."""

    command_off: CommandId = ""
    """The id of the command that puts it off; none for a pulse that ends by itself."""

    @property
    @override
    def is_by_mqtt(self) -> bool:
        return self.what == "mqtt"

    @property
    @override
    def speaks(self) -> bool:
        return self.is_by_mqtt and super().speaks

    @property
    @override
    def can_be_put_off(self) -> bool:
        return super().can_be_put_off if self.is_by_mqtt else bool(self.command_off)

    @property
    @override
    def patience(self) -> Patience:
        """Return how long it may take: a command ends in the time that the catalogue gives it."""
        patience = super().patience
        if self.is_by_mqtt:
            return patience
        return replace(patience, answer_seconds=max(patience.answer_seconds, COMMAND_SECONDS))

    @override
    def way_is_missing(self) -> str:
        if self.is_by_mqtt:
            stray = self.command_on or self.command_off
            return (
                '`command_on` goes with `what = "command"`' if stray else super().way_is_missing()
            )
        if self.topic or self.status_topic:
            return '`topic` goes with `what = "mqtt"`'
        return "" if self.command_on else "say in `command_on` what puts it on"
