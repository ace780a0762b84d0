"""The chapter in which nobody can be asked: a terminal opens what it holds, and tells it later."""

from __future__ import annotations

import signal
import time
from typing import Any

from cloud_controller.web.routes import from_iso
from tests.demo.photograph import as_png, photograph
from tests.demo.telling import Line, Teller, step_of
from tests.demo.timeline import Step
from tests.demo.world import Terminal, expect

HELD = """SELECT h.state FROM held_tickets AS h JOIN tickets AS t USING (ticket_id)
    JOIN reservations AS r USING (reservation_id) WHERE r.link = ?"""


class LineDown:
    """A ticket is bought, the controller dies, the ticket opens its device, and all is settled."""

    def __init__(self, teller: Teller) -> None:
        self._teller, self._world = teller, teller.world

    def play(self, terminal: Terminal, ticket: Line) -> None:
        """Play it with a ticket for this terminal that was just booked.

        Raises:
            DidNotHappen: a step did not happen as told.
        """
        world, link = self._world, ticket["link"]
        held = world.wait_for("the ticket to be held", lambda: world.books(HELD, link))
        expect(held[0]["state"], "held", "hold on the ticket")
        self._tell(terminal.name, "takes the ticket over: it alone may redeem it now")
        picture = as_png(photograph(world.picture(f"/api/v1/tickets/{link}/qr.png"), seed=5))
        self._kill_the_controller(terminal)
        self._wait_until(from_iso(ticket["starts_at"]))
        number = self._teller.show(terminal, picture, f"holds it up to {terminal.name}'s scanner")
        verdict = world.wait_for_verdict(terminal, number)
        expect(verdict.get("reason"), None, f"reason of {terminal.name} to open nothing")
        expect(str(verdict["alone"]), "True", "answer given alone")
        (pid,) = world.wait_for("the program to run", lambda: world.processes("program.py"))
        opens = step_of(verdict, terminal.name, "opens the device by itself", f"pid {pid}", pid=pid)
        self._teller.timeline.tell(opens)
        world.start_controller()
        self._tell("controller", "is back")
        self._settle(terminal, link)

    def _kill_the_controller(self, terminal: Terminal) -> None:
        world = self._world
        assert world.controller is not None
        world.controller.send_signal(signal.SIGKILL)
        world.controller.wait()
        self._tell("controller", "dies, and its broker with it", "kill -9")
        said = world.wait_for_log(terminal.log, "line", mode="alone")
        words = {"en": f"{said['what']} {said['next']}"}
        self._teller.timeline.tell(step_of(said, terminal.name, "says so honestly", **words))

    def _settle(self, terminal: Terminal, link: str) -> None:
        """Tell that the use is in the books, once, and see it to its end."""
        world = self._world
        admitted = world.wait_for_line(link, "session.admitted")
        running = world.wait_for_line(link, "session.running")
        what = "tells what it did meanwhile"
        told = self._noticed(terminal.name, what, f"{admitted['facts']['admission']} ticket")
        entered = self._noticed("controller", "enters it, once: the ticket is spent")
        self._teller.timeline.tell(told, entered)
        order = sorted((admitted, running), key=lambda line: from_iso(line["at"]))
        expect(order[0]["type"], "session.admitted", "first of the two")
        done = world.wait_for_line(link, "reservation.completed")
        kinds = [line["type"] for line in world.story(link)]
        expect(kinds.count("session.running"), 1, "number of uses")
        self._teller.timeline.tell(step_of(done, "controller", "completes the use"))

    def _wait_until(self, at: int) -> None:
        with self._teller.timeline.waiting("until the slot begins", until_at=at):
            while (left_ms := at - self._teller.now()) > 0:
                time.sleep(left_ms / 1000)

    def _tell(self, who: str, what: str, note: str = "") -> None:
        self._teller.timeline.tell(self._noticed(who, what, note))

    def _noticed(self, who: str, what: str, note: str = "", **facts: Any) -> Step:
        """Return a step that nobody wrote down: its instant is when it was noticed."""
        return Step(at=self._teller.now(), who=who, what=what, note=note, facts=facts)
