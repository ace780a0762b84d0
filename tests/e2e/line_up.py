"""One rogue for each standing there is, all of them listening while a store lives before them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from common.system import SystemClock, SystemNames
from common.topics import CONTROLLER_STATE, WITH_A_TAIL, BrokerRole, Channel
from edge_agent.enrolment.keys import kept_key
from edge_agent.flows import enrolment
from edge_agent.opened import open_journal
from edge_agent.settings import AgentSettings
from tests.demo.world import SlotTerms, Terminal
from tests.e2e.customer import SHORT, begin, kill, offering_of, settles
from tests.e2e.open_world import OpenWorld, an_open_world
from tests.e2e.rogue import SAID_UP, Account, Pc, Rogue, a_specification, topic

LONG: Final = SlotTerms(lengths_seconds=(60,), grid_seconds=1)
"""A use that is still there when everything has been tried."""

MARK: Final = b"the mark of what is for the confirmed alone"


class Standing(StrEnum):
    """Where a terminal stands that a rogue speaks for; two of them are no word of the registry."""

    CLAIMED = "claimed"
    PENDING = "pending"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    RETIRED = "retired"
    OLD_EPOCH = "old epoch"
    SETTLING = "settling"
    CONFIRMED = "confirmed"


SHUT_OUT: Final = frozenset({Standing.RETIRED, Standing.OLD_EPOCH})
"""Whom the broker does not even let in."""

ROLE_OF: Final = {
    **dict.fromkeys(Standing, BrokerRole.GATE),
    Standing.SETTLING: BrokerRole.SETTLING,
    Standing.CONFIRMED: BrokerRole.SERVICE,
}

AT_THE_GATE: Final = frozenset({Channel.REGISTRATION})
WHILE_SETTLING: Final = AT_THE_GATE | {Channel.ACKS, Channel.COMMANDS}
DOWN: Final = tuple(channel for channel in Channel if not channel.is_up)
UP: Final = tuple(channel for channel in Channel if channel.is_up)

HEARS: Final = {
    **dict.fromkeys(Standing, AT_THE_GATE),
    **dict.fromkeys(SHUT_OUT, frozenset[Channel]()),
    Standing.SETTLING: WHILE_SETTLING,
    Standing.CONFIRMED: frozenset(DOWN),
}
"""What may ever be delivered, said here once more and by hand: `OPEN_TO` is what is tried."""


@dataclass(kw_only=True)
class Suspect:
    """A rogue of one standing, and what it was answered to all it tried."""

    standing: Standing
    pc: Pc
    rogue: Rogue
    filters: dict[str, str] = field(default_factory=dict)
    said: dict[tuple[str, Channel], str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class LineUp:
    """All of them at once, and who is honest among them.

    Attributes:
        honest: a confirmed terminal that runs our own agent.
        auditor: who may say at the broker whatever the controller may.
        witness: who may hear there whatever the controller may.
        offering: what the honest terminal offers.
        marks: words that no answer may hold which is not for the confirmed.
    """

    world: OpenWorld
    honest: str
    auditor: Rogue
    witness: Account
    suspects: dict[Standing, Suspect]
    offering: str
    marks: tuple[str, ...]


@contextmanager
def a_line_up() -> Iterator[LineUp]:
    """Have one rogue of each standing listen, ask and speak while a customer is served."""
    with an_open_world(policy="manual") as world, ExitStack() as stack:
        honest, settling = a_store(world)
        told = {Standing.SETTLING: stolen(settling)} | {
            standing: enrolled(world, standing, address=f"127.0.0.{10 + number}")
            for number, standing in enumerate(Standing)
            if standing is not Standing.SETTLING
        }
        suspects = {
            standing: Suspect(
                standing=standing, pc=pc, rogue=stack.enter_context(Rogue(pc.account))
            )
            for standing, pc in told.items()
        }
        auditor = stack.enter_context(Rogue(world.auditor()))
        made = LineUp(
            world=world,
            honest=honest,
            auditor=auditor,
            witness=world.auditor("witness"),
            suspects=suspects,
            offering=offering_of(world, world.terminals[0]),
            marks=(honest, world.known(honest)["gate_digest"], "rusuban/v1/t-"),
        )
        for suspect in suspects.values():
            listen(suspect, made)
        for suspect in suspects.values():
            speak(suspect, made)
        serve(made)
        yield made


def a_store(world: OpenWorld) -> tuple[str, Terminal]:
    """Return a confirmed terminal's id, and a terminal whose session outlives its registration."""
    terminals = []
    for terms in (SHORT, LONG):
        world.terms = terms
        terminal = world.add_terminal()
        known = world.wait_for("the specification", lambda: pending(world))
        world.word(known, "confirm")
        terminals.append((known, terminal))
    (honest, _), (leaving, settling) = terminals
    begin(world, settling)
    world.word(leaving, "suspend")
    assert world.known(leaving)["broker_role"] == BrokerRole.SETTLING
    assert settling.agent is not None
    kill([settling.agent.pid])
    settling.agent.wait()
    world.terms = SHORT
    return honest, settling


