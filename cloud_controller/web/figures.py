"""A store's figures of a period for programs: as JSON, and as sheets; and audits of the books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Annotated, Any, Final, Self

from aiohttp import web
from pydantic import ConfigDict, Field, model_validator

from cloud_controller.auditor import audit_all
from cloud_controller.flows import audit, figures
from cloud_controller.flows.audit import Audited
from cloud_controller.web.routes import Call, InstantText, Shape
from cloud_controller.web.sheets import Sheet, sheet_of
from common.rules.audit import PROMISES, Invariant
from common.rules.figures import (
    Choice,
    DayFigures,
    DeviceFigures,
    Figures,
    Money,
    OfferingFigures,
    Period,
    PeriodIsWrong,
    chosen,
    period_of,
)
from common.words import invariant_words_for

_DAY: Final = Field(None, description="a date of the store's calendar, such as 2026-01-31")


class FiguresWanted(Shape):
    """A period by its name, or by its first and last day; without either, the last thirty days."""

    model_config = ConfigDict(extra="ignore")

    period: Choice = Choice.MONTH
    first: Annotated[date | None, _DAY] = None
    last: Annotated[date | None, _DAY] = None

    @model_validator(mode="after")
    def _is_a_period(self) -> Self:
        if (self.first is None) is not (self.last is None):
            message = "a period has both a first and a last day"
            raise ValueError(message)
        try:
            self.period_in("UTC", 0)
        except PeriodIsWrong as fault:
            raise ValueError(str(fault)) from None
        return self

    def period_in(self, time_zone: str, now: int) -> Period:
        """Return the period that is asked for, by the calendar of a zone."""
        if self.first is not None and self.last is not None:
            return period_of(self.first, self.last, time_zone)
        return chosen(self.period, time_zone, now)


class SheetWanted(FiguresWanted):
    """Which sheet, of which period."""

    sheet: Sheet = Sheet.DAYS


class MoneyTold(Shape):
    """What was earned in one currency, in minor units, taxes included; they are told beside."""

    currency: str
    sold_cents: int
    vouchers_cents: int
    refunded_cents: int
    compensated_cents: int
    net_cents: int
    tax_cents: int


class DayTold(Shape):
    """One day; `open_seconds` are those of all devices together."""

    day: date
    open_seconds: float
    delivered_seconds: float
    visits: int
    no_shows: int
    cancelled: int
    money: tuple[MoneyTold, ...]


class DeviceTold(Shape):
    """One device: how much it was used, and how well it served.

    Attributes:
        failed: starts that led to no running program.
        unknown: sessions of which nobody has told what was delivered.
        faults: ends that the device has caused, by their reason.
        leaks: how often it was on without a session, or off with one.
    """

    device: str
    title: str
    open_seconds: float
    out_seconds: float
    booked_seconds: float
    delivered_seconds: float
    lost_seconds: float
    visits: int
    sessions: int
    failed: int
    unknown: int
    faults: dict[str, int]
    leaks: int
    leaked_seconds: float


class OfferingTold(Shape):
    """One offering; what it was sold for, as it was priced, is by currency in minor units."""

    offering: str
    title: str
    visits: int
    no_shows: int
    cancelled: int
    delivered_seconds: float
    priced_cents: dict[str, int]


class PaidBackTold(Shape):
    """What was paid back for lost time, and why it was lost; minor units by currency."""

    why: str
    visits: int
    seconds: float
    cents: dict[str, int]


class LeakTold(Shape):
    """From when to when a device and its sessions did not agree; null: it lasts."""

    kind: Invariant
    device: str
    began_at: InstantText
    ended_at: InstantText | None


class FiguresTold(Shape):
    """A store's figures.

    Attributes:
        busy: by weekday, Monday first, and hour of the wall clock, what share of its open time
            was used; null: it was closed.
    """

    store: str
    first: date
    last: date
    days: tuple[DayTold, ...]
    devices: tuple[DeviceTold, ...]
    offerings: tuple[OfferingTold, ...]
    paid_back: tuple[PaidBackTold, ...]
    leaks: tuple[LeakTold, ...]
    busy: tuple[tuple[float | None, ...], ...]


class FindingTold(Shape):
    """What an audit found: which invariant, about what, and from which facts.

    Attributes:
        what: what is so, in the language asked for.
        next: what to do next, in the same.
        promise: the number of the promise that it breaks.
        store: whose it is; empty: no store's.
    """

    invariant: Invariant
    promise: int
    what: str
    next: str
    subject: str
    store: str
    facts: dict[str, Any]


class AuditTold(Shape):
    """One audit: how many rows of what it looked at, and what it found.

    `found` counts every finding; of one kind at most a hundred are listed.
    """

    audit: str
    asked_by: str
    began_at: InstantText
    ended_at: InstantText
    looked: dict[str, int]
    found: int
    findings: tuple[FindingTold, ...]


class Audits(Shape):
    """The latest audits, the last one first."""

    audits: tuple[AuditTold, ...]


async def show_figures(call: Call[FiguresWanted]) -> FiguresTold:
    """Return the figures of a store.

    Raises:
        NotFound: there is no such store.
    """
    store = call.names["store"]
    counted = await call.parts.books.read(figures.of_store, store, call.asked.period_in)
    return FiguresTold(
        store=store,
        first=counted.first,
        last=counted.last,
        days=tuple(map(_day, counted.days)),
        devices=tuple(map(_device, counted.devices)),
        offerings=tuple(map(_offering, counted.offerings)),
        paid_back=tuple(
            PaidBackTold(
                why=each.why, visits=each.visits, seconds=each.seconds, cents=dict(each.cents)
            )
            for each in counted.paid_back
        ),
        leaks=tuple(
            LeakTold(
                kind=Invariant(each.kind),
                device=each.device,
                began_at=each.began_at,
                ended_at=each.ended_at,
            )
            for each in counted.leaks
        ),
        busy=counted.busy,
    )


async def give_sheet(call: Call[SheetWanted]) -> web.Response:
    """Return one sheet of a store's figures as CSV.

    Raises:
        NotFound: there is no such store.
    """
    store = call.names["store"]
    counted = await call.parts.books.read(figures.of_store, store, call.asked.period_in)
    return as_file(counted, call.asked.sheet, store)


def as_file(counted: Figures, sheet: Sheet, store: str) -> web.Response:
    """Return one sheet as a file that says in its name what it holds."""
    of = f"{store}-" if store else ""
    name = f"{of}{sheet}-{counted.first}-{counted.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    text = sheet_of(counted, sheet)
    return web.Response(text=text, content_type="text/csv", charset="utf-8", headers=headers)


async def list_audits(call: Call[None]) -> Audits:
    """Return the latest audits with what they found."""
    made = await call.parts.books.read(audit.audits)
    return Audits(audits=tuple(map(partial(_audit, call.language.code), made)))


async def audit_now(call: Call[None]) -> AuditTold:
    """Audit the books, and return what was found; it takes as long as they are large."""
    parts = call.parts
    await audit_all(parts.books, parts.clock, call.operator.name)
    (last,) = await parts.books.read(audit.audits, 1)
    return _audit(call.language.code, last)


def _audit(language: str, made: Audited) -> AuditTold:
    return AuditTold(
        audit=made.audit,
        asked_by=made.asked_by,
        began_at=made.began_at,
        ended_at=made.ended_at,
        looked=dict(made.looked),
        found=made.found,
        findings=tuple(
            FindingTold(
                invariant=each.invariant,
                promise=PROMISES[each.invariant],
                what=invariant_words_for(each.invariant, language).what,
                next=invariant_words_for(each.invariant, language).next,
                subject=each.subject,
                store=each.store,
                facts=dict(each.facts),
            )
            for each in made.findings
        ),
    )


def _day(day: DayFigures) -> DayTold:
    return DayTold(money=_money(day.money), **_same(day, DayTold, "money"))


def _device(device: DeviceFigures) -> DeviceTold:
    return DeviceTold(faults=dict(device.faults), **_same(device, DeviceTold, "faults"))


def _offering(offering: OfferingFigures) -> OfferingTold:
    priced = dict(offering.priced_cents)
    return OfferingTold(priced_cents=priced, **_same(offering, OfferingTold, "priced_cents"))


def _money(money: Mapping[str, Money]) -> tuple[MoneyTold, ...]:
    return tuple(
        MoneyTold(currency=currency, **_same(each, MoneyTold, "currency"))
        for currency, each in money.items()
    )


def _same(value: object, shape: type[Shape], *but: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in shape.model_fields if name not in but}
