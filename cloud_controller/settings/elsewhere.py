"""What this controller has elsewhere: its root, its reservation server, its database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from cloud_controller.settings.part import Part

MODULES_MAX: Final = 100
"""Modules whose seats are looked after by themselves: each is looked at every second."""

_Module = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


class UpstreamSettings(Part):
    """The controller that we take seats from, our root."""

    bundle: Path
    """The file that the root's `cloud-controller peers add` has written for us."""

    modules: Annotated[tuple[_Module, ...], Field(max_length=MODULES_MAX)] = ()
    """The modules whose seats are taken and returned by themselves, as they are used."""


class ReservationSettings(Part):
    """Who keeps our reservations and sells our stores' time, on another machine."""

    bundle: Path
    """The file that the reservation server's `cloud-controller peers add` has written for us."""

    url: Annotated[str, Field(pattern=r"^(https://[^\s/?#@]+/?)?$", max_length=300)] = ""
    """Where it is called, where that is not as its bundle says."""


class DatabaseSettings(Part):
    """Where the books are kept: on a PostgreSQL server, or in a file of the state folder."""

    url: Annotated[str, Field(pattern=r"^(postgresql://\S+)?$", max_length=2_000)] = ""
    """Such as `postgresql://rusuban@db.example/rusuban`; empty: SQLite in the state folder."""

    password_file: Path | None = None
    """A file that holds the password and nothing else; without it, what libpq finds by itself."""

    @model_validator(mode="after")
    def _shows_no_password(self) -> Self:
        if urlsplit(self.url).password or "password=" in self.url:
            message = "the password goes into `password_file`: an address is shown"
            raise ValueError(message)
        return self
