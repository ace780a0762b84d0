"""What every section of the settings is: frozen, and without anything that is not known."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=0, le=65_535)]
HostName = Annotated[str, Field(min_length=1, max_length=253)]

EVERY_NETWORK: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - told from a name, not bound here
"""Hosts to listen on that are no names to call by."""


class Part(BaseModel):
    """A section of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def is_on_this_machine(host: str) -> bool:
    """Say whether an address to listen on, or to call, is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name, which may be anywhere
