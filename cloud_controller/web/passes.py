"""The addresses by which a ticket goes into a phone's wallet, for as long as it has a code."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from cloud_controller.ports import NotAllowed, NotFound
from cloud_controller.web.language import Language
from cloud_controller.web.routes import Call, iso
from cloud_controller.web.tickets import Shown, look
from cloud_controller.web.wallet.apple import MEDIA_TYPE
from cloud_controller.web.wallet.face import Face

SEE_OTHER: Final = 303


async def show_apple(call: Call[None]) -> web.Response:
    """Return a ticket as a pass of Apple's.

    Raises:
        NotFound: there is no such ticket, or this controller has no keys for it.
        NotAllowed: it opens nothing now, or its code changes by itself.
    """
    wallet = call.parts.wallets.apple
    if wallet is None:
        raise NotFound(what="wallet")
    body = await asyncio.to_thread(wallet.pass_of, await _face(call))
    return web.Response(
        body=body,
        content_type=MEDIA_TYPE,
        headers={"Content-Disposition": 'attachment; filename="ticket.pkpass"'},
    )


async def show_google(call: Call[None]) -> web.Response:
    """Lead to where Google asks whether a ticket is to be put into its wallet.

    Raises:
        NotFound: there is no such ticket, or this controller has no keys for it.
        NotAllowed: it opens nothing now, or its code changes by itself.
    """
    wallet = call.parts.wallets.google
    if wallet is None:
        raise NotFound(what="wallet")
    now = call.parts.clock.now_ms()
    url = await asyncio.to_thread(wallet.save_url, await _face(call), now)
    return web.Response(status=SEE_OTHER, headers={"Location": url})


async def _face(call: Call[None]) -> Face:
    parts = call.parts
    shown = await parts.books.read(look, call.names["link"], parts.public_url, call.language.code)
    if not shown.is_good or shown.rotates:
        raise NotAllowed(why="this ticket has no code now that could be kept in a wallet")
    return _face_of(shown, call.language, parts.clock.now_ms())


def _face_of(shown: Shown, language: Language, now: int) -> Face:
    """Return what a wallet shows of a ticket, in one language."""
    ticket, zone = shown.ticket, shown.ticket.time_zone
    starts, ends = language.time(ticket.starts_at, zone), language.time(ticket.ends_at, zone)
    return Face(
        ticket=shown.reservation,
        revision=shown.revision,
        language=language.code,
        token=ticket.token,
        short_code=shown.short_code,
        title=ticket.offering_title,
        store=ticket.store_title,
        booth=language.say("letter.booth", number=ticket.device.number),
        day=language.date(ticket.starts_at, zone, now=now),
        time=language.say("time.from_to", starts=starts, ends=ends),
        opens_at=iso(ticket.opens_at),
        ends_at=iso(ticket.ends_at),
        directions=shown.directions,
        url=ticket.ticket_url,
        labels={
            "when": language.say("ticket.when"),
            "where": language.say("ticket.where"),
            "directions": language.say("ticket.directions"),
        },
        link_label=language.say("paper.link"),
        short_label=language.say("paper.short_code"),
    )
