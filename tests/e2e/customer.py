"""One customer of a small chain of stores: books, scans, and what a use must leave behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cloud_controller.web.routes import from_iso
from common.rules.tickets import DenialReason
from tests.demo.world import DidNotHappen, SlotTerms, Terminal, World

SHORT: Final = SlotTerms(lengths_seconds=(3,), grid_seconds=1, warn_before_seconds=(1,))
"""A use that is watched from its booking to its end in four seconds."""

LATE_MS_MAX: Final = 1_000
"""How long past its deadline a program may be there (promise 4)."""

EARLY_MS_MAX: Final = 100
"""How long before its deadline a program may be gone: a customer gets what is paid."""

BUSY_SECONDS_MAX: Final = 5.0
"""How long a customer tries who is told that the reader is busy: milliseconds, if nobody else is.

Between two scans lies one round trip to the controller, and more than five tries fit into that on a
machine whose cores have other work.
"""

WHOLE_USE: Final = [
    "reservation.confirmed",
    "right.issued",
    "session.starting",
    "session.running",
    "session.warned",
    "session.ended",
    "reservation.completed",
]
"""What the ledger tells of a use, in this order and once each; the stop's lines stand beside."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """A running use: the ticket's link, its end, and the process that is its program."""

    link: str
    ends_at: int
    pid: int


def picture_of(world: World, link: str) -> bytes:
    """Return the picture of a ticket's code."""
    return world.picture(f"/api/v1/tickets/{link}/qr.png")


def scan(world: World, terminal: Terminal, picture: bytes) -> dict[str, Any]:
    """Hold a picture before a terminal's scanner, again where told to, and return the verdict."""
    until = time.monotonic() + BUSY_SECONDS_MAX
    while time.monotonic() < until:
        number = len(world.verdicts(terminal))
        terminal.show(picture, "ticket")
        verdict: dict[str, Any] = world.wait_for_verdict(terminal, number)
        take_back(terminal)
        if verdict.get("reason") != DenialReason.BUSY_TRY_AGAIN:
            return verdict
    message = f"{terminal.name} was busy for {BUSY_SECONDS_MAX:g} s"
    raise DidNotHappen(message)


def take_back(terminal: Terminal) -> None:
    """Take the ticket away: an agent that starts reads what lies before its scanner."""
    for picture in terminal.tickets.glob("*.png"):
        picture.unlink()


def begin(world: World, terminal: Terminal, *, length_seconds: int | None = None) -> Use:
    """Book the terminal's nearest slot, scan its ticket and return once its program runs."""
    ticket = world.book(offering_of(world, terminal), length_seconds=length_seconds)
    link = ticket["link"]
    world.wait_until_open(link)
    told = scan(world, terminal, picture_of(world, link))
    assert told["opens"], told
    world.wait_for_line(link, "session.running")
    (pid,) = programs(world, terminal)
    return Use(link=link, ends_at=from_iso(ticket["ends_at"]), pid=pid)


def offering_of(world: World, terminal: Terminal) -> str:
    """Return the offering of a terminal of its own, once it is on offer."""
    title = terminal.name.replace("terminal", "Racing seat")

    def offered() -> str | None:
        found = world.api("GET", "/api/v1/offerings")["offerings"]
        names = (each["offering"] for each in found if each["title"] == title)
        return next(names, None)

    return str(world.wait_for(f"{title} to be on offer", offered))


def programs(world: World, terminal: Terminal, program: str = "program.py") -> list[int]:
    """Return the device programs that run on a terminal."""
    folder = str(terminal.folder).encode()
    return [pid for pid in world.processes(program) if folder in _environment(pid)]


def kill(pids: Sequence[int], number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to processes that must be there."""
    assert pids, "nobody is there to be killed"
    for pid in pids:
        os.kill(pid, number)


def book_at(
    world: World, offering: str, starts_at: datetime, length_seconds: int | None = None
) -> dict[str, Any]:
    """Book the slot that begins then, on any device of the offering."""
    body = {
        "offering": offering,
        "starts_at": f"{starts_at:%Y-%m-%dT%H:%M:%SZ}",
        "length_seconds": length_seconds or world.terms.lengths_seconds[0],
    }
    headers = {"Idempotency-Key": os.urandom(12).hex()}
    return dict(world.api("POST", "/api/v1/reservations", body, headers=headers))


@contextmanager
def nothing_changes(world: World, *links: str) -> Iterator[None]:
    """See that no session and none of these tickets is another one afterwards."""
    before = _standing(world, links)
    yield
    assert _standing(world, links) == before


def ends_on_time(world: World, use: Use) -> None:
    """Watch the process until it is gone, and judge when that was (promise 4)."""
    world.wait_for(f"program {use.pid} to end", lambda: not is_there(use.pid))
    late_ms = time.time_ns() // 1_000_000 - use.ends_at
    assert -EARLY_MS_MAX <= late_ms <= LATE_MS_MAX, f"gone {late_ms} ms after its end"


def settles(world: World, use: Use, *, beside: Sequence[str] = ()) -> dict[str, Any]:
    """Wait until the ledger is closed, see that it is right, and return the line of the end.

    Args:
        world: the store.
        use: what has ended.
        beside: lines that need not be there, since nobody may have been there to tell them.
    """
    world.wait_for_line(use.link, "reservation.completed")
    if "stop.instructed" in _types(world, use.link):
        world.wait_for("the stop to be settled", lambda: "command.state" in _types(world, use.link))
    due = [line for line in WHOLE_USE if line not in beside]
    told = [line for line in _types(world, use.link) if line in due]
    assert told == due, told
    ticket = world.api("GET", f"/api/v1/tickets/{use.link}")
    assert (ticket["state"], ticket["ticket_state"]) == ("completed", "spent")
    assert (ticket["session"]["state"], ticket["session"]["end_reason"]) == ("ended", "time_up")
    return world.wait_for_line(use.link, "session.ended")


def is_there(pid: int) -> bool:
    """Say whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _standing(world: World, links: Sequence[str]) -> list[Any]:
    sessions = world.operator("GET", "/api/v1/sessions")["sessions"]
    return [sessions, *(world.api("GET", f"/api/v1/tickets/{link}") for link in links)]


def _types(world: World, link: str) -> list[str]:
    return [line["type"] for line in world.story(link)]


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
