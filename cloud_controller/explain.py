"""What a terminal is and why it carries what it carries, what became of a ticket, on a screen.

What a terminal says of itself is anybody's text: it is shown, and never obeyed by the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cloud_controller.flows.help import Talk
from cloud_controller.flows.service import Explanation
from cloud_controller.flows.sessions import Proof
from common.messages.specification import Display, Gpu, MachineFound, Part, Specification
from common.rules.registration import Policy, Standing
from common.rules.service import GIB, Explained
from common.rules.sessions import Moment, Sign
from common.rules.specification import Difference
from common.words import length_in_words, moment_words_for

LANGUAGE: Final = "en"
"""What the commands speak."""

WIDTH_MAX: Final = 100
"""Columns: a line that is longer is read badly, however wide the screen."""

Cell = str | Text


def show(explanation: Explanation, console: Console) -> None:
    """Print an explanation, section by section; an empty one is left out."""
    console.width = min(console.width, WIDTH_MAX)
    console.print(_heading(explanation))
    for title, rows in _sections(explanation):
        if rows:
            console.print(Text(f"\n{title}", style="bold"))
            console.print(Padding(_table(rows), (0, 0, 0, 2), expand=False))


def show_proof(proof: Proof, console: Console) -> None:
    """Print what became of a reservation: what was given, and each moment with its evidence."""
    console.width = min(console.width, WIDTH_MAX)
    given = proof.given
    console.print(Text(proof.reservation, style="bold"))
    figures = (
        ("promised", given.promised_seconds),
        ("delivered", given.delivered_seconds),
        ("lost" if given.is_known else "not told yet", given.lost_seconds),
        ("left by the customer", given.left_seconds),
    )
    rows: list[Sequence[Cell]] = [
        [name, length_in_words(seconds, LANGUAGE)] for name, seconds in figures
    ]
    rows.append(["paid back", _amount(proof.compensated_cents, proof.currency)])
    console.print(Padding(_table(rows), (0, 0, 0, 2), expand=False))
    console.print(Text("\nWhat happened", style="bold"))
    told = [_told(moment, proof) for moment in proof.moments]
    console.print(Padding(_table(told or [["Nothing."]]), (0, 0, 0, 2), expand=False))


def show_talks(talks: Sequence[Talk], time_zone: str, console: Console) -> None:
    """Print what was said in a reservation's calls to helpers, if anybody was called."""
    console.width = min(console.width, WIDTH_MAX)
    for talk in talks:
        row = talk.row
        price = _amount(row["price_cents"], row["currency"]) if row["price_cents"] else None
        title = f"\nCall {row['call_id']} to {_clean(row['helper_name'])}"
        console.print(Text(title, style="bold"))
        stands = [_known(row["state"], row["why"], price)]
        said = [[_clock(line.at, time_zone), line.by, _clean(line.text)] for line in talk.lines]
        rows: list[Sequence[Cell]] = [["", "", *stands], *said]
        console.print(Padding(_table(rows), (0, 0, 0, 2), expand=False))


def _clock(at: int, time_zone: str) -> str:
    moment = _EPOCH + timedelta(milliseconds=at)
    return moment.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M:%S")


def _told(moment: Moment, proof: Proof) -> Sequence[Cell]:
    """Return a moment by the store's clock, in a sentence, with the lines of the ledger."""
    clock = _clock(moment.at, proof.time_zone)

    def amount(cents: int, currency: str) -> str:
        return _amount(cents, currency or proof.currency)

    words = moment_words_for(moment, LANGUAGE, amount)
    evidence = " ".join(str(entry) for entry in moment.evidence)
    style = _SIGNS.get(moment.sign, "")
    return [clock, Text(_clean(words), style=style), Text(evidence, style="dim")]


def _amount(cents: int, currency: str) -> str:
    digits = get_currency_precision(currency)
    return f"{Decimal(cents).scaleb(-digits)} {currency}"


def _heading(explanation: Explanation) -> Text:
    return Text.assemble(
        (explanation.terminal, "bold"),
        f"  {_clean(explanation.hostname)}, store {explanation.store}\n",
        (explanation.standing, _STYLES.get(explanation.standing, "yellow")),
        f": {_clean(explanation.reason)}" if explanation.reason else "",
    )


