"""A terminal is closed until an operator has looked at it, and closed again at a word of his."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.web.routes import from_iso
from common.rules.tickets import DenialReason
from common.seals import TicketToken
from tests.demo.packages import Packages
from tests.demo.photograph import as_png, photograph
from tests.demo.telling import Line, Teller, forged, step_of
from tests.demo.timeline import Step, Stretch
from tests.demo.world import STORE, Terminal, expect

OFF_THE_PAGE_MS_MAX: Final = 1_000
"""From the operator's word until nothing of a suspended terminal is offered."""

GIB: Final = 2**30

SHOWN: Final = ("memory", "displays")
"""What is told of the first section of `explain`; of the others, everything."""


@dataclass(frozen=True, kw_only=True)
class Admission:
    """The instants between the operator's word and the page, each written by who did it."""

    confirmed_at: int
    opened_at: int
    generated_at: int
    stored_at: int
    offered_at: int

    def stretches(self) -> list[Stretch]:
        """Return where the time has gone."""
        instants = (
            *(self.confirmed_at, self.opened_at, self.generated_at),
            *(self.stored_at, self.offered_at),
        )
        names = ("opened", "profile", "stored", "offered")
        return [
            Stretch(name=name, milliseconds=after - before)
            for name, (before, after) in zip(names, itertools.pairwise(instants), strict=True)
        ]


