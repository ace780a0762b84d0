"""Every page in every state that a browser can see it in, each brought about as it comes about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cloud_controller import bookings
from cloud_controller.web.pages.ticket import Phase
from cloud_controller.web.routes import iso
from tests.fakes.playing import fail, run
from tests.fakes.store import HOUR_MS, MINUTE_MS, MORNING_AT, Offer, Opened
from tests.rim.mail_kit import change
from tests.rim.operator_kit import MEGABYTE, SIGNED_IN, told, with_a_module
from tests.rim.scenes_of_console import console
from tests.rim.scenes_of_help import calling, desk
from tests.rim.scenes_of_hooks import owners_matters
from tests.rim.scenes_of_people import people, way_in
from tests.rim.scenes_of_problems import troubles
from tests.rim.scenes_of_reports import reports
from tests.rim.scenes_of_setup import setup
from tests.rim.scenes_of_stores import closing, stores
from tests.rim.stripe_kit import till
from tests.rim.test_web_booking import hold, make_voucher, tap
from tests.rim.test_web_photos import a_photo, form_of as photo_form, send, waiting
from tests.rim.views import Scene, Views, see
from tests.rim.web_kit import WebKit, web_kit

TEN_AT: Final = MORNING_AT + HOUR_MS
DAY_SECONDS: Final = 86_400
MAIL: Final = "mika@example.org"


async def storefront(folder: Path) -> Views:
    """The stores and what can be had: nothing, something, several, full, closed."""
    async with web_kit(folder) as kit:
        yield see(kit, "nothing on offer", "/")
        opened = await kit.store.open(Offer(devices=2, lengths_seconds=(1800, DAY_SECONDS)))
        yield see(kit, "something on offer", "/")
        await kit.store.open(Offer(key="desk", title="机とモニター 3", price_cents=0, devices=1))
        long = Offer(key="long", title="Ein­sehr langes Wort " + "W" * 60, content="語" * 400)
        await kit.store.open(long)
        yield see(kit, "several, one free of charge, one with endless words", "/")
        await fill(kit, opened)
        yield see(kit, "all of one taken", "/")
        yield see(kit, "times of what is full", f"/o/{opened.offering}")
        yield see(kit, "no such page", "/nothing")
        yield see(kit, "no such offering", "/o/o-none")


async def offering(folder: Path) -> Views:
    """The times of one offering, and how a tap on one of them can fail."""
    async with web_kit(folder) as kit:
        opened = await kit.store.open(Offer(devices=1, party_max=4, change_seconds=7200))
        here = f"/o/{opened.offering}"
        yield see(kit, "times", here)
        yield see(kit, "times for a party of two, looked at first", f"{here}?party_size=2&first=1")
        yield see(kit, "later times", f"{here}?from={iso(MORNING_AT + 30 * HOUR_MS)}")
        kit.store.clock.move(125)
        yield see(kit, "free at once", here)
        form = {
            "offering": opened.offering,
            "starts_at": iso(MORNING_AT),
            "length_seconds": "1800",
            "party_size": "1",
            "key": "k" * 32,
        }
        yield see(kit, "a time that has passed", "/book", form)
        await kit.store.book(opened, TEN_AT)
        yield see(kit, "a time just taken", "/book", form | {"starts_at": iso(TEN_AT)})
        yield see(kit, "a form that was bent", "/book", {"offering": "x"})


async def order(folder: Path) -> Views:
    """What is held, looked at, taken and let go."""
    async with web_kit(folder) as kit:
        await kit.store.open(Offer(devices=2, party_max=3))
        held, code = await hold(kit, party_size="2"), await make_voucher(kit)
        yield see(kit, "held", held)
        yield see(kit, "held with a voucher", f"{held}/voucher", {"voucher": code})
        yield see(kit, "a voucher refused", f"{held}/voucher", {"voucher": "NONE"})
        await tap(kit, f"{held}/confirm", {"voucher": code, "mail": MAIL})
        yield see(kit, "confirmed", held)
        other = await hold(kit, party_size="1")
        await tap(kit, f"{other}/release")
        yield see(kit, "let go", other)


async def payment(folder: Path) -> Views:
    """What is to be paid before it is had."""
    async with till(folder) as shop:
        kit = shop.web
        held = await hold(kit)
        yield see(kit, "held, to be paid", held)
        await tap(kit, f"{held}/confirm", {"mail": MAIL})
        await kit.get(held)
        yield see(kit, "to be paid", held)
        await shop.say(shop.stripe.pay(list(shop.stripe.pages)[-1]))
        yield see(kit, "paid", held)


async def place(folder: Path) -> Views:
    """Waiting for a time that is full."""
    async with web_kit(folder) as kit:
        opened = await kit.store.open(Offer(devices=1))
        taken = await kit.store.book(opened, TEN_AT)
        at = {"starts_at": iso(TEN_AT), "length_seconds": "1800"}
        query = "&".join(f"{name}={value}" for name, value in at.items())
        yield see(kit, "asked whether to wait", f"/o/{opened.offering}/wait?{query}")
        form = {"offering": opened.offering, **at, "party_size": "1"}
        first = await waits(kit, form | {"key": "1" * 32, "mail": MAIL})
        kit.store.clock.move(1)
        other = await waits(kit, form | {"key": "2" * 32, "mail": "yuki@example.org"})
        yield see(kit, "next in the line", first)
        yield see(kit, "one before", other)
        await kit.post(f"/api/v1/tickets/{taken}/cancel")
        await kit.store.books.transact(bookings.offer_what_is_free)
        yield see(kit, "offered", first)
        kit.store.clock.move(601)
        yield see(kit, "not taken in time", first)
        await tap(kit, f"{other}/withdraw")
        yield see(kit, "waits no longer", other)


async def ticket(folder: Path) -> Views:
    """A ticket from early to its receipt."""
    async with web_kit(folder) as kit:
        opened = await kit.store.open(Offer(devices=1, change_seconds=1800))
        link = await kit.store.book(opened, TEN_AT)
        change(folder, "UPDATE tickets SET short_code = 'K7M2PQ9XTA'")
        change(folder, "UPDATE stores SET directions = '駅から三分。\n右手の白いビル。'")
        yield see(kit, "early", f"/t/{link}")
        yield see(kit, "times to move it to", f"/t/{link}/reschedule")
        yield see(kit, "to whom it is given", f"/t/{link}/transfer")
        yield see(kit, "no more time yet", f"/t/{link}/more")
        kit.store.clock.now = TEN_AT - 2 * MINUTE_MS
        yield see(kit, "to be shown", f"/t/{link}")
        yield see(kit, "too late to move", f"/t/{link}/reschedule")
        yield see(kit, "too late to give", f"/t/{link}/transfer")
        kit.store.clock.now = TEN_AT + 10 * MINUTE_MS
        await kit.store.books.transact(run, link, opened.terminal)
        for state in ("starting", "running", "ending"):
            change(folder, "UPDATE sessions SET state = ?", state)
            yield see(kit, state, f"/t/{link}")
        change(folder, "UPDATE sessions SET state = 'running'")
        yield see(kit, "more time", f"/t/{link}/more")
        await kit.store.book(opened, TEN_AT + 30 * MINUTE_MS)
        yield see(kit, "no more time", f"/t/{link}/more")
        await kit.store.books.transact(fail, link)
        yield see(kit, "over, with what was given", f"/t/{link}")


async def ticket_not_used(folder: Path) -> Views:
    """A ticket that opens nothing, each for its reason."""
    async with web_kit(folder) as kit:
        opened = await kit.store.open(Offer(devices=1))
        link = await kit.store.book(opened, TEN_AT)
        states = {Phase.HELD: "held", Phase.LAPSED: "expired", Phase.MISSED: "no_show"}
        for phase in (Phase.HELD, Phase.LAPSED, Phase.MISSED, Phase.CANCELLED):
            soon = kit.store.clock.now + 10 * MINUTE_MS
            said = "UPDATE reservations SET state = ?, hold_ends_at = ?"
            change(folder, said, states.get(phase, phase), soon)
            yield see(kit, phase, f"/t/{link}")


async def gift(folder: Path) -> Views:
    """A ticket that is given to somebody else."""
    async with web_kit(folder) as kit:
        opened = await kit.store.open()
        by_mail, by_hand = [await kit.store.book(opened, TEN_AT + n * HOUR_MS) for n in (0, 1)]
        form = {"mail": MAIL, "key": "m" * 32}
        yield see(kit, "given by mail", f"/t/{by_mail}/transfer", form)
        yield see(kit, "given by hand", f"/t/{by_hand}/transfer", {"key": "n" * 32 + "h"})
        yield see(kit, "somebody else's ticket", f"/t/{by_mail}")


async def finding(folder: Path) -> Views:
    """A lost ticket."""
    async with web_kit(folder) as kit:
        yield see(kit, "asked for an address", "/find")
        yield see(kit, "told that a letter comes", "/find", {"mail": MAIL})
        yield see(kit, "an address that is none", "/find", {"mail": "nobody"})
        for _ in range(5):
            await tap(kit, "/find", {"mail": MAIL})
        yield see(kit, "asked too often", "/find", {"mail": MAIL})


async def cleaning(folder: Path) -> Views:
    """The cleaners' page."""
    async with waiting(folder) as (kit, path, _):
        yield see(kit, "a device to be cleaned", path)
        await send(kit, await photo_form(kit, path), a_photo())
        yield see(kit, "its photo is here", path)
        change(folder, "UPDATE photo_tasks SET expires_at = 1")
        yield see(kit, "nothing to be cleaned", path)