def _sections(explanation: Explanation) -> Iterator[tuple[str, Sequence[Sequence[Cell]]]]:
    now = explanation.specification
    if now is None:
        yield "What it is", [["It has not said so yet."]]
        return
    yield "What it is", list(_facts(now))
    yield "What is no longer as it was confirmed", list(_differences(explanation.differences))
    if explanation.policy == Policy.RULES:
        missed = [[_clean(each)] for each in explanation.unmet]
        yield "What the rules of its store ask for and it does not have", missed
    yield "Programs", [_program(each) for each in explanation.programs]
    is_confirmed = explanation.standing == Standing.CONFIRMED
    allowed = "What it is allowed" if is_confirmed else "What confirming it would allow"
    yield allowed, list(_devices(explanation)) or [["No device: it names none."]]


def _facts(specification: Specification) -> Iterator[Sequence[Cell]]:
    """Go through what a specification says, in the order in which a person would ask."""
    machine = specification.machine
    yield "machine", _known(machine.vendor, machine.model, _labelled("serial", machine.serial))
    yield "system", _known(machine.system, machine.architecture)
    yield "processor", _known(machine.processor, _cores(machine))
    yield "memory", _known(_gib(machine.memory_bytes))
    yield "GPUs", _parts(machine.gpus)
    yield "displays", _parts(machine.displays)
    yield "cameras", _parts(machine.cameras)
    yield "scanners", _parts(machine.scanners)
    yield "agent", _known(specification.agent_version)


def _differences(differences: Iterable[Difference]) -> Iterator[Sequence[Cell]]:
    for number, each in enumerate(differences):
        if number == 0:
            yield [Text(word, style="dim") for word in ("", "confirmed", "now", "")]
        watched = Text("closes the gate", style="yellow") if each.is_watched else ""
        yield [_clean(each.field), _clean(each.before), _clean(each.now), watched]


def _program(each: Explained) -> Sequence[Cell]:
    level = f"level {each.level}" if each.level is not None else ""
    needs = f"needs {', '.join(each.modules)}" if each.modules else ""
    words = "\n".join(_clean(why) for why in (*each.why, needs) if why)
    return [_in_or_out(is_in=each.is_in), each.program, level, words]


def _devices(explanation: Explanation) -> Iterator[Sequence[Cell]]:
    for found, programs in explanation.devices:
        carries = ", ".join(programs) if programs else f"its program {found.program} is out"
        yield [_in_or_out(is_in=bool(programs)), found.key, _clean(found.title), carries]


def _table(rows: Sequence[Sequence[Cell]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for number in range(len(rows[0])):
        table.add_column(no_wrap=number == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return table


def _in_or_out(*, is_in: bool) -> Text:
    return Text("in", style="green") if is_in else Text("out", style="red")


def _known(*words: str | None) -> str:
    return ", ".join(_clean(word) for word in words if word) or "unknown"


def _labelled(label: str, word: str | None) -> str | None:
    return f"{label} {word}" if word else None


def _cores(machine: MachineFound) -> str | None:
    return f"{machine.cores} core{'s' * (machine.cores > 1)}" if machine.cores else None


def _gib(count_bytes: int | None) -> str | None:
    return f"{count_bytes / GIB:.1f} GiB" if count_bytes is not None else None


def _parts(parts: Sequence[Part] | None) -> str:
    if parts is None:
        return "unknown"
    return "\n".join(_part(part) for part in parts) or "none"


def _part(part: Part) -> str:
    words = [part.name]
    if isinstance(part, Gpu):
        words += [part.model or "", _gib(part.memory_bytes) or ""]
    if isinstance(part, Display):
        words.append(f"{part.width_pixels or '?'} x {part.height_pixels or '?'}")
    if not part.is_here:
        words.append("not seen lately")
    return _known(*words)


def _clean(text: str) -> str:
    """Return a text that can do nothing to the screen but stand there, in one line."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_SIGNS: Final[Mapping[str, str]] = {
    Sign.WARNING: "yellow",
    Sign.BAD: "red",
    Sign.MONEY: "cyan",
}
"""Moments that a person should not pass over."""

_STYLES: Final[Mapping[str, str]] = {
    Standing.CONFIRMED: "green",
    Standing.REJECTED: "red",
    Standing.SUSPENDED: "red",
    Standing.RETIRED: "red",
}
"""Standings that are no invitation to do something."""
