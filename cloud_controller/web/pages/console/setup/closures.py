"""Times in which a device, or a whole store, is not sold: listed, added, taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from unicodedata import normalize
from zoneinfo import ZoneInfo

from cloud_controller.flows import registration, reservations, setup
from cloud_controller.ports import Actor, NotAllowed, Row, Transaction
from cloud_controller.web.pages.console.setup.fields import (
    Field,
    FieldsAreWrong,
    Line,
    Reading,
    Said,
    Section,
    SheetForm,
    Why,
    Wrong,
    marked,
    wrong_words,
)
from cloud_controller.web.pages.console.shell import OfStore, shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import ASKED_MAX, Answer, Call, Page
from common.ids import StoreId
from common.rules.accounts import Permission
from common.rules.reservations import Range

CLOSURES_MAX: Final = 200
"""Closures that are listed, the first to begin first."""

CANNOT_BE_KEPT: Final = 422


class ClosureForm(SheetForm):
    """What is not to be sold, from when to when by the store's clock; why stands in `reason`."""

    device: Line = ""
    starts: Line = ""
    ends: Line = ""


async def show_closures(call: Call[OfStore]) -> Page:
    """Show what is kept from sale in a store."""
    return await _page(call, {}, {})


async def add_closure(call: Call[ClosureForm]) -> Answer:
    """Keep a device, or the whole store, from sale for a time."""
    try:
        await call.parts.books.transact(_add, call)
    except FieldsAreWrong as fault:
        return await _page(call, call.asked.said, fault.wrong)
    except NotAllowed:
        return await _page(call, call.asked.said, {"": Wrong(why=Why.NOT_ALLOWED)})
    return lead_to(f"{_path(call.names['store'])}?said=kept")


async def remove_closure(call: Call[Any]) -> Answer:
    """Sell again what was kept from sale.

    Raises:
        NotFound: there is no such closure.
    """
    actor = call.operator.name or Actor.OPERATOR
    remove, blackout = reservations.remove_blackout, call.names["blackout"]
    gone = await call.parts.books.transact(remove, blackout, actor)
    return lead_to(f"{_path(gone['store_id'])}?said=undone")


def _add(books: Transaction, call: Call[ClosureForm]) -> None:
    store = registration.store(books, StoreId(call.names["store"]))
    reading, zone = Reading(call.asked.said), ZoneInfo(store["time_zone"])
    starts_at, ends_at = (_instant(reading, name, zone) for name in ("starts", "ends"))
    if ends_at <= starts_at:
        reading.refuse("ends", Why.ENDS_FIRST)
    devices = {row["device_id"] for row in setup.devices(books, store["store_id"])}
    if reading.text("device") not in {"", *devices}:
        reading.refuse("device", Why.CANNOT_BE)
    reason = call.asked.reason.strip()
    if not reason:
        reading.refuse("reason", Why.MISSING)
    reading.check()
    stretch = Range(starts_at=starts_at, ends_at=ends_at)
    new = reservations.NewBlackout(
        store=store["store_id"],
        device=reading.text("device") or None,
        stretch=stretch,
        reason=reason,
    )
    reservations.add_blackout(books, new, call.operator.name or Actor.OPERATOR)
    reservations.call_to_shut_out(books, store["store_id"], stretch)


def _instant(reading: Reading, name: str, zone: ZoneInfo) -> int:
    """Return the instant of a wall clock's time; nought where it is none, which is noted."""
    try:
        wall = datetime.fromisoformat(normalize("NFKC", reading.text(name)))
        at = int(wall.replace(tzinfo=zone).timestamp() * 1000)
    except (ValueError, OverflowError):
        at = -1
    if not 0 <= at <= ASKED_MAX:
        reading.refuse(name, Why.NO_INSTANT)
        return 0
    return at


async def _page(call: Call[Any], said: Said, wrong: Mapping[str, Wrong]) -> Page:
    facts = await call.parts.books.read(_facts, call)
    sections = marked(_sections(call, facts["devices"]), said, wrong, call.language)
    reason = getattr(call.asked, "reason", "")
    whole = wrong_words(wrong.get("", Wrong(why=Why.SOME_FIELDS)), call.language) if wrong else ""
    facts |= {"sections": sections, "why": whole, "reason": reason}
    facts["reason_wrong"] = wrong_words(wrong.get("reason"), call.language)
    status = CANNOT_BE_KEPT if wrong else 200
    return Page(template="console/setup/closures.html", facts=facts, status=status)


def _facts(books: Transaction, call: Call[Any]) -> dict[str, Any]:
    store = registration.store(books, StoreId(call.names["store"]))
    devices = setup.devices(books, store["store_id"])
    window = Range(starts_at=books.now, ends_at=ASKED_MAX)
    return {
        "shell": shell_of(books, call, "setup"),
        "store": store,
        "here": _path(store["store_id"]),
        "now": books.now,
        "devices": devices,
        "titles": {row["device_id"]: row["title"] for row in devices},
        "closures": reservations.blackouts(books, store["store_id"], window, most=CLOSURES_MAX),
        "shut_out": setup.shut_out(books, store["store_id"]),
        "said": getattr(call.asked, "said", "") if isinstance(call.asked, OfStore) else "",
        "may_set_up": call.operator.may(Permission.SET_UP, store["store_id"]),
    }


def _sections(call: Call[Any], devices: Sequence[Row]) -> Sequence[Section]:
    say = call.language.say
    whole = ("", say("setup.whole_store"))
    options = (whole, *((row["device_id"], f"{row['number']} {row['title']}") for row in devices))
    fields = (
        Field(name="device", label=say("setup.not_sold"), look="choice", options=options),
        Field(
            name="starts", label=say("setup.from"), hint=say("setup.instant_hint"), is_needed=True
        ),
        Field(
            name="ends", label=say("setup.until"), hint=say("setup.instant_hint"), is_needed=True
        ),
    )
    return (Section(title=say("setup.new_closure"), fields=fields),)


def _path(store: str) -> str:
    return f"/operator/setup/stores/{store}/closures"
