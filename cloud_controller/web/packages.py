"""Packages over HTTP: signed lists for everybody, archives for whoever shows our word for them."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import Counter
from pathlib import Path
from typing import ClassVar, Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from pydantic import ValidationError
from typing_extensions import override

from cloud_controller.flows.modules import PackageNotGiven, check_fetching
from cloud_controller.ports import NotFound
from cloud_controller.web.faults import TooManyAttempts
from cloud_controller.web.routes import FOR_GOOD, Call
from common.messages.modules import Receipt

JSON: Final = "application/json"
ZIP: Final = "application/zip"

ASKED_ANEW: Final = "no-cache"
"""Only the timestamp changes under its name."""

DOWNLOADS_AT_ONCE: Final = 64
"""Archives that are sent at a time: each holds a file open, and a line is not made faster by more.
Whoever is one too many comes back in a moment and goes on where it was."""

DOWNLOADS_OF_ONE: Final = 2
"""Archives that one terminal is sent at a time: it fetches one, and may not yet know it was cut."""

SEND_SECONDS_MAX: Final = 3_600.0
"""How long one answer may take; who reads more slowly comes back and goes on where he was."""

RETRY_SECONDS: Final = 5


class _Archive(web.FileResponse):
    """An archive, or the part of it that a Range asks for, counted while it is sent."""

    under_way: ClassVar[Counter[str]] = Counter()
    """How many each terminal is being sent."""

    def __init__(self, file: Path, terminal: str) -> None:
        super().__init__(file, headers={"Content-Type": ZIP, "Cache-Control": FOR_GOOD})
        self._terminal = terminal

    @override
    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send it, for so long at most."""
        self.under_way[self._terminal] += 1
        try:
            async with asyncio.timeout(SEND_SECONDS_MAX):
                return await super().prepare(request)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError from None
        finally:
            self.under_way[self._terminal] -= 1
            if not self.under_way[self._terminal]:
                del self.under_way[self._terminal]


async def show_list(call: Call[None]) -> web.StreamResponse:
    """Return a signed list; what it says needs no hiding, and nobody can change it.

    Raises:
        NotFound: there is none of this name.
    """
    name = call.names["name"]
    file = call.parts.packages.signed_list(name)
    if file is None:
        raise NotFound(what="list")
    kept = ASKED_ANEW if name == "timestamp" else FOR_GOOD
    return web.FileResponse(file, headers={"Content-Type": JSON, "Cache-Control": kept})


async def send_archive(call: Call[None]) -> web.StreamResponse:
    """Return an archive, whole or from where a Range says, to whoever may fetch it.

    Raises:
        PackageNotGiven: nothing was shown that lets it be fetched now.
        NotFound: there is no such archive.
        TooManyAttempts: too many are being sent, or to this terminal.
    """
    path = f"{call.names['kind']}/{call.names['package']}/{call.names['file']}"
    found = call.parts.packages.archive(path)
    if found is None:
        raise NotFound(what="package")
    file, sha256 = found
    terminal = await call.parts.books.read(check_fetching, _shown(call.bearer), sha256)
    counts = _Archive.under_way
    if counts[terminal] >= DOWNLOADS_OF_ONE or counts.total() >= DOWNLOADS_AT_ONCE:
        raise TooManyAttempts(retry_seconds=RETRY_SECONDS)
    return _Archive(file, terminal)


def _shown(bearer: str) -> Receipt:
    """Return what a terminal shows: base64url of a document and our signature of it."""
    try:
        raw = base64.urlsafe_b64decode(bearer + "=" * (-len(bearer) % 4))
        return Receipt.model_validate_json(raw)
    except (binascii.Error, ValidationError, ValueError):
        raise PackageNotGiven from None