class Registration:
    """How terminals come into service and leave it, each step checked against books and logs."""

    def __init__(self, teller: Teller) -> None:
        self._teller, self._world = teller, teller.world
        self._tell, self._now = teller.timeline.tell, teller.now

    def admit_first(self) -> tuple[Terminal, Admission]:
        """Let a terminal come, wait before its gate, be looked at and be let in."""
        self._teller.timeline.chapter("A terminal comes, and stays closed")
        terminal = self._enrolled()
        known = self._pending(terminal)
        self._tell(*self._arrival(terminal, known))
        self._stays_closed(terminal, known)
        self._teller.timeline.chapter("The operator looks, and lets it in")
        self._look(known["terminal"])
        admission = self._let_in(terminal, known)
        return terminal, admission

    def admit_second(self, packages: Packages) -> Terminal:
        """Let another terminal come in the same way, whose program comes with a module."""
        terminal = self._enrolled(packages.furnish)
        known = self._pending(terminal)
        self._tell(self._enrolment(terminal, known))
        admission = self._confirm(terminal, known)
        number = self._device_of(known)["number"]
        confirmed = Step(
            at=admission.confirmed_at, who="operator", what=f"confirms {terminal.name}"
        )
        self._tell(confirmed)
        packages.tell_install(terminal)
        self._wait_for_offer(known, is_offered=True)
        offered_at = self._device_of(known)["changed_at"]
        what = f"puts booth {number} on the page"
        self._tell(Step(at=offered_at, who="controller", what=what))
        return terminal

    def suspend_and_resume(self, terminal: Terminal) -> None:
        """Shut a terminal out with one word, and let it in again with another."""
        self._teller.timeline.chapter("A word shuts a terminal out")
        known = self._known(terminal)
        self._suspend(terminal, known)
        self._resume(terminal, known)

    def _enrolled(self, furnish: Callable[[Terminal], None] = lambda _: None) -> Terminal:
        """Return a new terminal that has enrolled with a code and runs."""
        world = self._world
        with self._teller.timeline.waiting("a terminal enrols and starts"):
            terminal = world.new_terminal()
            furnish(terminal)
            code = world.ask_controller("enrol-code", "--store", STORE).strip()
            world.enrol(terminal, code)
            world.start_agent(terminal)
            world.wait_for_log(terminal.log, "started")
        return terminal

    def _pending(self, terminal: Terminal) -> Line:
        """Return what the controller knows of a terminal, once it waits for the operator."""
        look = self._world.wait_for

        def waiting() -> Line | None:
            known = self._known(terminal)
            return known if known["standing"] == "pending" else None

        return dict(look(f"{terminal.name} to say what it is", waiting))

    def _known(self, terminal: Terminal) -> Line:
        name = self._world.wait_for_log(terminal.log, "started")["terminal"]
        return dict(self._world.operator("GET", f"/api/v1/terminals/{name}"))

    def _arrival(self, terminal: Terminal, known: Mapping[str, Any]) -> list[Step]:
        """Return how a terminal came to stand before its gate."""
        who, world = terminal.name, self._world
        made_at = self._audited("enrolment_code.made", STORE)
        started = world.wait_for_log(terminal.log, "started")
        pid = terminal.agent.pid if terminal.agent is not None else 0
        said = known["specification"]
        return [
            Step(
                at=made_at, who="operator", what="makes a code", note="for one PC, for 15 minutes"
            ),
            self._enrolment(terminal, known),
            step_of(
                started, who, "starts its agent, which starts its runner", f"pid {pid}", pid=pid
            ),
            Step(
                at=from_iso(known["specified_at"]),
                who=who,
                what="says what it is",
                note=_in_few_words(said),
                facts={"digest": said["digest"], "gate_digest": said["gate_digest"]},
            ),
        ]

    def _enrolment(self, terminal: Terminal, known: Mapping[str, Any]) -> Step:
        started = self._world.wait_for_log(terminal.log, "started")
        name, epoch = known["terminal"], started["epoch"]
        row = self._world.books("SELECT epoch FROM terminals WHERE terminal_id = ?", name)[0]
        expect(epoch, row["epoch"], f"epoch of {terminal.name}")
        return Step(
            at=from_iso(known["enrolled_at"]),
            who=terminal.name,
            what="enrols with a one-time code",
            note=f"epoch {epoch[:8]}",
            facts={"terminal": name, "epoch": epoch},
        )

    def _stays_closed(self, terminal: Terminal, known: Mapping[str, Any]) -> None:
        """See that a terminal that waits opens nothing, offers nothing and was given nothing."""
        expect(known["broker_role"], "gate", f"broker's role for {terminal.name}")
        picture = photograph(forged(_a_ticket(self._now())), seed=5)
        what = f"holds a ticket up to {terminal.name}'s scanner"
        number = self._teller.show(terminal, as_png(picture), what)
        self._teller.refused(terminal, number, DenialReason.NOT_REGISTERED)
        at = self._now()
        expect(self._world.api("GET", "/api/v1/offerings")["offerings"], [], "list of offerings")
        shown = self._world.picture("/?lang=en").count(b"Racing seat")
        expect(shown, 0, "number of its seats on the page")
        expect(self._given(known), 0, "number of devices and profiles made for it")
        self._tell(Step(at=at, who="customer", what="finds nothing of it on the page"))

    def _given(self, known: Mapping[str, Any]) -> int:
        """Return how many rows of service information there are for a terminal."""
        name = known["terminal"]
        return sum(
            len(self._world.books(f"SELECT 1 FROM {table} WHERE terminal_id = ?", name))  # noqa: S608 - the two names below
            for table in ("devices", "profiles")
        )

    def _look(self, name: str) -> None:
        """Have the operator look at a terminal, by the command that he has for it."""
        at = self._now()
        told = self._world.ask_controller("explain", name)
        what = "looks:  cloud-controller explain"
        lines = tuple(_essence(told))
        step = Step(at=at, who="operator", what=what, lines=lines, facts={"told": list(lines)})
        self._tell(step)

    def _let_in(self, terminal: Terminal, known: Mapping[str, Any]) -> Admission:
        admission = self._confirm(terminal, known)
        row = self._profile_of(known)
        device = self._device_of(known)
        digest = row["profile_digest"]
        made = f"1 program, 1 device, {digest[:8]}"
        on_page = f"puts booth {device['number']} on the page"
        self._tell(
            Step(at=admission.confirmed_at, who="operator", what="confirms it"),
            Step(at=admission.opened_at, who=terminal.name, what="opens its gate, and asks"),
            Step(
                at=admission.generated_at,
                who="controller",
                what="makes its service profile",
                note=made,
                facts={"profile_digest": digest},
            ),
            Step(at=admission.stored_at, who=terminal.name, what="stores it, and offers its seat"),
            Step(at=admission.offered_at, who="controller", what=on_page),
        )
        return admission

    def _confirm(self, terminal: Terminal, known: Mapping[str, Any]) -> Admission:
        """Say the operator's word for what was looked at, and wait until it is on the page."""
        world = self._world
        self._say(known, "confirm", "seen by me", gate_digest=known["gate_digest"])
        self._wait_for_offer(known, is_offered=True)
        opened = world.wait_for_log(terminal.log, "role", role="service")
        stored = world.wait_for_log(terminal.log, "service profile taken")
        expect(self._known(terminal)["broker_role"], "service", f"role of {terminal.name}")
        return Admission(
            confirmed_at=self._audited("registration.confirmed", known["terminal"]),
            opened_at=from_iso(opened["timestamp"]),
            generated_at=self._profile_of(known)["generated_at"],
            stored_at=from_iso(stored["timestamp"]),
            offered_at=self._device_of(known)["changed_at"],
        )

    def _suspend(self, terminal: Terminal, known: Mapping[str, Any]) -> None:
        reason = "the seat creaks"
        self._say(known, "suspend", reason)
        seen_at = self._wait_for_offer(known, is_offered=False)
        closed = self._world.wait_for_log(terminal.log, "role", role="gate")
        said_at = self._audited("registration.suspended", known["terminal"])
        too_long_ms = max(0, seen_at - said_at - OFF_THE_PAGE_MS_MAX)
        expect(
            too_long_ms, 0, f"milliseconds over {OFF_THE_PAGE_MS_MAX} that it stayed on the page"
        )
        self._tell(
            Step(at=said_at, who="operator", what=f"suspends {terminal.name}", note=reason),
            Step(at=seen_at, who="customer", what="finds its seat off the page"),
            step_of(closed, terminal.name, "closes its gate"),
        )

    def _resume(self, terminal: Terminal, known: Mapping[str, Any]) -> None:
        reason = "it is oiled"
        self._say(known, "resume", reason)
        seen_at = self._wait_for_offer(known, is_offered=True)
        said_at = self._audited("registration.confirmed", known["terminal"])
        self._tell(
            Step(at=said_at, who="operator", what=f"resumes {terminal.name}", note=reason),
            Step(at=seen_at, who="customer", what="finds its seat on the page again"),
        )

    def _say(self, known: Mapping[str, Any], event: str, reason: str, **seen: str) -> None:
        path = f"/api/v1/terminals/{known['terminal']}/standing"
        self._world.operator("POST", path, {"event": event, "reason": reason, **seen})

    def _wait_for_offer(self, known: Mapping[str, Any], *, is_offered: bool) -> int:
        """Return when the page was seen to say so of a terminal's seat."""
        title = known["specification"]["devices"][0]["title"].replace("Booth", "Racing seat")

        def looked() -> bool:
            found = self._world.api("GET", "/api/v1/offerings")["offerings"]
            return (title in {each["title"] for each in found}) is is_offered

        self._world.wait_for(f"{title} to be {'on' if is_offered else 'off'} the page", looked)
        return self._now()

    def _audited(self, act: str, subject: str) -> int:
        """Return when this was done last, as the audit has it."""
        query = "SELECT max(at) AS at FROM audit WHERE act = ? AND subject = ?"
        at: int = self._world.books(query, act, subject)[0]["at"]
        return at

    def _profile_of(self, known: Mapping[str, Any]) -> Any:
        return self._world.books("SELECT * FROM profiles WHERE terminal_id = ?", known["terminal"])[
            0
        ]

    def _device_of(self, known: Mapping[str, Any]) -> Any:
        query = "SELECT * FROM devices JOIN offered_devices USING (device_id) WHERE terminal_id = ?"
        return self._world.books(query, known["terminal"])[0]


def _a_ticket(now: int) -> TicketToken:
    """Return a ticket as any customer might have one."""
    return TicketToken(
        key_id=1,
        store_number=1,
        ticket=os.urandom(8).hex(),
        device_number=1,
        starts_at=now // 1000 * 1000,
        length_seconds=8,
        revision=0,
    )


def _in_few_words(said: Mapping[str, Any]) -> str:
    """Return what a specification says, as much as fits a line."""
    memory, displays = said["machine"]["memory_bytes"], said["machine"]["displays"]
    programs = ", ".join(each["program"] for each in said["programs"])
    return ", ".join(
        (
            f"{memory / GIB:.1f} GiB" if memory is not None else "memory unknown",
            "displays unknown" if displays is None else f"displays: {len(displays)}",
            f"has {programs}",
        )
    )


def _essence(told: str) -> list[str]:
    """Return what matters most of what `explain` prints."""
    _, first, *rest = (section.splitlines() for section in told.split("\n\n"))
    facts = [line for line in first if line.split()[:1] and line.split()[0] in SHOWN]
    return [line.rstrip() for line in itertools.chain(facts, *rest) if line.strip()]