async def operator(folder: Path) -> Views:
    """What the operator sees."""
    async with web_kit(folder) as kit:
        pages = {"modules": "/operator/modules", "installs": "/operator/modules/installs"}
        yield see(kit, "no terminals", "/operator/terminals", headers=SIGNED_IN)
        for name, path in {"devices": "/operator", "day": "/operator/day", **pages}.items():
            yield see(kit, f"no {name}", path, headers=SIGNED_IN)
        terminal = await with_a_module(kit)
        yield see(kit, "terminals", "/operator/terminals", headers=SIGNED_IN)
        for said in ("", "confirmed", "no_reason"):
            path = f"/operator/terminals/{terminal}?said={said}"
            yield see(kit, f"a terminal, {said or 'just looked at'}", path, headers=SIGNED_IN)
        for state, done in (("downloading", 30), ("failed", 30), ("active", 80)):
            await told(kit, terminal, state, done * MEGABYTE, detail="disk_full")
            for name, path in pages.items():
                yield see(kit, f"{name}, {state}", path, headers=SIGNED_IN)


SCENES: Final[tuple[Scene, ...]] = (
    stores,
    closing,
    storefront,
    offering,
    order,
    payment,
    place,
    ticket,
    ticket_not_used,
    gift,
    finding,
    calling,
    desk,
    cleaning,
    operator,
    console,
    reports,
    way_in,
    people,
    owners_matters,
    setup,
    troubles,
)
"""All that a browser sees of us, but for the screen on the terminal."""


async def waits(kit: WebKit, form: Mapping[str, str]) -> str:
    """Join a waiting list; return the path of the place in it."""
    return (await tap(kit, "/wait", dict(form))).headers["Location"]


async def fill(kit: WebKit, opened: Opened) -> None:
    """Have every device of an offering be taken for as long as anybody looks ahead."""
    for day in range(8):
        for _ in opened.devices:
            starts_at = MORNING_AT + day * DAY_SECONDS * 1000
            await kit.store.book(opened, starts_at, DAY_SECONDS)