def pending(world: OpenWorld) -> str | None:
    """Return a terminal that waits for the operator's word."""
    known = world.operator("GET", "/api/v1/terminals")["terminals"]
    return next((each["terminal"] for each in known if each["standing"] == "pending"), None)


def stolen(terminal: Terminal) -> Pc:
    """Return the identity of a terminal, as a thief finds it on its disk."""
    settings = AgentSettings.load(terminal.settings)
    with closing(open_journal(settings, SystemClock(), SystemNames())) as journal:
        who = journal.transact(enrolment.identity)
    assert who is not None
    account = Account(
        host=who.broker_host, port=who.broker_port, name=who.terminal, secret=who.secret
    )
    key = kept_key(settings.state_folder, os.urandom).private
    return Pc(key=key, terminal=who.terminal, epoch=who.epoch, account=account)


def enrolled(world: OpenWorld, standing: Standing, *, address: str) -> Pc:
    """Return a PC of our own that has come to stand there; it calls from that address."""
    pc = world.enrol_by_hand(address=address)
    if standing is Standing.CLAIMED:
        return pc
    world.specify(pc, a_specification())
    world.wait_for_standing(pc.terminal, "pending")
    match standing:
        case Standing.REJECTED:
            world.word(pc.terminal, "reject")
        case Standing.SUSPENDED | Standing.RETIRED | Standing.OLD_EPOCH | Standing.CONFIRMED:
            world.word(pc.terminal, "confirm")
        case _:
            pass
    match standing:
        case Standing.SUSPENDED:
            world.word(pc.terminal, "suspend")
        case Standing.RETIRED:
            world.word(pc.terminal, "retire")
        case Standing.OLD_EPOCH:
            world.enrol_by_hand(again=pc, address=address)
        case _:
            pass
    return pc


def filters_tried(own: str, other: str) -> list[str]:
    """Return every way to ask for more than is one's own, and for all of that."""
    exact = [
        f"rusuban/v1/{whose}/{channel}" + ("/#" if channel in WITH_A_TAIL else "")
        for whose in (own, other)
        for channel in Channel
    ]
    wild = [
        *("#", "+/#", "+/+/+/+/+/+", "rusuban/#", "rusuban/v1/#", "rusuban/v1/+/+/down/+"),
        *("$SYS/#", "$CONTROL/#", "$CONTROL/dynamic-security/v1/response", CONTROLLER_STATE),
        *(f"rusuban/v1/{whose}/#" for whose in (own, other)),
        *(f"rusuban/v1/{whose}/service/down/#" for whose in (own, other)),
    ]
    shared = [f"$share/x/{each}" for each in [*exact, *wild] if not each.startswith("$")]
    return [*exact, *wild, *shared]


def listen(suspect: Suspect, line_up: LineUp) -> None:
    """Subscribe to everything there is."""
    tried = filters_tried(suspect.pc.terminal, line_up.honest)
    suspect.filters = dict(zip(tried, suspect.rogue.hears(*tried), strict=True))


def speak(suspect: Suspect, line_up: LineUp) -> None:
    """Say everything there is, as oneself and as another, and see what becomes of it."""
    before = line_up.world.tables()
    for (channel, kind), message in SAID_UP.items():
        if (channel, suspect.standing) == (Channel.SPECIFICATION, Standing.CLAIMED):
            continue  # by that word it would stand elsewhere
        for whose in (suspect.pc.terminal, line_up.honest):
            payload = suspect.pc.says(message, seq=1, whose=whose)
            answer = suspect.rogue.says(topic(whose, channel, kind), payload)
            suspect.said[whose, channel] = answer
    line_up.world.settle()
    after = line_up.world.tables()
    suspect.changed = {table for table in after if after[table] != before[table]}


def serve(line_up: LineUp) -> None:
    """Serve a customer at the honest terminal, and say on every channel what only some may hear."""
    world = line_up.world
    settles(world, begin(world, world.terminals[0]))
    for whose in (*(each.pc.terminal for each in line_up.suspects.values()), line_up.honest):
        for channel in DOWN:
            line_up.auditor.says(topic(whose, channel), MARK)
    for suspect in line_up.suspects.values():
        suspect.rogue.hears(topic(suspect.pc.terminal, Channel.REGISTRATION))
