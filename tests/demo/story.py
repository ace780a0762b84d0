"""One customer's visit and three who are turned away, each step checked against books and logs."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.text import Text

from cloud_controller.web.qr import ticket_png
from cloud_controller.web.reservations import PNG_MODULE_PIXELS
from cloud_controller.web.routes import from_iso
from common.rules.tickets import DenialReason
from common.seals import new_signing_key, read_token, seal_token
from common.words import words_for
from tests.demo.photograph import as_png, photograph
from tests.demo.settings import SlotTerms
from tests.demo.timeline import LANGUAGES, Step, Stretch, Timeline, clock, figure, ledger
from tests.demo.world import DidNotHappen, Terminal, World, _lines

TERMS: Final = SlotTerms(lengths_seconds=(8, 60), warn_before_seconds=(3,))
"""Eight seconds for the story, a minute for whoever wants to try it himself."""

ZONE: Final = ZoneInfo("Asia/Tokyo")
"""The store's, as its pages show it."""

WARNED_SECONDS_MAX: Final = 10.0
"""The warning comes after five; what has not come two seconds after the end comes no more."""

KEY_BYTES: Final = 32

Line = dict[str, Any]

_GAP = {"en": " ", "ja": ""}


class Story:
    """The store opens, a customer comes, three are turned away; `now` is the machine's clock."""

    def __init__(self, world: World, timeline: Timeline, now: Callable[[], int]) -> None:
        self._world, self._timeline, self._now = world, timeline, now
        self._pictures = 0

    def play(self) -> None:
        """Play it from the first process to the last refusal.

        Raises:
            DidNotHappen: a step did not happen as told.
        """
        first, second, offering = self._open_the_store()
        used = self._book(offering)
        lines = self._visit(first, used)
        self._turn_away(first, second, offering, used)
        self._timeline.chapter("How fast it was")
        self._timeline.show(*_figures(lines, from_iso(used["ends_at"])))

    def _open_the_store(self) -> tuple[Terminal, Terminal, str]:
        world, timeline = self._world, self._timeline
        timeline.chapter("The store opens")
        log = world.folder / "controller.log"
        opened = _log_line(world, log, "started")
        facts = {"pages": world.url, "broker_port": world.broker_port}
        what = "opens its books, broker and pages"
        timeline.tell(_step(opened, "controller", what, world.url, **facts))
        with timeline.waiting("two terminals enrol and start"):
            first, second = world.add_terminal(), world.add_terminal()
            offerings = world.wait_until_on_offer(2)
            steps = [*self._registered(first), *self._registered(second)]
        timeline.tell(*steps)
        mine = next(each for each in offerings if each["title"].endswith(" 1"))
        return first, second, mine["offering"]

    def _registered(self, terminal: Terminal) -> list[Step]:
        """Return how a terminal came to be in service, checked against the controller's list."""
        world, log = self._world, terminal.log
        started = _log_line(world, log, "started")
        gate = _log_line(world, log, "gate", is_open=True)
        profile = _log_line(world, log, "service profile taken")
        name = started["terminal"]
        known = world.operator("GET", "/api/v1/terminals")["terminals"]
        mine = next(each for each in known if each["terminal"] == name)
        _expect(mine["standing"], "confirmed", f"standing of {terminal.name}")
        _expect(mine["broker_role"], "service", f"broker's role for {terminal.name}")
        enrolled_at = from_iso(mine["enrolled_at"])
        who = terminal.name
        pid = terminal.agent.pid if terminal.agent is not None else 0
        what = "enrols with a one-time code"
        return [
            Step(at=enrolled_at, who=who, what=what, note=name, facts={"terminal": name}),
            _step(started, who, "starts its agent, which starts its runner", f"pid {pid}", pid=pid),
            _step(gate, who, "is confirmed, and the broker lets it into the service"),
            _step(profile, who, "puts its offering up", devices=profile["devices"]),
        ]

    def _book(self, offering: str) -> Line:
        """Book the nearest slot as any customer does, and return the ticket."""
        self._timeline.chapter("A customer's visit")
        return self._booked(self._world.book(offering))

    def _booked(self, ticket: Line) -> Line:
        _expect(ticket["state"], "confirmed", "state of the reservation")
        line = self._world.wait_for_line(ticket["link"], "reservation.confirmed")
        starts, ends = (
            clock(from_iso(ticket[edge]), ZONE)[:8] for edge in ("starts_at", "ends_at")
        )
        booth = ticket["device"]["number"]
        facts = {"booth": booth, "starts_at": ticket["starts_at"], "ends_at": ticket["ends_at"]}
        note = f"booth {booth}, {starts} to {ends}"
        self._timeline.tell(_step(line, "customer", "books the nearest slot", note, **facts))
        return ticket

    def _visit(self, terminal: Terminal, ticket: Line) -> list[Line]:
        """Go through one whole use, and return its ledger."""
        world, timeline, link = self._world, self._timeline, ticket["link"]
        picture = self._photograph(world.picture(f"/api/v1/tickets/{link}/qr.png"))
        self._wait_until(from_iso(ticket["starts_at"]), "the slot begins")
        self._show(terminal, picture, "holds it up to terminal 1's scanner")
        running = world.wait_for_line(link, "session.running")
        verdict = world.wait_for_verdict(terminal, 0)
        _expect(verdict.get("reason"), None, f"reason of {terminal.name} to open nothing")
        pid = self._the_program()
        self._tell_start(terminal, link, verdict, running, pid)
        with timeline.waiting("left of the session", until_at=from_iso(ticket["ends_at"])):
            warned = world.wait_for_line(link, "session.warned", seconds=WARNED_SECONDS_MAX)
            left = warned["facts"]["seconds_left"]
            what, note = "warns the customer", f"{left:g} s left"
            timeline.tell(_step(warned, terminal.name, what, note, seconds_left=left))
            world.wait_for_line(link, "reservation.completed")
            world.wait_for("the stop to be confirmed", lambda: self._stopped(link))
        self._tell_end(terminal, link, pid)
        return self._ledger(link)

    def _tell_start(
        self, terminal: Terminal, link: str, verdict: Line, running: Line, pid: int
    ) -> None:
        who = terminal.name
        issued = self._world.wait_for_line(link, "right.issued")
        starting = self._world.wait_for_line(link, "session.starting")
        seconds = issued["facts"]["seconds"]
        what, granted = "checks it and grants a session", f"for {seconds} s"
        self._timeline.tell(
            Step(at=issued["facts"]["read_at"], who=who, what="reads the ticket"),
            _step(issued, "controller", what, granted, seconds=seconds),
            _step(starting, who, "writes the session into its journal"),
            _step(verdict, who, "welcomes the customer"),
            _step(running, "program", "runs", f"pid {pid}", pid=pid),
        )

    def _tell_end(self, terminal: Terminal, link: str, pid: int) -> None:
        """Tell how a use ended, having checked the process, the ticket and the session."""
        _expect(self._world.processes("program.py"), [], f"programs that are left of pid {pid}")
        ticket = self._world.api("GET", f"/api/v1/tickets/{link}")
        _expect(ticket["state"], "completed", "state of the reservation")
        _expect(ticket["ticket_state"], "spent", "state of the ticket")
        _expect(ticket["session"]["state"], "ended", "state of the session")
        _expect(ticket["session"]["end_reason"], "time_up", "reason of the end")
        lines = {line["type"]: line for line in self._world.story(link)}
        ended, stopped = lines["session.ended"], lines["command.state"]
        seconds = ended["facts"]["delivered_seconds"]
        what, delivered = "completes the use", f"{seconds} s delivered"
        answer = stopped["facts"]["detail"] or stopped["facts"]["state"]
        self._timeline.tell(
            _step(lines["stop.instructed"], "controller", "instructs the stop: time is up"),
            _step(ended, "program", "is ended and gone", f"pid {pid}", pid=pid),
            _step(stopped, terminal.name, "answers the stop", answer, answer=answer),
            _step(
                *(lines["reservation.completed"], "controller", what, delivered),
                delivered_seconds=seconds,
            ),
        )

    def _stopped(self, link: str) -> bool:
        return any(
            line["type"] == "command.state" and line["facts"]["state"] == "succeeded"
            for line in self._world.story(link)
        )

    def _ledger(self, link: str) -> list[Line]:
        lines = [{**line, "at": from_iso(line["at"])} for line in self._world.story(link)]
        self._timeline.chapter("The ledger")
        self._timeline.show(ledger(sorted(lines, key=lambda line: line["at"]), ZONE))
        return lines

    def _turn_away(self, first: Terminal, second: Terminal, offering: str, used: Line) -> None:
        """Try three tickets that must open nothing, and see that they did not."""
        world = self._world
        self._timeline.chapter("Three who are turned away")
        again = photograph(world.picture(f"/api/v1/tickets/{used['link']}/qr.png"), seed=2)
        self._show(first, as_png(again), "shows the same ticket at terminal 1 again")
        self._refused(first, 1, DenialReason.ALREADY_USED)
        other = self._booked(world.book(offering))
        here = photograph(world.picture(f"/api/v1/tickets/{other['link']}/qr.png"), seed=3)
        self._show(second, as_png(here), "shows a ticket for booth 1 at terminal 2")
        self._refused(second, 0, DenialReason.WRONG_DEVICE)
        forged = photograph(_forged(other["token"]), seed=4)
        self._show(first, as_png(forged), "shows a forged ticket at terminal 1")
        self._refused(first, 2, DenialReason.BAD_SIGNATURE)
        sessions = world.operator("GET", "/api/v1/sessions")["sessions"]
        _expect(len(sessions), 1, "number of sessions after three refusals")
        _expect(world.processes("program.py"), [], "programs that run after three refusals")

    def _refused(self, terminal: Terminal, number: int, reason: DenialReason) -> None:
        verdict = self._world.wait_for_verdict(terminal, number)
        _expect(verdict.get("reason"), reason.value, f"verdict of {terminal.name}")
        told = in_all_languages(reason)
        _expect(f"{verdict['what']} {verdict['next']}", told["en"], "words the customer read")
        facts = {"reason": reason.value, **told}
        self._timeline.tell(_step(verdict, terminal.name, "opens nothing", reason.value, **facts))

    def _photograph(self, png: bytes) -> bytes:
        picture = photograph(png, seed=1)
        what, note = "photographs the ticket", "tilted, soft, noisy, badly lit"
        self._timeline.tell(Step(at=self._now(), who="customer", what=what, note=note))
        return as_png(picture)

    def _show(self, terminal: Terminal, picture: bytes, what: str) -> None:
        self._pictures += 1
        at = self._now()
        terminal.show(picture, f"picture-{self._pictures}")
        facts = {"terminal": terminal.name}
        self._timeline.tell(Step(at=at, who="customer", what=what, facts=facts))

    def _wait_until(self, at: int, what: str) -> None:
        with self._timeline.waiting(f"until {what}", until_at=at):
            while (left_ms := at - self._now()) > 0:
                time.sleep(left_ms / 1000)

    def _the_program(self) -> int:
        running = self._world.processes("program.py")
        _expect(len(running), 1, "number of programs that run")
        return running[0]


