"""The figures of a period, counted from what was asked for, given, posted and found.

Its law: everything is counted where its reservation began, by the store's calendar; money where it
was entered. Nothing is estimated: what nobody has told yet counts as nought, and is said to be so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from common.rules.figures.periods import Period
from common.rules.figures.values import (
    CAME,
    Asked,
    DayFigures,
    DeviceFigures,
    Figures,
    KnownDevice,
    Leaked,
    LostFor,
    Money,
    OfferingFigures,
    PaidBack,
    Posted,
    Stretch,
    cents_of,
    money_of,
)

HOURS: Final = 24
WEEKDAYS: Final = 7

_BY_THE_DEVICE: Final = frozenset(
    {"program_failed", "device_failed", "start_timeout", "power_loss", "reboot"}
)
"""Ends that a device, or what it hangs on, has caused."""

_BACK: Final = frozenset({"refunded", "refunded_elsewhere"})
"""Kinds of entries that give sales back, with their tax."""


def figures_of(stretch: Stretch) -> Figures:
    """Return the figures of a store's period."""
    period = stretch.period
    opened, used = _grid(), _grid()
    for starts_at, ends_at in stretch.opened:
        for weekday, hour, seconds in period.by_hour(starts_at, ends_at):
            opened[weekday][hour] += seconds * len(stretch.devices)
    for each in _ran(stretch):
        for weekday, hour, seconds in period.by_hour(*each):
            used[weekday][hour] += seconds
    return Figures(
        first=period.first,
        last=period.last,
        days=_days(stretch),
        devices=tuple(_device(stretch, each) for each in stretch.devices),
        offerings=_offerings(stretch),
        paid_back=_paid_back(stretch.asked),
        leaks=tuple(stretch.leaked),
        used_seconds=tuple(map(tuple, used)),
        open_seconds=tuple(map(tuple, opened)),
    )


def together(figures: Sequence[Figures]) -> Figures:
    """Return the figures of several stores as those of one, each by its own calendar."""
    if len(figures) == 1:
        return figures[0]
    by_day: defaultdict[date, list[DayFigures]] = defaultdict(list)
    for each in figures:
        for day in each.days:
            by_day[day.day].append(day)
    return Figures(
        first=min(by_day),
        last=max(by_day),
        days=tuple(DayFigures.sum_of(by_day[day]) for day in sorted(by_day)),
        devices=tuple(device for each in figures for device in each.devices),
        offerings=tuple(offering for each in figures for offering in each.offerings),
        paid_back=_summed(paid for each in figures for paid in each.paid_back),
        leaks=tuple(leak for each in figures for leak in each.leaks),
        used_seconds=_added([each.used_seconds for each in figures]),
        open_seconds=_added([each.open_seconds for each in figures]),
    )


def why_lost(asked: Asked) -> LostFor:
    """Return why a customer was not given all that he was promised: what ended it, at the last."""
    spoilt = [
        each.end_reason
        for each in asked.given
        if each.end_reason not in (None, "time_up", "customer_ended")
    ]
    if spoilt:
        return str(spoilt[-1])
    return "interrupted" if any(each.running_at for each in asked.given) else "not_started"


def _days(stretch: Stretch) -> tuple[DayFigures, ...]:
    period = stretch.period
    opened: Counter[date] = Counter()
    for starts_at, ends_at in stretch.opened:
        for day, seconds in _by_day(period, starts_at, ends_at):
            opened[day] += round(seconds) * len(stretch.devices)
    by_day: defaultdict[date, list[Asked]] = defaultdict(list)
    for each in stretch.asked:
        by_day[period.day_of(each.starts_at)].append(each)
    money: defaultdict[date, list[Mapping[str, Money]]] = defaultdict(list)
    for line in stretch.posted:
        money[period.day_of(line.at)].append({line.currency: _moved(line)})
    return tuple(
        DayFigures(
            day=day,
            open_seconds=float(opened[day]),
            delivered_seconds=sum(map(_delivered, by_day[day])),
            visits=sum(each.state in CAME for each in by_day[day]),
            no_shows=sum(each.state == "no_show" for each in by_day[day]),
            cancelled=sum(each.state == "cancelled" for each in by_day[day]),
            money=money_of(money[day]),
        )
        for day in period.days
    )


