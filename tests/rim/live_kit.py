"""An open page without a browser: its stream, read event by event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from tests.rim.web_kit import WebKit

WORD_SECONDS_MAX: Final = 10.0
"""How long a test waits for a word that must come."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """One event: what it is, what it tells, and the name by which a browser comes again."""

    event: str
    told: Any
    id: str


class Page:
    """What an open page hears."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self._content = response.content
        self.heard = ""

    async def word(self) -> Word:
        """Return the next event; what only keeps the line alive is none."""
        async with asyncio.timeout(WORD_SECONDS_MAX):
            while True:
                fields = await self._fields()
                if "data" in fields:
                    self.heard = fields.get("id", self.heard)
                    told = json.loads(fields["data"])
                    return Word(event=fields["event"], told=told, id=fields.get("id", ""))

    async def has_ended(self) -> bool:
        """Say that its line has ended, once it has."""
        async with asyncio.timeout(WORD_SECONDS_MAX):
            while not self._content.at_eof():
                await self._content.readany()
            return True

    async def _fields(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        while line := (await self._content.readuntil(b"\n")).decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        return fields


@asynccontextmanager
async def page(
    kit: WebKit, path: str = "/events", heard: str = "", shown: Mapping[str, str] | None = None
) -> AsyncIterator[Page]:
    """Open a page's stream, as a browser does that has heard up to an event and shows who it is."""
    headers = {**(shown or {}), **({"Last-Event-ID": heard} if heard else {})}
    async with kit.http.get(kit.url + path, headers=headers, timeout=_NONE) as response:
        yield Page(response)


_NONE: Final = aiohttp.ClientTimeout(total=None)
