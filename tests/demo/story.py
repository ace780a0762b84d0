"""A terminal is let in, customers play, three are turned away: each step is checked."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

from rich.text import Text

from cloud_controller.web.routes import from_iso
from common.rules.tickets import DenialReason
from common.seals import read_token
from tests.demo.line_down import LineDown
from tests.demo.packages import Packages
from tests.demo.photograph import as_png, photograph
from tests.demo.registration import Admission, Registration
from tests.demo.settings import SlotTerms
from tests.demo.telling import Line, Teller, forged, step_of
from tests.demo.timeline import Step, Stretch, Timeline, clock, figure, ledger
from tests.demo.world import Terminal, World, expect

TERMS: Final = SlotTerms(lengths_seconds=(8, 60), warn_before_seconds=(3,))
"""Eight seconds for the story, a minute for whoever wants to try it himself."""

ZONE: Final = ZoneInfo("Asia/Tokyo")
"""The store's, as its pages show it."""

WARNED_SECONDS_MAX: Final = 10.0
"""The warning comes after five; what has not come two seconds after the end comes no more."""


class Story:
    """From the first process to the last word; `now` is the machine's clock."""

    def __init__(self, world: World, timeline: Timeline, now: Callable[[], int]) -> None:
        self._world, self._timeline, self._now = world, timeline, now
        self._teller = Teller(world, timeline, now)

    def play(self) -> None:
        """Play it from the first process to the last word.

        Raises:
            DidNotHappen: a step did not happen as told.
        """
        registration = Registration(self._teller)
        packages = Packages(self._teller)
        self._open_the_store()
        packages.publish()
        first, admission = registration.admit_first()
        second = registration.admit_second(packages)
        offering, other = (
            each["offering"]
            for each in sorted(self._world.wait_until_on_offer(2), key=lambda each: each["title"])
        )
        used = self._book(offering)
        lines = self._visit(first, used)
        self._turn_away(first, second, offering, used)
        self._timeline.chapter("Nobody can be asked")
        LineDown(self._teller).play(second, self._booked(self._world.book(other)))
        registration.suspend_and_resume(second)
        self._timeline.chapter("A licence that counts right")
        packages.match()
        packages.take_off(second)
        self._timeline.chapter("How fast it was")
        self._timeline.show(*_figures(admission, lines, from_iso(used["ends_at"])))

    def _open_the_store(self) -> None:
        world = self._world
        self._timeline.chapter("The store opens")
        opened = world.wait_for_log(world.folder / "controller.log", "started")
        facts = {"pages": world.url, "broker_port": world.broker_port}
        what = "opens its books, broker and pages"
        self._timeline.tell(step_of(opened, "controller", what, world.url, **facts))

    def _book(self, offering: str) -> Line:
        """Book the nearest slot as any customer does, and return the ticket."""
        self._timeline.chapter("A customer's visit")
        return self._booked(self._world.book(offering))

    def _booked(self, ticket: Line) -> Line:
        expect(ticket["state"], "confirmed", "state of the reservation")
        line = self._world.wait_for_line(ticket["link"], "reservation.confirmed")
        starts, ends = (
            clock(from_iso(ticket[edge]), ZONE)[:8] for edge in ("starts_at", "ends_at")
        )
        booth = ticket["device"]["number"]
        facts = {"booth": booth, "starts_at": ticket["starts_at"], "ends_at": ticket["ends_at"]}
        note = f"booth {booth}, {starts} to {ends}"
        self._timeline.tell(step_of(line, "customer", "books the nearest slot", note, **facts))
        return ticket

    def _visit(self, terminal: Terminal, ticket: Line) -> list[Line]:
        """Go through one whole use, and return its ledger."""
        world, timeline, link = self._world, self._timeline, ticket["link"]
        picture = self._photograph(world.picture(f"/api/v1/tickets/{link}/qr.png"))
        self._wait_until(from_iso(ticket["starts_at"]), "the slot begins")
        number = self._teller.show(terminal, picture, "holds it up to terminal 1's scanner")
        running = world.wait_for_line(link, "session.running")
        verdict = world.wait_for_verdict(terminal, number)
        expect(verdict.get("reason"), None, f"reason of {terminal.name} to open nothing")
        pid = self._the_program()
        self._tell_start(terminal, link, verdict, running, pid)
        with timeline.waiting("left of the session", until_at=from_iso(ticket["ends_at"])):
            warned = world.wait_for_line(link, "session.warned", seconds=WARNED_SECONDS_MAX)
            left = warned["facts"]["seconds_left"]
            what, note = "warns the customer", f"{left:g} s left"
            timeline.tell(step_of(warned, terminal.name, what, note, seconds_left=left))
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
            step_of(issued, "controller", what, granted, seconds=seconds),
            step_of(starting, who, "writes the session into its journal"),
            step_of(verdict, who, "welcomes the customer"),
            step_of(running, "program", "runs", f"pid {pid}", pid=pid),
        )

    def _tell_end(self, terminal: Terminal, link: str, pid: int) -> None:
        """Tell how a use ended, having checked the process, the ticket and the session."""
        expect(self._world.processes("program.py"), [], f"programs that are left of pid {pid}")
        ticket = self._world.api("GET", f"/api/v1/tickets/{link}")
        expect(ticket["state"], "completed", "state of the reservation")
        expect(ticket["ticket_state"], "spent", "state of the ticket")
        expect(ticket["session"]["state"], "ended", "state of the session")
        expect(ticket["session"]["end_reason"], "time_up", "reason of the end")
        lines = {line["type"]: line for line in self._world.story(link)}
        ended, stopped = lines["session.ended"], lines["command.state"]
        seconds = ended["facts"]["delivered_seconds"]
        what, delivered = "completes the use", f"{seconds} s delivered"
        answer = stopped["facts"]["detail"] or stopped["facts"]["state"]
        self._timeline.tell(
            step_of(lines["stop.instructed"], "controller", "instructs the stop: time is up"),
            step_of(ended, "program", "is ended and gone", f"pid {pid}", pid=pid),
            step_of(stopped, terminal.name, "answers the stop", answer, answer=answer),
            step_of(
                *(lines["reservation.completed"], "controller", what, delivered),
                delivered_seconds=seconds,
            ),
            self._given(link, seconds),
        )

    def _given(self, link: str, seconds: float) -> Step:
        """Return what the ticket shows of the use, having checked that nothing is missing."""
        told = self._world.api("GET", f"/api/v1/tickets/{link}/timeline")
        given = told["given"]
        parts = given["delivered_seconds"] + given["left_seconds"] + given["lost_seconds"]
        missing = round(given["promised_seconds"] - parts, 2)
        expect(given["delivered_seconds"], seconds, "seconds that the ticket says were given")
        expect(missing, 0.0, "seconds that are missing")
        kinds = [moment["kind"] for moment in told["moments"]]
        expect(kinds.count("stopped"), 1, "ends that the customer is told of")
        note = f"{seconds} s of {given['promised_seconds']} s"
        facts = {"given": given, "moments": kinds}
        return Step(
            at=self._now(), who="customer", what="sees what he was given", note=note, facts=facts
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
        world, teller = self._world, self._teller
        self._timeline.chapter("Three who are turned away")
        again = photograph(world.picture(f"/api/v1/tickets/{used['link']}/qr.png"), seed=2)
        number = teller.show(first, as_png(again), "shows the same ticket at terminal 1 again")
        teller.refused(first, number, DenialReason.ALREADY_USED)
        other = self._booked(world.book(offering))
        here = photograph(world.picture(f"/api/v1/tickets/{other['link']}/qr.png"), seed=3)
        number = teller.show(second, as_png(here), "shows a ticket for booth 1 at terminal 2")
        teller.refused(second, number, DenialReason.WRONG_DEVICE)
        false = photograph(forged(read_token(other["token"]).token), seed=4)
        number = teller.show(first, as_png(false), "shows a forged ticket at terminal 1")
        teller.refused(first, number, DenialReason.BAD_SIGNATURE)
        sessions = world.operator("GET", "/api/v1/sessions")["sessions"]
        expect(len(sessions), 1, "number of sessions after three refusals")
        expect(world.processes("program.py"), [], "programs that run after three refusals")

    def _photograph(self, png: bytes) -> bytes:
        picture = photograph(png, seed=1)
        what, note = "photographs the ticket", "tilted, soft, noisy, badly lit"
        self._timeline.tell(Step(at=self._now(), who="customer", what=what, note=note))
        return as_png(picture)

    def _wait_until(self, at: int, what: str) -> None:
        with self._timeline.waiting(f"until {what}", until_at=at):
            while (left_ms := at - self._now()) > 0:
                time.sleep(left_ms / 1000)

    def _the_program(self) -> int:
        running = self._world.processes("program.py")
        expect(len(running), 1, "number of programs that run")
        return running[0]


def _figures(admission: Admission, lines: list[Line], ends_at: int) -> list[Text]:
    """Return how fast it was; each instant is the one that books, logs or ledger hold."""
    at = {line["type"]: line["at"] for line in lines}
    read_at = next(line["facts"]["read_at"] for line in lines if line["type"] == "right.issued")
    names = ("checked and granted", "journalled", "started")
    instants = (read_at, at["right.issued"], at["session.starting"], at["session.running"])
    start = [
        Stretch(name=name, milliseconds=after - before)
        for name, (before, after) in zip(names, itertools.pairwise(instants), strict=True)
    ]
    end = [Stretch(name="ended and seen to be gone", milliseconds=at["session.ended"] - ends_at)]
    admitted = admission.stretches()
    whole_ms = (sum(each.milliseconds for each in part) for part in (admitted, start, end))
    scale_ms = max(1, *whole_ms)
    return [
        figure("operator's word → on the page", admitted, scale_ms=scale_ms),
        figure("ticket read → program running", start, scale_ms=scale_ms),
        figure("end of the slot → program gone", end, scale_ms=scale_ms),
    ]
