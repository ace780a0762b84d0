"""Photos of what was cleaned: redrawn before they are kept, for whoever runs the store to see."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Final

from aiohttp import web
from PIL import Image, ImageOps
from pydantic import Field

from cloud_controller.flows import photos
from cloud_controller.web.faults import NotAPicture
from cloud_controller.web.routes import API, Call, InstantText, Shape
from common.ids import StoreId

PHOTO_BYTES_MAX: Final = 5_000_000
"""Bytes of a form with a photo; what a phone takes has two to four million."""

PIXELS_MAX: Final = 50_000_000
"""Pixels of a photo, by its head, before any is unfolded: the finest phone has so many."""

SIDE_PIXELS_MAX: Final = 1_600
"""The longer side of what is kept: a stain is seen, and nobody's letter can be read."""

KEPT_BYTES_MAX: Final = 600_000
"""Bytes of what is kept; a photo of a room has a third of it."""

QUALITIES: Final = (80, 60, 35)
"""How finely it is drawn: the first that is small enough; else half as large, at the last."""

FORMATS: Final = ("JPEG", "PNG", "WEBP")
"""What phones and their browsers send."""

JPEG: Final = "image/jpeg"

_DRAWING: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="photos")
"""One is unfolded at a time, beside whoever is served: the largest takes 200 MB and a second."""


class PhotoTask(Shape):
    """A turnover that is confirmed by a photo.

    Attributes:
        url: the page of this task alone; it can be sent to whoever cleans.
        is_open: whether its terminal waits still, for the photo or to hear of it.
        photo: where the photo can be seen, once it is taken.
        digest: SHA-256 of the photo, as it stands in the ledger.
    """

    task: str
    device: str
    url: str
    asked_at: InstantText
    expires_at: InstantText
    is_open: bool
    photographed_at: InstantText | None
    photo: str | None
    digest: str


class PhotoTasks(Shape):
    """A store's photo tasks, the latest first."""

    tasks: tuple[PhotoTask, ...]


class LinkMade(Shape):
    """A cleaners' link; it is told here and never again, and the one before opens nothing more."""

    store: str
    url: Annotated[str, Field(description="the page of all that is to be photographed in it")]


class LinkForgotten(Shape):
    """A store whose cleaners' link opens nothing any more."""

    store: str


async def show_photo(call: Call[None]) -> web.Response:
    """Return the photo by which a turnover was confirmed.

    Raises:
        NotFound: there is none, or none any more.
    """
    device, task = call.names["device"], call.names["photo"]
    kept = await call.parts.books.read(photos.photo, device, task)
    return web.Response(body=kept, content_type=JPEG)


async def list_photo_tasks(call: Call[None]) -> PhotoTasks:
    """Return what is to be photographed in a store, and what was.

    Raises:
        NotFound: there is no such store.
    """
    store, public_url = StoreId(call.names["store"]), call.parts.public_url
    rows = await call.parts.books.read(photos.tasks_of_store, store)
    return PhotoTasks(
        tasks=tuple(
            PhotoTask(
                task=row["task_id"],
                device=row["device_id"],
                url=f"{public_url}/clean/{row['link']}",
                asked_at=row["made_at"],
                expires_at=row["expires_at"],
                is_open=bool(row["is_open"]),
                photographed_at=row["photographed_at"],
                photo=f"{public_url}{API}/devices/{row['device_id']}/photos/{row['task_id']}"
                if row["photographed_at"] is not None
                else None,
                digest=row["digest"],
            )
            for row in rows
        )
    )


async def make_cleaner_link(call: Call[None]) -> LinkMade:
    """Make the standing link of a store's cleaners.

    Raises:
        NotFound: there is no such store.
    """
    store = StoreId(call.names["store"])
    link = await call.parts.books.transact(photos.make_link, store, call.operator.name)
    return LinkMade(store=store, url=f"{call.parts.public_url}/clean/{link}")


async def forget_cleaner_link(call: Call[None]) -> LinkForgotten:
    """Have a store's cleaners' link open nothing any more.

    Raises:
        NotFound: there is no such store, or it has no link.
    """
    store = StoreId(call.names["store"])
    await call.parts.books.transact(photos.forget_link, store, call.operator.name)
    return LinkForgotten(store=store)


async def redrawn(sent: bytes) -> bytes:
    """Return a photo drawn anew, as it is kept: upright, small, and nothing but what is seen.

    Raises:
        NotAPicture: it is none, or too large a one.
    """
    return await asyncio.get_running_loop().run_in_executor(_DRAWING, _redraw, sent)


def _check_size(picture: Image.Image) -> None:
    """Look at the size its head states, before anything is unfolded."""
    if picture.width * picture.height > PIXELS_MAX:
        raise NotAPicture(why=f"it has more than {PIXELS_MAX} pixels")


def _redraw(sent: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(sent), formats=FORMATS) as picture:
            _check_size(picture)
            picture.draft("RGB", (SIDE_PIXELS_MAX, SIDE_PIXELS_MAX))
            picture.thumbnail((SIDE_PIXELS_MAX, SIDE_PIXELS_MAX))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except NotAPicture:
        raise
    except Exception as fault:  # Pillow lets through whatever its parsers meet in a stranger's file
        raise NotAPicture(why="it is broken, or of another kind") from fault
    bare = Image.new("RGB", upright.size)  # carries no place, no device and no comment
    bare.paste(upright)
    for quality in QUALITIES:
        drawn = _drawn(bare, quality)
        if len(drawn) <= KEPT_BYTES_MAX:
            return drawn
    return _drawn(bare.reduce(2), QUALITIES[-1])


def _drawn(picture: Image.Image, quality: int) -> bytes:
    drawn = io.BytesIO()
    picture.save(drawn, "JPEG", quality=quality)
    return drawn.getvalue()
