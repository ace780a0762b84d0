"""The first page of the set-up: the guide through a store's first hour, and all its sheets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.flows import enrolment, registration, setup
from cloud_controller.ports import Actor, Row, Transaction
from cloud_controller.web.language import Language
from cloud_controller.web.pages.console.shell import OfStore, Shell, shell_of
from cloud_controller.web.routes import Call, Page
from common.ids import StoreId
from common.rules.accounts import EVERY_STORE, Permission
from common.rules.payments import Prices
from common.rules.reservations import read_hours
from common.rules.setup import (
    FirstHour,
    Stage,
    StageState,
    first_hour,
    is_set_up,
    ranges_written,
)

LOOK_AGAIN_SECONDS: Final = 5
"""Between two looks while a terminal has to do something: as long as anybody stares at a page."""

TERMINALS_DO: Final = frozenset({Stage.ENROL, Stage.DEVICE, Stage.OFFERING, Stage.OPEN})
"""Stages that come to be done without a form of ours."""

PER_CENT: Final = 100

SETUP: Final = "/operator/setup"

TERMINAL_SETTINGS: Final = "/etc/rusuban/edge-agent.toml"
"""Where an installed terminal keeps its settings."""

WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, kw_only=True, slots=True)
class StageShown:
    """A stage as it is shown, with where it is done; empty: it is done elsewhere."""

    stage: Stage
    state: StageState
    address: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreShown:
    """A store with how far it is: so many of its stages are done."""

    store: Row
    done: int
    is_set_up: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferingShown:
    """An offering in the list: what it costs and on which terms, in words."""

    row: Row
    price: str
    lengths: str
    turnover: str
    tax: str


async def show_setup(call: Call[OfStore]) -> Page:
    """Show the guide, and what a store is set up as."""
    facts = await call.parts.books.read(_facts, call)
    waits = any(
        each.state is StageState.NEXT and each.stage in TERMINALS_DO for each in facts["stages"]
    )
    refresh = LOOK_AGAIN_SECONDS if waits else None
    return Page(template="console/setup/setup.html", facts=facts, refresh_seconds=refresh)


async def make_code(call: Call[Any]) -> Page:
    """Make a one-time code by which a PC enrols; it is shown once, on the page that answers."""
    store, actor = StoreId(call.names["store"]), call.operator.name or Actor.OPERATOR
    code = await call.parts.books.transact(enrolment.make_code, store, actor, None)
    pin = call.parts.enrol_pin()
    words = ["edge-agent enrol --settings", TERMINAL_SETTINGS, "--url", call.parts.public_url]
    words += ["--code", code, *(("--pin", pin) if pin else ())]
    facts = {
        "shell": await call.parts.books.read(shell_of, call, "setup"),
        "store": store,
        "code": code,
        "command": " ".join(words),
        "minutes": enrolment.CODE_LIFE_SECONDS // 60,
    }
    return Page(template="console/setup/code.html", facts=facts)


def _facts(books: Transaction, call: Call[OfStore]) -> dict[str, Any]:
    shell = shell_of(books, call, "setup")
    chosen = shell.store or (shell.ids[0] if len(shell.ids) == 1 else "")
    is_empty, may_add = not shell.stores, call.operator.may(Permission.SET_UP)
    return {
        "shell": shell,
        "said": call.asked.said,
        "may_add_store": may_add,
        "may_set_up": call.operator.may(Permission.SET_UP, chosen or EVERY_STORE),
        "stores": () if chosen else tuple(_store(books, row) for row in shell.stores),
        "stages": _stages(books, chosen, is_whole=may_add) if chosen or is_empty else (),
        "chosen": chosen,
        "calm": bool(chosen) and is_set_up(setup.first_hour_of(books, chosen)),
        **(_sheets(books, chosen, call.language, shell) if chosen else {}),
    }


def _store(books: Transaction, row: Row) -> StoreShown:
    facts = setup.first_hour_of(books, row["store_id"])
    done = sum(state is StageState.DONE for _, state in first_hour(facts))
    return StoreShown(store=row, done=done, is_set_up=is_set_up(facts))


def _stages(books: Transaction, store: str, *, is_whole: bool) -> tuple[StageShown, ...]:
    facts = setup.first_hour_of(books, store) if store else FirstHour()
    where = _addresses(books, store, is_whole=is_whole)
    return tuple(
        StageShown(stage=stage, state=state, address=where.get(stage, ""))
        for stage, state in first_hour(facts)
    )


def _addresses(books: Transaction, store: str, *, is_whole: bool) -> dict[Stage, str]:
    """Return where each stage is done; programs are every store's, for whoever sets up all."""
    if not store:
        return {Stage.STORE: f"{SETUP}/new-store"}
    waiting = setup.waiting_terminals(books, store)
    devices = setup.devices(books, store)
    offerings = setup.offerings(books, store)
    found = {
        Stage.STORE: f"{SETUP}/stores/{store}",
        Stage.HOURS: f"{SETUP}/stores/{store}/hours",
        Stage.CONFIRM: f"/operator/terminals?store={store}",
        Stage.DEVICE: f"/operator/terminals?store={store}",
        Stage.OPEN: f"/operator?store={store}",
        Stage.SOLD: f"/s/{store}",
    }
    if waiting:
        found[Stage.CONFIRM] = f"/operator/terminals/{waiting[0]['terminal_id']}"
    if devices and is_whole:
        found[Stage.OFFERING] = f"{SETUP}/programs/{devices[0]['program']}"
    if offerings:
        found[Stage.OFFERING] = f"{SETUP}/offerings/{offerings[0]['offering_id']}"
        found[Stage.PRICE] = f"{SETUP}/offerings/{offerings[0]['offering_id']}/prices"
    return found


def _sheets(books: Transaction, store: str, language: Language, shell: Shell) -> dict[str, Any]:
    row = registration.store(books, StoreId(store))
    devices = setup.devices(books, store)
    return {
        "store": row,
        "hours": _week(row, language),
        "devices": devices,
        "offerings": [_offering(each, language) for each in setup.offerings(books, store)],
        "programs": sorted({each["program"] for each in devices}),
        "helpers": setup.helpers(books, store),
        "zone": shell.zone,
    }


def _week(row: Row, language: Language) -> Sequence[tuple[str, str]]:
    """Return each weekday with its hours; nothing at all is always open."""
    hours = read_hours(row["hours"])
    if hours is None:
        return ()
    return tuple(
        (language.words[f"weekday.{day}"], ranges_written(str(each) for each in ranges))
        for day, ranges in zip(WEEK, hours.week.days, strict=True)
    )


def _offering(row: Row, language: Language) -> OfferingShown:
    prices = Prices() if row["prices"] is None else Prices.model_validate_json(row["prices"])
    if prices.cents_per_hour is None:
        price = language.price(row["price_cents"], row["currency"])
    else:
        an_hour = language.price(prices.cents_per_hour, row["currency"])
        price = language.say("setup.an_hour", price=an_hour)
    lengths = [language.length(each) for each in json.loads(row["lengths_seconds"])]
    return OfferingShown(
        row=row,
        price=price,
        lengths=", ".join(lengths),
        turnover=language.length(row["turnover_seconds"]),
        tax=f"{prices.tax_basis_points / PER_CENT:g} %",
    )