def in_all_languages(reason: DenialReason) -> dict[str, str]:
    """Return what a customer is told, by language."""
    told = {language: words_for(reason, language) for language in LANGUAGES}
    return {
        language: f"{words.what}{_GAP[language]}{words.next}" for language, words in told.items()
    }


def _figures(lines: list[Line], ends_at: int) -> list[Text]:
    """Return how fast it was; each instant is the one that the ledger holds."""
    at = {line["type"]: line["at"] for line in lines}
    read_at = next(line["facts"]["read_at"] for line in lines if line["type"] == "right.issued")
    names = ("checked and granted", "journalled", "started")
    instants = (read_at, at["right.issued"], at["session.starting"], at["session.running"])
    start = [
        Stretch(name=name, milliseconds=after - before)
        for name, (before, after) in zip(names, itertools.pairwise(instants), strict=True)
    ]
    end = [Stretch(name="ended and seen to be gone", milliseconds=at["session.ended"] - ends_at)]
    scale_ms = max(1, instants[-1] - instants[0], end[0].milliseconds)
    return [
        figure("ticket read → program running", start, scale_ms=scale_ms),
        figure("end of the slot → program gone", end, scale_ms=scale_ms),
    ]


def _forged(token: str) -> bytes:
    """Return the picture of a ticket that is right in all but its signature."""
    forged = seal_token(read_token(token).token, new_signing_key(os.urandom(KEY_BYTES)))
    return ticket_png(forged, module_pixels=PNG_MODULE_PIXELS)


def _step(line: Mapping[str, Any], who: str, what: str, note: str = "", **facts: object) -> Step:
    """Return the step that a line of the ledger or of a log is, at its own instant."""
    at = line["at"] if "at" in line else line["timestamp"]
    return Step(at=from_iso(at), who=who, what=what, note=note, facts=facts)


def _log_line(world: World, log: Path, event: str, **having: object) -> Line:
    """Return the first line of a log that says this, once it is there."""

    def line() -> Line | None:
        said = (each for each in _lines(log) if each.get("event") == event)
        return next((each for each in said if having.items() <= each.items()), None)

    found: Line = world.wait_for(f"{event!r} in {log.name}", line)
    return found


def _expect(found: object, told: object, what: str) -> None:
    if found != told:
        message = f"the {what} should be {told!r} and is {found!r}"
        raise DidNotHappen(message)
