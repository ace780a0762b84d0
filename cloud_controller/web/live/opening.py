"""The addresses at which pages watch: what a stream is about, before anything is written."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from cloud_controller.web.live.looking import SHELVES
from cloud_controller.web.routes import Call, Watch

SINCE_LENGTH_MAX: Final = 64
"""Letters of an event's name that are read; ours have some thirty."""


class Heard(BaseModel):
    """Up to which event a page has heard; a browser that comes again by itself says it besides."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: Annotated[str, Field(max_length=SINCE_LENGTH_MAX)] = ""


class ShelvesWanted(Heard):
    """Of which store a page shows the offerings; empty: of all."""

    store: Annotated[str, Field(max_length=64)] = ""


async def watch_shelves(call: Call[ShelvesWanted]) -> Watch:
    """Tell what is on offer as it changes."""
    return Watch(topic=SHELVES, store=call.asked.store, since=call.asked.since)


async def watch_ticket(call: Call[Heard]) -> Watch:
    """Tell when a ticket is to be looked at again."""
    return Watch(topic=f"ticket:{call.names['link']}", since=call.asked.since)


async def watch_waiting(call: Call[Heard]) -> Watch:
    """Tell when a place in a waiting list is to be looked at again."""
    return Watch(topic=f"waiting:{call.names['link']}", since=call.asked.since)
