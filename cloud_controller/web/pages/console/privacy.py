"""What is known of one customer: to be handed to him, or forgotten, by whoever owns all stores."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from cloud_controller.flows import privacy
from cloud_controller.ports import NotAllowed, NotFound, Transaction
from cloud_controller.web.pages.console.shell import OfStore, shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.privacy import Who
from cloud_controller.web.routes import Call, Page, Shape
from common.messages.base import ShortText

PRIVACY: Final = "/operator/privacy"

SAID: Final = frozenset({"unknown", "ahead", "erased"})
"""What has just been done, or why not."""


class ExportForm(Shape):
    """Of whom all is to be shown."""

    who: Who


class EraseForm(Shape):
    """Who is to be forgotten, and why."""

    who: Who
    reason: Annotated[ShortText, Field(min_length=1, pattern=r"\S")]


async def show_privacy(call: Call[OfStore]) -> Page:
    """Show what can be done for one customer, and what is done for all."""
    return Page(template="console/privacy.html", facts=await call.parts.books.read(_page, call))


async def export(call: Call[ExportForm]) -> web.Response:
    """Hand out all that is known of a customer, as a file."""
    flow, who = privacy.export, privacy.who_of(call.asked.who)
    try:
        known = await call.parts.books.transact(flow, who, call.operator.name)
    except NotFound:
        return lead_to(PRIVACY, said="unknown")
    text = json.dumps(known, ensure_ascii=False, indent=2)
    return web.Response(
        text=text,
        content_type="application/json",
        headers={
            "Content-Disposition": 'attachment; filename="customer.json"',
            "Cache-Control": "no-store",
        },
    )


async def erase(call: Call[EraseForm]) -> web.Response:
    """Forget a customer."""
    flow, who, reason = privacy.erase, privacy.who_of(call.asked.who), call.asked.reason
    try:
        await call.parts.books.transact(flow, who, call.operator.name, reason)
    except NotFound:
        return lead_to(PRIVACY, said="unknown")
    except NotAllowed:
        return lead_to(PRIVACY, said="ahead")
    return lead_to(PRIVACY, said="erased")


def _page(books: Transaction, call: Call[OfStore]) -> dict[str, Any]:
    said = call.asked.said
    return {"shell": shell_of(books, call, "people"), "said": said if said in SAID else ""}
