"""The sheets of a store: what it is called and how it is found, and when it is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cloud_controller.flows import registration, setup
from cloud_controller.ports import Actor, Transaction
from cloud_controller.web.pages.console.setup.fields import (
    Document,
    Field,
    FieldsAreWrong,
    Flag,
    Line,
    Lines,
    Reading,
    Said,
    Section,
    Sheet,
    SheetForm,
    Why,
    Wrong,
    marked,
)
from cloud_controller.web.pages.console.shell import OfStore, shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.registration import StoreWanted
from cloud_controller.web.routes import Answer, Call, Page
from common.ids import StoreId
from common.rules.registration import Policy
from common.rules.reservations import OpeningHours
from common.rules.setup import (
    SetupKind,
    dates_in,
    dates_written,
    exceptions_in,
    exceptions_written,
    ranges_in,
    ranges_written,
)

WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

CANNOT_BE_KEPT: Final = 422


class StoreForm(SheetForm):
    """What a store is."""

    title: Line = ""
    directions: Lines = ""
    time_zone: Line = ""
    policy: Line = ""


class NewStoreForm(SheetForm):
    """A store that is to be made known."""

    store: Line = ""
    title: Line = ""
    directions: Lines = ""
    time_zone: Line = ""


class HoursForm(SheetForm):
    """When a store is open."""

    always: Flag = ""
    mon: Line = ""
    tue: Line = ""
    wed: Line = ""
    thu: Line = ""
    fri: Line = ""
    sat: Line = ""
    sun: Line = ""
    holidays: Lines = ""
    holiday_hours: Line = ""
    exceptions: Lines = ""


def store_sheet(books: Transaction, call: Call[Any]) -> Sheet:
    """Return the sheet of a store.

    Raises:
        NotFound: there is no such store.
    """
    row, say = registration.store(books, StoreId(call.names["store"])), call.language.say
    is_used = bool(books.setup.has_terminals(store_id=row["store_id"]))
    return Sheet(
        kind=SetupKind.STORE,
        subject=row["store_id"],
        title=row["title"],
        lead=say("setup.store_lead", store=row["store_id"], number=row["number"]),
        store=row["store_id"],
        sections=lambda document: _store_sections(call, document, is_used=is_used),
        read=lambda said, now: _store_in(said, now, row["store_id"], is_used=is_used),
    )


def _store_sections(call: Call[Any], document: Document, *, is_used: bool) -> Sequence[Section]:
    say, words = call.language.say, call.language.words
    name = Field(name="title", label=say("setup.name"), value=document["title"], is_needed=True)
    directions = Field(
        name="directions",
        label=say("setup.directions"),
        value=document["directions"],
        look="words",
        hint=say("setup.directions_hint"),
    )
    zone = Field(
        name="time_zone",
        label=say("setup.zone"),
        value=document["time_zone"],
        look="told" if is_used else "text",
        hint=say("setup.zone_stays") if is_used else say("setup.zone_hint"),
        is_needed=True,
    )
    policy = Field(
        name="policy",
        label=say("setup.policy"),
        value=document["policy"],
        look="choice",
        options=[(each.value, words[f"policy.{each}"]) for each in Policy],
        hint=say("setup.policy_hint"),
    )
    return (
        Section(title=say("setup.for_customers"), fields=(name, directions)),
        Section(title=say("setup.for_us"), fields=(zone, policy)),
    )


def _store_in(said: Said, now: Document, store: str, *, is_used: bool) -> Document:
    reading = Reading(said)
    wanted = {
        "store": store,
        "title": reading.text("title"),
        "directions": reading.text("directions"),
        "time_zone": now["time_zone"] if is_used else reading.text("time_zone"),
    }
    if reading.text("policy") not in set(Policy):
        reading.refuse("policy", Why.CANNOT_BE)
    checked = reading.checked(StoreWanted, wanted)
    return {
        **now,
        **checked.model_dump(include={"title", "directions", "time_zone"}),
        "policy": reading.text("policy"),
    }


def hours_sheet(books: Transaction, call: Call[Any]) -> Sheet:
    """Return the sheet of a store's hours.

    Raises:
        NotFound: there is no such store.
    """
    row, say = registration.store(books, StoreId(call.names["store"])), call.language.say

    def sections(document: Document) -> Sequence[Section]:
        return _hours_sections(call, document)

    return Sheet(
        kind=SetupKind.HOURS,
        subject=row["store_id"],
        title=say("setup.hours_of", store=row["title"]),
        lead=say("setup.hours_lead", zone=row["time_zone"]),
        store=row["store_id"],
        sections=sections,
        read=_hours_in,
        more={"shut_out": setup.shut_out(books, row["store_id"])},
        template="console/setup/hours.html",
    )


def _hours_sections(call: Call[Any], document: Document) -> Sequence[Section]:
    say, words = call.language.say, call.language.words
    hours = document["hours"] or {}
    week, holidays = hours.get("week", {}), hours.get("holidays", {})
    days = [
        Field(name=day, label=words[f"weekday.{day}"], value=ranges_written(week.get(day, ())))
        for day in WEEK
    ]
    always = Field(
        name="always",
        label=say("setup.always_open"),
        value="True" if document["hours"] is None else "",
        look="flag",
        options=(("True", say("setup.yes")),),
    )
    return (
        Section(title=say("setup.week"), fields=(always, *days), hint=say("setup.week_hint")),
        Section(
            title=say("setup.holidays"),
            hint=say("setup.holidays_hint"),
            fields=(
                Field(
                    name="holidays",
                    label=say("setup.holiday_dates"),
                    value=dates_written(holidays.get("dates", ())),
                    look="lines",
                ),
                Field(
                    name="holiday_hours",
                    label=say("setup.holiday_hours"),
                    value=ranges_written(holidays.get("hours", ())),
                ),
                Field(
                    name="exceptions",
                    label=say("setup.exceptions"),
                    value=exceptions_written(hours.get("exceptions", ())),
                    look="lines",
                    hint=say("setup.exceptions_hint"),
                ),
            ),
        ),
    )


def _hours_in(said: Said, _now: Document) -> Document:
    reading = Reading(said)
    if reading.flag("always"):
        return {"hours": None}
    week = {day: reading.take(day, ranges_in) or () for day in WEEK}
    document = {
        "week": {day: ranges for day, ranges in week.items() if ranges},
        "holidays": {
            "dates": reading.take("holidays", dates_in) or (),
            "hours": reading.take("holiday_hours", ranges_in) or (),
        },
        "exceptions": reading.take("exceptions", exceptions_in) or (),
    }
    where = {f"week.{day}": day for day in WEEK}
    where |= {"holidays.dates": "holidays", "holidays.hours": "holiday_hours"}
    hours = reading.checked(OpeningHours, document, where)
    return {"hours": hours.model_dump(mode="json", exclude_defaults=True)}


async def show_new_store(call: Call[OfStore]) -> Page:
    """Show the form of a store that is to be made known."""
    return await _new_store_page(call, {}, {})


async def add_store(call: Call[NewStoreForm]) -> Answer:
    """Make a store known, and lead to its first hour."""
    try:
        store = await call.parts.books.transact(_add_store, call)
    except FieldsAreWrong as fault:
        return await _new_store_page(call, call.asked.said, fault.wrong)
    return lead_to("/operator/setup", store=store)


def _add_store(books: Transaction, call: Call[NewStoreForm]) -> str:
    reading = Reading(call.asked.said)
    wanted = {name: reading.text(name) for name in ("store", "title", "directions", "time_zone")}
    checked = reading.checked(StoreWanted, wanted)
    if any(row["store_id"] == checked.store for row in books.registration.stores()):
        raise FieldsAreWrong({"store": Wrong(why="known")})
    new = registration.NewStore(
        store=StoreId(checked.store),
        title=checked.title,
        time_zone=checked.time_zone,
        directions=checked.directions,
    )
    registration.add_store(books, new, call.operator.name or Actor.OPERATOR)
    return checked.store


async def _new_store_page(call: Call[Any], said: Said, wrong: dict[str, Wrong]) -> Page:
    say = call.language.say
    fields = (
        Field(name="title", label=say("setup.name"), is_needed=True),
        Field(
            name="store",
            label=say("setup.store_id"),
            hint=say("setup.store_id_hint"),
            is_needed=True,
        ),
        Field(
            name="time_zone",
            label=say("setup.zone"),
            value="Asia/Tokyo",
            hint=say("setup.zone_hint"),
            is_needed=True,
        ),
        Field(
            name="directions",
            label=say("setup.directions"),
            look="words",
            hint=say("setup.directions_hint"),
        ),
    )
    sections = (Section(title=say("setup.for_customers"), fields=fields),)
    facts = {
        "shell": await call.parts.books.read(shell_of, call, "setup"),
        "sections": marked(sections, said, wrong, call.language),
        "is_wrong": bool(wrong),
        "here": "/operator/setup/new-store",
        "title": say("setup.new_store"),
        "lead": say("setup.new_store_lead"),
        "button": say("setup.add_store"),
    }
    status = CANNOT_BE_KEPT if wrong else 200
    return Page(template="console/setup/new.html", facts=facts, status=status)
