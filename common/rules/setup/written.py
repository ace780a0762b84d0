"""What a person writes in a form, read and written back: hours, dates, money, lengths.

Its law: what was written back is read as the same again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from common.errors import RusubanError

LINES_MAX: Final = 400
"""Lines of one field: a year of dates with hours of their own."""

DAYS_OF_A_LINE_MAX: Final = 62
"""Days that one line may name from one to another: two months of holidays."""

AMOUNT_MAX: Final = 10**12
"""The highest number that is read at all; what it stands for has limits of its own."""

MINUTE_SECONDS: Final = 60
HOUR_SECONDS: Final = 3_600

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_IN_JAPANESE: Final = "月火水木金土日"
_DASHES: Final = re.compile(r"\s*[-\u2010-\u2015\u2212\u301c~]\s*")
_CLOCK: Final = re.compile(r"(?<!\d)(\d):(\d\d)")
_RANGE: Final = re.compile(r"\d\d:\d\d-\d\d:\d\d")
_BETWEEN: Final = re.compile(r"[\s,;\u3001]+")
_DATES: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?")
_LENGTH: Final = re.compile(r"(\d+(?:\.\d+)?)(s|min|m|h)?")
_UNITS: Final = {None: 60, "s": 1, "m": 60, "min": 60, "h": 3600}
_CLOSED: Final = frozenset({"closed", "休", "休み", "休業"})


class Fault(StrEnum):
    """Why something that was written cannot be read; a word keeps its meaning."""

    NO_RANGE = "no_range"
    NO_DATE = "no_date"
    NO_NUMBER = "no_number"
    NO_AMOUNT = "no_amount"
    NO_WEEKDAY = "no_weekday"
    NO_PRICE = "no_price"
    NO_PACKAGE = "no_package"
    TOO_MANY = "too_many"


class WrittenWrong(RusubanError):
    """Line {line} cannot be read: {fault}."""


def ranges_in(text: str) -> list[str]:
    """Return the ranges of a day, such as `10:00-22:00`; nothing, or `closed`, is none.

    Raises:
        WrittenWrong: it is no list of ranges.
    """
    return _ranges(_plain(text), 1)


def ranges_written(ranges: Iterable[str]) -> str:
    """Return the ranges of a day as a person reads them."""
    return ", ".join(ranges)


def dates_in(text: str) -> list[str]:
    """Return dates, such as `2027-01-01` or `2026-12-29..2027-01-03`, each once, in order.

    Raises:
        WrittenWrong: one is none.
    """
    found: set[str] = set()
    for number, line in _lines(text):
        for each in _parts(_plain(line)):
            found.update(_days(each, number))
    return sorted(found)


def dates_written(dates: Iterable[str]) -> str:
    """Return dates, one a line; those that follow each other as one range."""
    days = [date.fromisoformat(each) for each in sorted(dates)]
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(days=1) and len(runs[-1]) < DAYS_OF_A_LINE_MAX:
            runs[-1].append(day)
        else:
            runs.append([day])
    return "\n".join(str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs)


def exceptions_in(text: str) -> list[dict[str, Any]]:
    """Return dates with hours of their own: `2026-12-31 10:00-18:00`, or `… closed`.

    Raises:
        WrittenWrong: a line does not begin with a date, or goes on with anything but ranges.
    """
    found: list[dict[str, Any]] = []
    for number, line in _lines(text):
        when, _, rest = _plain(line).partition(" ")
        hours = _ranges(rest, number)
        found += [{"date": day, "hours": hours} for day in _days(when, number)]
        if len(found) > LINES_MAX:
            raise WrittenWrong(line=number, fault=Fault.TOO_MANY)
    return found


def exceptions_written(exceptions: Iterable[Mapping[str, Any]]) -> str:
    """Return dates with hours of their own, one a line."""
    lines = [
        f"{each['date']} {ranges_written(each.get('hours', ())) or 'closed'}"
        for each in sorted(exceptions, key=lambda each: str(each["date"]))
    ]
    return "\n".join(lines)


def seconds_in(text: str, unit_seconds: int) -> int:
    """Return a length that was written as a number of units; nothing is nought.

    Raises:
        WrittenWrong: it is no number.
    """
    return round(_number(_plain(text) or "0", Fault.NO_NUMBER) * unit_seconds)


def seconds_written(seconds: int, unit_seconds: int) -> str:
    """Return a length as a number of units, with no more digits than it needs."""
    text = f"{Decimal(seconds) / unit_seconds:.6f}"
    return text.rstrip("0").rstrip(".")


def seconds_list_in(text: str) -> list[int]:
    """Return lengths: `30, 60, 90` are minutes, `45s` and `2h` say their unit.

    Raises:
        WrittenWrong: one is none.
    """
    return [_length(each, 1) for each in _parts(_plain(text))]


def seconds_list_written(lengths: Iterable[int]) -> str:
    """Return lengths in minutes, those that are no whole minutes in seconds."""
    return ", ".join(_length_written(each) for each in lengths)


def cents_in(text: str, digits: int) -> int:
    """Return an amount of money in minor units; `digits` of it are minor.

    Raises:
        WrittenWrong: it is no amount, or has more digits than the currency.
    """
    amount = _number(_plain(text).replace(",", ""), Fault.NO_AMOUNT).scaleb(digits)
    if amount != amount.to_integral_value():
        raise WrittenWrong(line=1, fault=Fault.NO_AMOUNT)
    return int(amount)


def cents_written(cents: int, digits: int) -> str:
    """Return an amount as it is written into a form, without its currency."""
    return f"{Decimal(cents).scaleb(-digits):.{digits}f}"


def bands_in(text: str, digits: int) -> list[dict[str, Any]]:
    """Return what an hour costs at some times: `mon-fri 10:00-17:00 1200`, one a line.

    Raises:
        WrittenWrong: a line is none.
    """
    found = []
    for number, line in _lines(text):
        when, _, price = _plain(line).rpartition(" ")
        cents = _on_line(number, Fault.NO_PRICE, price, digits)
        found.append({**_when(when, number), "cents_per_hour": cents})
    return found


def bands_written(bands: Iterable[Mapping[str, Any]], digits: int) -> str:
    """Return what an hour costs at some times, one a line."""
    return "\n".join(
        f"{_when_written(each)} {cents_written(each['cents_per_hour'], digits)}" for each in bands
    )


def packages_in(text: str, digits: int) -> list[dict[str, Any]]:
    """Return so much time for so much: `Night | 6h | 3000 | fri,sat 22:00-05:00`, one a line.

    Raises:
        WrittenWrong: a line is none.
    """
    found = []
    for number, line in _lines(text):
        title, *rest = (part.strip() for part in line.replace("\uff5c", "|").split("|"))
        if not title or len(rest) not in {2, 3}:
            raise WrittenWrong(line=number, fault=Fault.NO_PACKAGE)
        length, price, when = (_plain(part) for part in (*rest, "")[:3])
        found.append(
            {
                "title": title,
                "length_seconds": _length(length, number),
                "cents": _on_line(number, Fault.NO_PRICE, price, digits),
                **_when(when, number),
            }
        )
    return found


def packages_written(packages: Iterable[Mapping[str, Any]], digits: int) -> str:
    """Return packages, one a line."""
    return "\n".join(
        " | ".join(
            (
                each["title"],
                _long_written(each["length_seconds"]),
                cents_written(each["cents"], digits),
                _when_written(each),
            )
        )
        for each in packages
    )


def _plain(text: str) -> str:
    """Return what was written in one way: narrow digits, one dash, two digits of an hour."""
    text = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    return _CLOCK.sub(r"0\1:\2", text).strip()


def _lines(text: str) -> list[tuple[int, str]]:
    """Return the lines that say something, each with its number."""
    lines = [line.strip() for line in text.splitlines()]
    if len(lines) > LINES_MAX:
        raise WrittenWrong(line=LINES_MAX, fault=Fault.TOO_MANY)
    return [(number, line) for number, line in enumerate(lines, start=1) if line]


def _parts(text: str) -> list[str]:
    return [part for part in _BETWEEN.split(text) if part]


def _ranges(text: str, line: int) -> list[str]:
    found = _parts(text.replace("24h", "00:00-24:00"))
    if len(found) == 1 and found[0].lower() in _CLOSED:
        return []
    if any(_RANGE.fullmatch(each) is None for each in found):
        raise WrittenWrong(line=line, fault=Fault.NO_RANGE)
    return found


def _days(text: str, line: int) -> list[str]:
    found = _DATES.fullmatch(text)
    if found is None:
        raise WrittenWrong(line=line, fault=Fault.NO_DATE)
    try:
        first = date.fromisoformat(found[1])
        last = date.fromisoformat(found[2] or found[1])
    except ValueError:
        raise WrittenWrong(line=line, fault=Fault.NO_DATE) from None
    count = (last - first).days + 1
    if not 1 <= count <= DAYS_OF_A_LINE_MAX:
        raise WrittenWrong(line=line, fault=Fault.NO_DATE)
    return [str(first + timedelta(days=each)) for each in range(count)]


def _number(text: str, fault: Fault, line: int = 1) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise WrittenWrong(line=line, fault=fault) from None
    if not (number.is_finite() and 0 <= number <= AMOUNT_MAX):
        raise WrittenWrong(line=line, fault=fault)
    return number


def _length(text: str, line: int) -> int:
    found = _LENGTH.fullmatch(text.lower())
    if found is None:
        raise WrittenWrong(line=line, fault=Fault.NO_NUMBER)
    return round(_number(found[1], Fault.NO_NUMBER, line) * _UNITS[found[2]])


def _length_written(seconds: int) -> str:
    minutes, rest = divmod(seconds, MINUTE_SECONDS)
    return f"{seconds}s" if rest else str(minutes)


def _long_written(seconds: int) -> str:
    """Return a length in whole hours where it is that long."""
    return _length_written(seconds) if seconds % HOUR_SECONDS else f"{seconds // HOUR_SECONDS}h"


def _on_line(line: int, fault: Fault, text: str, digits: int) -> int:
    try:
        return cents_in(text, digits)
    except WrittenWrong:
        raise WrittenWrong(line=line, fault=fault) from None


def _when(text: str, line: int) -> dict[str, Any]:
    """Return weekdays and hours, as bands and packages have them; nothing is always."""
    parts = _parts(text.replace("毎日", " "))
    hours = "00:00-24:00"
    if parts and ":" in parts[-1]:
        hours = parts.pop()
    if _RANGE.fullmatch(hours) is None:
        raise WrittenWrong(line=line, fault=Fault.NO_RANGE)
    opens, _, closes = hours.partition("-")
    days = sorted({day for part in parts for day in _weekdays(part.lower(), line)})
    weekdays = [] if len(days) == len(_WEEKDAYS) else days
    return {"weekdays": weekdays, "from_time": opens, "until_time": closes}


def _weekdays(text: str, line: int) -> Sequence[int]:
    first, _, last = text.partition("-")
    try:
        begin = _weekday(first)
        end = _weekday(last) if last else begin
    except ValueError:
        raise WrittenWrong(line=line, fault=Fault.NO_WEEKDAY) from None
    count = (end - begin) % len(_WEEKDAYS) + 1
    return [(begin + each) % len(_WEEKDAYS) for each in range(count)]


def _weekday(text: str) -> int:
    in_japanese = text.removesuffix("曜日").removesuffix("曜")
    if len(in_japanese) == 1 and in_japanese in _IN_JAPANESE:
        return _IN_JAPANESE.index(in_japanese)
    return _WEEKDAYS.index(text[:3])


def _runs(days: Iterable[int]) -> list[list[int]]:
    """Return weekdays as runs of those that follow each other."""
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _run_written(run: Sequence[int]) -> str:
    return _WEEKDAYS[run[0]] if len(run) == 1 else f"{_WEEKDAYS[run[0]]}-{_WEEKDAYS[run[-1]]}"


def _when_written(when: Mapping[str, Any]) -> str:
    days = ",".join(_run_written(run) for run in _runs(sorted(when.get("weekdays", ()))))
    hours = f"{when.get('from_time', '00:00')}-{when.get('until_time', '24:00')}"
    return f"{days} {hours}".strip()
