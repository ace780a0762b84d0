"""The page of whoever cleans: what is to be photographed, and the camera behind one tap."""

from __future__ import annotations

from aiohttp import web

from cloud_controller import bookings
from cloud_controller.flows import photos
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.photos import redrawn
from cloud_controller.web.routes import Call, Page, SentFile


async def show_page(call: Call[None]) -> Page:
    """Show what a link opens: one task, or all of a store.

    Raises:
        NotFound: it opens nothing, or nothing any more.
    """
    link = call.names["link"]
    tasks = await call.parts.books.read(photos.tasks, link)
    return Page(template="clean.html", facts={"tasks": tasks, "link": link})


async def take_photo(call: Call[SentFile]) -> web.Response:
    """Take a photo in: its turnover is confirmed.

    Raises:
        NotFound: the link does not open this task; nothing is unfolded for a stranger.
        NotAPicture: what was sent is none.
    """
    link, task = call.names["link"], call.names["task"]
    await call.parts.books.read(photos.tasks, link)
    photo = await redrawn(call.asked.content)
    await call.parts.books.transact(bookings.take_photo, link, task, photo)
    return lead_to(f"/clean/{link}")
