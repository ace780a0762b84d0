"""Packages over HTTP: signed lists for everybody, archives for whoever shows our word for them."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from pydantic import ValidationError
from typing_extensions import override

from cloud_controller.flows.modules import PackageNotGiven, check_fetching
from cloud_controller.ports import NotFound
from cloud_controller.web.faults import TooManyAttempts
from cloud_controller.web.routes import Call
from common.messages.modules import Receipt

JSON: Final = "application/json"
ZIP: Final = "application/zip"

FOR_GOOD: Final = "public, max-age=31536000, immutable"
"""A list under its number and an archive under its digest never change."""

ASKED_ANEW: Final = "no-cache"
"""Only the timestamp changes under its name."""

DOWNLOADS_AT_ONCE: Final = 64
"""Archives that are sent at a time: each holds a file open, and a line is not made faster by more.
Whoever is one too many comes back in a moment and goes on where it was."""

RETRY_SECONDS: Final = 5


class _Archive(web.FileResponse):
    """An archive, or the part of it that a Range asks for; only so many are sent at a time."""

    under_way: int = 0

    @override
    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send it, counted while it is sent."""
        type(self).under_way += 1
        try:
            return await super().prepare(request)
        finally:
            type(self).under_way -= 1


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
        TooManyAttempts: too many are being sent.
    """
    path = f"{call.names['kind']}/{call.names['package']}/{call.names['file']}"
    found = call.parts.packages.archive(path)
    if found is None:
        raise NotFound(what="package")
    file, sha256 = found
    await call.parts.books.read(check_fetching, _shown(call.bearer), sha256)
    if _Archive.under_way >= DOWNLOADS_AT_ONCE:
        raise TooManyAttempts(retry_seconds=RETRY_SECONDS)
    return _Archive(file, headers={"Content-Type": ZIP, "Cache-Control": FOR_GOOD})


def _shown(bearer: str) -> Receipt:
    """Return what a terminal shows: base64url of a document and our signature of it."""
    try:
        raw = base64.urlsafe_b64decode(bearer + "=" * (-len(bearer) % 4))
        return Receipt.model_validate_json(raw)
    except (binascii.Error, ValidationError, ValueError):
        raise PackageNotGiven from None
