"""The stores that are made known at start."""

from __future__ import annotations

import zoneinfo
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from cloud_controller.settings.part import Part
from common.ids import NAME_PATTERN
from common.messages.service import Requirements
from common.rules.registration import Policy
from common.rules.reservations import OpeningHours


def _known_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        message = f"{name} is no time zone of the IANA database"
        raise ValueError(message)
    return name


class StoreSettings(Part):
    """A store that is made known at start; one that is known already keeps what it has."""

    store: Annotated[str, Field(pattern=NAME_PATTERN)]
    """Its id, for ever."""

    number: Annotated[int, Field(ge=1, lt=2**24)] | None = None
    """The number that its tickets carry, for ever; none: the next one that is free here.

    Stores whose time one reservation server sells for several controllers need numbers that differ.
    """

    title: Annotated[str, Field(min_length=1, max_length=200)]
    """Its name as customers read it."""

    time_zone: Annotated[str, Field(min_length=1, max_length=64)] = "Asia/Tokyo"
    """Its IANA time zone; every time a customer sees is in it."""

    _check = field_validator("time_zone")(_known_zone)

    hours: OpeningHours | None = None
    """When it is open, by weekday, holiday and date, in its own wall times; without it, always."""

    directions: Annotated[str, Field(max_length=2_000)] = ""
    """How customers find it, in their words."""

    policy: Policy = Policy.MANUAL
    """Who confirms a terminal: an operator (`manual`), `rules`, or nobody (`automatic`)."""

    rules: Requirements | None = None
    """What a terminal must have to be confirmed by itself, where the policy is `rules`."""

    @model_validator(mode="after")
    def _has_its_rules(self) -> Self:
        if (self.policy is Policy.RULES) != (self.rules is not None):
            message = "the policy `rules` and a table of rules come together"
            raise ValueError(message)
        return self
