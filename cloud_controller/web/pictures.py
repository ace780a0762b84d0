"""Pictures of offerings: given by an operator, drawn anew, and read by everybody."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiohttp import web

from cloud_controller.flows import offerings
from cloud_controller.ports import NotFound
from cloud_controller.web.faults import NotAPicture
from cloud_controller.web.offerings import picture_path
from cloud_controller.web.routes import FOR_GOOD, Call, SentFile, Shape
from common.messages.offerings import PICTURE_TYPE
from common.pictures import SENT_BYTES_MAX, PictureIsWrong, drawn_small

PICTURE_FORM_BYTES_MAX: Final = SENT_BYTES_MAX + 10_000
"""Bytes of a form with a picture: the picture, and what a form writes around it."""

_ENDING: Final = ".webp"

_DRAWING: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pictures")
"""One is unfolded at a time, beside whoever is served: the largest takes 200 MB and a second."""


class PictureKept(Shape):
    """A picture that offerings of the store can name."""

    sha256: str
    url: str


async def show_picture(call: Call[None]) -> web.Response:
    """Return a picture; a browser keeps it for good.

    Raises:
        NotFound: there is none, or none any more.
    """
    name = call.names["picture"]
    if not name.endswith(_ENDING):
        raise NotFound(what="picture")
    body = await call.parts.books.read(offerings.picture, name.removesuffix(_ENDING))
    headers = {"Cache-Control": FOR_GOOD}
    return web.Response(body=body, content_type=PICTURE_TYPE, headers=headers)


async def add_picture(call: Call[SentFile]) -> PictureKept:
    """Keep a picture, made small; an offering shows it once it names it.

    Raises:
        NotFound: there is no such store.
        NotAPicture: it is none, or too large a one.
        NotAllowed: the store has as many as it may.
    """
    loop, sent = asyncio.get_running_loop(), call.asked.content
    try:
        small = await loop.run_in_executor(_DRAWING, drawn_small, sent)
    except PictureIsWrong as fault:
        raise NotAPicture(why=str(fault)) from fault
    store = call.names["store"]
    digest = await call.parts.books.transact(
        offerings.add_picture, store, small, call.operator.name
    )
    return PictureKept(sha256=digest, url=call.parts.public_url + picture_path(digest))