def _device(stretch: Stretch, known: KnownDevice) -> DeviceFigures:
    asked = [each for each in stretch.asked if each.device == known.device]
    given = [use for each in stretch.asked for use in each.given if use.device == known.device]
    leaks = [each for each in stretch.leaked if each.device == known.device]
    ends = Counter(str(use.end_reason) for use in given if use.end_reason in _BY_THE_DEVICE)
    failed = sum(use.state == "failed" for use in given)
    faults = ends - Counter(str(use.end_reason) for use in given if use.state == "failed")
    return DeviceFigures(
        device=known.device,
        title=known.title,
        open_seconds=sum(end - start for start, end in stretch.opened) / 1000,
        out_seconds=sum(end - start for start, end in known.out) / 1000,
        booked_seconds=sum(each.ends_at - each.starts_at for each in asked if _stood(each)) / 1000,
        delivered_seconds=sum(use.delivered_seconds or 0.0 for use in given),
        lost_seconds=sum(use.lost_seconds for use in given),
        visits=sum(each.state in CAME for each in asked),
        sessions=len(given),
        failed=failed,
        unknown=sum(
            use.delivered_seconds is None and use.state not in ("running", "granted", "starting")
            for use in given
        ),
        faults=dict(sorted(faults.items())),
        leaks=len(leaks),
        leaked_seconds=sum(_lasted(each, stretch) for each in leaks),
    )


def _offerings(stretch: Stretch) -> tuple[OfferingFigures, ...]:
    by_offering: defaultdict[str, list[Asked]] = defaultdict(list)
    for each in stretch.asked:
        by_offering[each.offering].append(each)
    return tuple(
        OfferingFigures(
            offering=offering,
            title=stretch.offerings.get(offering, offering),
            visits=sum(each.state in CAME for each in asked),
            no_shows=sum(each.state == "no_show" for each in asked),
            cancelled=sum(each.state == "cancelled" for each in asked),
            delivered_seconds=sum(map(_delivered, asked)),
            priced_cents=cents_of(
                (each.currency, each.price_cents) for each in asked if _stood(each)
            ),
        )
        for offering, asked in sorted(by_offering.items())
    )


def _paid_back(asked: Sequence[Asked]) -> tuple[PaidBack, ...]:
    return _summed(
        PaidBack(
            why=why_lost(each),
            visits=1,
            seconds=each.owed_seconds,
            cents={each.currency: each.owed_cents},
        )
        for each in asked
        if each.owed_seconds or each.owed_cents
    )


def _summed(paid: Iterable[PaidBack]) -> tuple[PaidBack, ...]:
    """Return one line for each reason, what was lost most for first."""
    by_why: defaultdict[str, list[PaidBack]] = defaultdict(list)
    for each in paid:
        by_why[each.why].append(each)
    lines = (
        PaidBack(
            why=why,
            visits=sum(each.visits for each in lines),
            seconds=sum(each.seconds for each in lines),
            cents=cents_of(pair for each in lines for pair in each.cents.items()),
        )
        for why, lines in by_why.items()
    )
    return tuple(sorted(lines, key=lambda line: (-line.seconds, line.why)))


def _moved(line: Posted) -> Money:
    """Return what a posting means for what was earned; most accounts mean nothing."""
    cents, is_back = line.cents, line.kind in _BACK
    meant = {
        "sales": Money(sold_cents=-cents),
        "tax": Money(
            sold_cents=0 if is_back else -cents,
            refunded_cents=cents if is_back else 0,
            tax_cents=-cents,
        ),
        "voucher": Money(vouchers_cents=cents),
        "refund": Money(refunded_cents=cents),
        "compensation": Money(compensated_cents=cents),
    }
    return meant.get(line.account, Money())


def _ran(stretch: Stretch) -> Iterable[tuple[int, int]]:
    for each in stretch.asked:
        for use in each.given:
            if use.running_at is not None:
                yield use.running_at, use.ended_at or stretch.now


def _by_day(period: Period, starts_at: int, ends_at: int) -> Iterable[tuple[date, float]]:
    at = starts_at
    while at < ends_at:
        day = period.day_of(at)
        until = min(ends_at, period.midnight(date.fromordinal(day.toordinal() + 1)))
        yield day, (until - at) / 1000
        at = until


def _delivered(asked: Asked) -> float:
    return sum(use.delivered_seconds or 0.0 for use in asked.given)


def _stood(asked: Asked) -> bool:
    return asked.state not in ("cancelled", "expired", "held")


def _lasted(leak: Leaked, stretch: Stretch) -> float:
    starts_at = max(leak.began_at, stretch.period.starts_at)
    ends_at = min(leak.ended_at or stretch.now, stretch.period.ends_at)
    return max(0.0, (ends_at - starts_at) / 1000)


def _grid() -> list[list[float]]:
    return [[0.0] * HOURS for _ in range(WEEKDAYS)]


def _added(grids: Sequence[tuple[tuple[float, ...], ...]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(sum, zip(*rows, strict=True))) for rows in zip(*grids, strict=True))
