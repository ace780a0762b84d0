"""What the controller can be told, each setting with its meaning, its unit and why its default."""

from __future__ import annotations

import ipaddress
import zoneinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import SettingsConfigDict

from common.ids import NAME_PATTERN
from common.rules.registration import Policy
from common.settings import Settings

Port = Annotated[int, Field(ge=0, le=65_535)]


class Role(StrEnum):
    """The servers of the requirements; all in one process unless told otherwise."""

    MANAGEMENT = "management"
    SERVICE = "service"
    RESERVATION = "reservation"
    WEB = "web"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _on_this_machine(host: str) -> str:
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        message = "only an address of this machine: nothing is encrypted here yet"
        raise ValueError(message)
    return host


def _known_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        message = f"{name} is no time zone of the IANA database"
        raise ValueError(message)
    return name


class WebSettings(_Part):
    """Where pages and API are served; put a TLS proxy of this machine in front of it."""

    host: Annotated[str, Field(validate_default=True)] = "127.0.0.1"
    """The address to listen on; only this machine's, as nothing is encrypted here."""

    port: Port = 8080
    """The TCP port; 0 takes a free one, as the demo does."""

    public_url: str = ""
    """How customers reach the pages, such as `https://play.example`; empty: the address above."""

    _check = field_validator("host")(_on_this_machine)


class BrokerSettings(_Part):
    """The embedded MQTT broker, a mosquitto that lives and dies with the controller."""

    host: Annotated[str, Field(validate_default=True)] = "127.0.0.1"
    """The address to listen on; only this machine's, as nothing is encrypted here."""

    port: Port = 18_830
    """The TCP port; fixed, since terminals remember it. 0 takes a free one, as the demo does."""

    program: str = "mosquitto"
    """The broker's program, by name or path."""

    _check = field_validator("host")(_on_this_machine)


class StoreSettings(_Part):
    """A store that is made known at start; one that is known already keeps what it has."""

    store: Annotated[str, Field(pattern=NAME_PATTERN)]
    """Its id, for ever."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    """Its name as customers read it."""

    time_zone: Annotated[str, Field(min_length=1, max_length=64)] = "Asia/Tokyo"
    """Its IANA time zone; every time a customer sees is in it."""

    _check = field_validator("time_zone")(_known_zone)

    policy: Policy = Policy.MANUAL
    """Who confirms a terminal's specification: an operator (`manual`), or nobody (`automatic`)."""


class ControllerSettings(Settings):
    """Everything the controller can be told."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="RUSUBAN_", env_nested_delimiter="__"
    )

    state_folder: Path
    """Where database, keys and the broker's files are kept; only the controller may read it."""

    roles: frozenset[Role] = frozenset(Role)
    """Which servers this process is: management, service, reservation, web."""

    web: WebSettings = WebSettings()
    """Pages and API."""

    broker: BrokerSettings = BrokerSettings()
    """The MQTT broker."""

    stores: tuple[StoreSettings, ...] = ()
    """The stores to make known at start."""

    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    """The lowest level that is logged."""
