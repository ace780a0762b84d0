"""A stolen, copied, forged or ended identity opens nothing, and somebody is told of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest

from cloud_controller.web.routes import from_iso
from common.codec import Envelope, write
from common.messages.registration import Presence, StandingTold
from common.rules.presence import LineMode
from common.rules.problems import ProblemKind
from common.topics import Channel
from tests.demo.world import STORE, Terminal
from tests.e2e.customer import (
    SHORT,
    begin,
    ends_on_time,
    kill,
    offering_of,
    picture_of,
    scan,
    settles,
)
from tests.e2e.line_up import MARK, stolen
from tests.e2e.open_world import OpenWorld, an_open_world
from tests.e2e.rogue import OK, Account, Pc, Rogue, a_specification, topic

CUT_OFF_SECONDS_MAX: Final = 1.0
"""How long the live connection of a terminal that is sent away may last."""

RESTARTS: Final = 8
SHARED: Final = "racer-shared"
DESIRED: Final = Channel.DESIRED


@pytest.fixture(scope="module")
def world() -> Iterator[OpenWorld]:
    """Give a store that confirms by itself, with two terminals that share an offering."""
    with an_open_world(terms=SHORT) as made:
        for _ in range(2):
            made.add_terminal(offering=SHARED)
        made.wait_until_on_offer(2)
        yield made


@pytest.fixture
def pcs(world: OpenWorld, request: pytest.FixtureRequest) -> tuple[Pc, Pc]:
    """Give two confirmed PCs with nothing of ours inside."""
    made = []
    for _ in range(2):
        pc = world.enrol_by_hand(address=f"127.0.5.{1 + hash(request.node.name) % 250}")
        world.specify(pc, a_specification())
        world.wait_for_standing(pc.terminal, "confirmed")
        world.settle()
        made.append(pc)
    one, other = made
    return one, other


@pytest.mark.parametrize("lie", ["another's client id", "another's user name"])
def test_nobody_takes_over_another_with_an_account_of_his_own(world: OpenWorld, pcs, lie):
    """Attacks: user name, secret and client id belong together; the other one notices nothing."""
    victim, thief = pcs
    name, client_id = (thief, victim) if lie == "another's client id" else (victim, thief)
    account = Account(
        host=thief.account.host,
        port=thief.account.port,
        name=name.terminal,
        secret=thief.account.secret,
    )
    own = topic(victim.terminal, DESIRED)
    with Rogue(victim.account) as live:
        live.hears(own)
        with Rogue(account, client_id=client_id.terminal) as rogue:
            assert (rogue.is_in, rogue.hears(own)) == (False, ["not in"])
        world.makes_it_say(own, MARK)
        world.wait_for("the victim to hear", lambda: live.heard)
        assert not live.is_lost.is_set()


def test_two_under_one_identity_are_both_shut_out(world: OpenWorld, pcs):
    """Attacks: whoever comes back after another was here is one of two."""
    pc, _ = pcs
    for connection in ("first", "second", "second", "first"):
        assert world.known(pc.terminal)["standing"] == "confirmed"
        with Rogue(pc.account) as rogue:
            here = Presence(state="here", connection=connection)
            rogue.says(topic(pc.terminal, Channel.PRESENCE), pc.says(here))
        world.settle()
    assert world.known(pc.terminal)["standing"] == "suspended"
    assert _raised(world, ProblemKind.IDENTITY_COPIED, pc.terminal)
    with Rogue(pc.account) as rogue:
        rogue.hears(topic(pc.terminal, DESIRED))
        world.makes_it_say(topic(pc.terminal, DESIRED), MARK)
        rogue.hears(topic(pc.terminal, Channel.REGISTRATION))
        assert MARK not in [each.payload for each in rogue.heard]


def test_an_agent_that_starts_again_and_again_is_no_copy_of_itself(world: OpenWorld):
    """Attacks, the other way: an honest terminal is called a thief by nobody."""
    terminal = world.terminals[0]
    name = stolen(terminal).terminal
    for number in range(RESTARTS):
        before = _connection(world, name)
        _end(terminal, signal.SIGKILL if number % 2 else signal.SIGTERM)
        world.start_agent(terminal)
        world.wait_for("it to be back", partial(_has_come_anew, world, name, before))
    assert world.known(name)["standing"] == "confirmed"
    assert [each for each in _open(world) if each["terminal"] == name] == []


def test_a_copied_disk_is_found_at_its_next_exchange_and_both_serve_nobody(world: OpenWorld):
    """B9: two take turns under one journal; who is late shows it, and neither is served."""
    first, second, picture = _two_of_one_disk(world)
    name, seen = stolen(first).terminal, len(_lines(second, "connected"))
    first.log.unlink()
    world.start_agent(first)
    world.wait_for("its line", lambda: LineMode.ASKS in str(_lines(first, "line")))
    assert not scan(world, first, picture)["opens"]
    world.wait_for("it to know", lambda: _lines(first, "quarantined"))
    world.wait_for("a problem", lambda: _raised(world, ProblemKind.IDENTITY_COPIED, name))
    _end(first, signal.SIGTERM)
    world.start_agent(second)
    world.wait_for("the other", lambda: len(_lines(second, "connected")) > seen)
    assert scan(world, second, picture)["reason"] == "not_registered"
    _end(second, signal.SIGTERM)
    _enrol_anew(world, first)
    assert _raised(world, ProblemKind.IDENTITY_COPIED, name) == []
    settles(world, begin(world, first))
    world.start_agent(second)
    world.wait_for("it to be kept out", lambda: _losses(second, "not_authorised"))
    _end(second, signal.SIGTERM)


def test_a_thief_who_speaks_as_a_live_terminal_is_reported_by_it(world: OpenWorld):
    """Attacks: the broker lets one in at a time, and the agent knows that it was not itself."""
    terminal = world.terminals[0]
    pc = stolen(terminal)
    while not _losses(terminal, "taken_over"):
        with Rogue(pc.account) as rogue:
            world.wait_for("one to be cut off", partial(_is_over, rogue, terminal))
    _end(terminal, signal.SIGKILL)
    world.start_agent(terminal)
    world.wait_for(
        "its report", lambda: _raised(world, ProblemKind.IDENTITY_TAKEN_OVER, pc.terminal)
    )


def test_a_specification_under_anothers_digest_is_not_registered(world: OpenWorld, pcs):
    """A2: what was confirmed of one terminal is worth nothing on another."""
    confirmed, _ = pcs
    pc = world.enrol_by_hand(address="127.0.6.1")
    good = a_specification()
    forged = a_specification(memory_bytes=1 << 35).model_copy(
        update={"digest": good.digest, "gate_digest": good.gate_digest}
    )
    assert world.known(confirmed.terminal)["gate_digest"] == good.gate_digest
    with Rogue(pc.account) as rogue:
        assert rogue.says(topic(pc.terminal, Channel.SPECIFICATION), pc.says(forged)) == OK
        world.settle()
    known = world.known(pc.terminal)
    assert (known["standing"], known["specification"]) == ("claimed", None)
    assert _raised(world, ProblemKind.SPECIFICATION_FORGED, pc.terminal)


def test_an_identity_on_another_pc_waits_for_an_operator_whatever_the_policy(world: OpenWorld, pcs):
    """A8: a disk that was carried away is confirmed by nobody but a person."""
    pc, _ = pcs
    world.specify(pc, a_specification(serial="S-2", machine_id="M-2"))
    world.wait_for_standing(pc.terminal, "pending")
    (problem,) = _raised(world, ProblemKind.TERMINAL_MOVED, pc.terminal)
    assert [each["do"] for each in problem["proposals"]] == ["confirm", "reject", "retire"]


def test_an_old_confirmation_opens_no_gate_and_is_reported_when_it_may_be(world: OpenWorld):
    """A4: a controller that lies, or whoever plays back what it once said, opens nothing."""
    terminal = world.terminals[0]
    name = stolen(terminal).terminal
    confirmed = _standing_of(world, name)
    world.word(name, "suspend")
    world.wait_for("its gate to close", lambda: _role(terminal) == "gate")
    seen = len(_lines(terminal, "message dropped"))
    revision = _standing_of(world, name).revision
    lies = {
        "stale_standing": confirmed,
        "another_specification": confirmed.model_copy(
            update={"revision": revision + 1, "gate_digest": a_specification().gate_digest}
        ),
        "another_epoch": confirmed.model_copy(update={"revision": revision + 2, "epoch": "e0" * 8}),
    }
    for lie in lies.values():
        world.makes_it_say(topic(name, Channel.REGISTRATION), _in_an_envelope(name, lie))
    world.wait_for(
        "them to be dropped", lambda: len(_lines(terminal, "message dropped")) >= seen + 3
    )
    assert [line["why"] for line in _lines(terminal, "message dropped")[seen:]] == list(lies)
    assert _role(terminal) == "gate"
    assert _raised(world, ProblemKind.STALE_CONFIRMATION, name) == []
    world.word(name, "resume")
    world.wait_for("its report", lambda: _raised(world, ProblemKind.STALE_CONFIRMATION, name))
    assert _role(terminal) == "service"


def test_a_session_that_runs_is_let_finish_and_told_and_then_the_gate_is_shut(world: OpenWorld):
    """A8, promise 10: suspended, a terminal settles what runs, and is given nothing more."""
    terminal = world.add_terminal()
    name = stolen(terminal).terminal
    use = begin(world, terminal)
    world.word(name, "suspend")
    assert world.known(name)["broker_role"] == "settling"
    world.wait_for("it to settle", lambda: _role(terminal) == "settling")
    ends_on_time(world, use)
    settles(world, use)
    world.wait_for("the gate", lambda: world.known(name)["broker_role"] == "gate")
    world.wait_for("its own gate", lambda: _role(terminal) == "gate")


def test_what_is_sold_on_a_terminal_that_leaves_is_a_problem_until_it_is_back(world: OpenWorld):
    """Suspend and resume: cut off in a second; each reservation has a way out."""
    leaving, staying = world.terminals[:2]
    name = stolen(leaving).terminal
    ticket = _book_on(world, name, hours=1)
    cut_off_seconds = _cut_off_by(world, leaving, "suspend")
    print(f"suspended, and cut off after {cut_off_seconds * 1000:.0f} ms")
    assert cut_off_seconds <= CUT_OFF_SECONDS_MAX
    (problem,) = _raised(world, ProblemKind.RESERVATION_WITHOUT_DEVICE, name)
    move, refund = problem["proposals"]
    assert (move["do"], move["device"]) == ("move", _device(world, stolen(staying).terminal))
    assert (refund["do"], problem["evidence"]["link"]) == ("refund", ticket["link"])
    world.word(name, "resume")
    assert _raised(world, ProblemKind.RESERVATION_WITHOUT_DEVICE, name) == []
    world.wait_until_on_offer(2)


def test_a_terminal_that_retires_is_cut_off_for_good(world: OpenWorld):
    """Retire: cut off in a second, and what it proved itself with opens nothing any more."""
    leaving = world.terminals[1]
    pc = stolen(leaving)
    ticket = _book_on(world, pc.terminal, hours=2)
    cut_off_seconds = _cut_off_by(world, leaving, "retire")
    print(f"retired, and cut off after {cut_off_seconds * 1000:.0f} ms")
    assert cut_off_seconds <= CUT_OFF_SECONDS_MAX
    with Rogue(pc.account) as rogue:
        assert not rogue.is_in
    (problem,) = _raised(world, ProblemKind.RESERVATION_WITHOUT_DEVICE, pc.terminal)
    assert problem["evidence"]["link"] == ticket["link"]
    assert [each["do"] for each in problem["proposals"]] == ["move", "refund"]


def _two_of_one_disk(world: OpenWorld) -> tuple[Terminal, Terminal, bytes]:
    """Return a terminal and its copy, which has served a customer since, and his ticket."""
    first = world.add_terminal()
    offering_of(world, first)
    world.wait_for("it to be ready", lambda: _is_announced(first))
    _end(first, signal.SIGTERM)
    second = _copied(world, first)
    world.start_agent(second)
    use = begin(world, second)
    settles(world, use)
    _end(second, signal.SIGTERM)
    return first, second, picture_of(world, use.link)


def _enrol_anew(world: OpenWorld, terminal: Terminal) -> None:
    """Do what the operator is told to: the right PC gets a new identity of the same name."""
    name = stolen(terminal).terminal
    asked = {"store": STORE, "terminal": name}
    code = world.operator("POST", "/api/v1/enrolment-codes", asked)["code"]
    world.enrol(terminal, code, again=True)
    world.start_agent(terminal)
    world.wait_for_standing(name, "confirmed")


def _copied(world: OpenWorld, terminal: Terminal) -> Terminal:
    """Copy all that a terminal has on its disk to another PC, which has folders of its own."""
    folder = terminal.folder.with_name(f"{terminal.folder.name}-copied")
    shutil.copytree(terminal.folder, folder, ignore=shutil.ignore_patterns("*.sock", "*.log"))
    for file in folder.glob("*.toml"):
        told = file.read_text("utf-8")
        file.write_text(told.replace(f"{terminal.folder}/", f"{folder}/"), "utf-8")
    tickets = folder / "tickets"
    copy = replace(terminal, folder=folder, settings=folder / "agent.toml", tickets=tickets)
    world.terminals.append(copy)
    return copy


def _is_announced(terminal: Terminal) -> bool:
    """Say whether an exchange waits for the next scan."""
    journal = f"file:{terminal.folder / 'agent' / 'journal.db'}?mode=ro"
    with closing(sqlite3.connect(journal, uri=True)) as reading:
        query = "SELECT 1 FROM exchanges WHERE state = 'announced' AND kind LIKE 'session:%'"
        return reading.execute(query).fetchone() is not None


def _open(world: OpenWorld) -> list[dict[str, Any]]:
    return [each for kind in ProblemKind for each in world.problems(kind)]


def _raised(world: OpenWorld, kind: ProblemKind, terminal: str) -> list[dict[str, Any]]:
    return [each for each in world.problems(kind) if each["terminal"] == terminal]


def _ask_books(world: OpenWorld, query: str, whose: str) -> tuple[Any, ...]:
    return tuple(world.books(query, whose)[0])


def _connection(world: OpenWorld, terminal: str) -> str:
    query = "SELECT connection FROM terminals WHERE terminal_id = ?"
    return str(_ask_books(world, query, terminal)[0])


def _has_come_anew(world: OpenWorld, terminal: str, before: str) -> bool:
    return _connection(world, terminal) != before


def _device(world: OpenWorld, terminal: str) -> str:
    query = "SELECT device_id FROM devices WHERE terminal_id = ?"
    return str(_ask_books(world, query, terminal)[0])


def _standing_of(world: OpenWorld, terminal: str) -> StandingTold:
    """Return what the controller tells a terminal now."""
    query = """SELECT standing, gate_digest, epoch, standing_revision, standing_reason
        FROM terminals WHERE terminal_id = ?"""
    names = ("standing", "gate_digest", "epoch", "revision", "reason")
    return StandingTold(**dict(zip(names, _ask_books(world, query, terminal), strict=True)))


def _in_an_envelope(terminal: str, told: StandingTold) -> bytes:
    name = os.urandom(4).hex()
    return write(Envelope(id=name, terminal=terminal, epoch="", message=told, sent_at=0))


def _lines(terminal: Terminal, event: str) -> list[dict[str, Any]]:
    """Return the lines of an agent's log about this event."""
    log = terminal.log.read_text("utf-8").splitlines()
    lines = (json.loads(line) for line in log if line[:1] == "{" and line[-1:] == "}")
    return [line for line in lines if line["event"] == event]


def _role(terminal: Terminal) -> str:
    """Return the role that an agent has taken by itself last."""
    return str(_lines(terminal, "role")[-1]["role"])


def _losses(terminal: Terminal, reason: str) -> list[dict[str, Any]]:
    return [line for line in _lines(terminal, "connection lost") if line["reason"] == reason]


def _is_over(rogue: Rogue, terminal: Terminal) -> bool:
    return rogue.is_lost.is_set() or bool(_losses(terminal, "taken_over"))


def _end(terminal: Terminal, how: signal.Signals) -> None:
    """End an agent, and leave its runner and programs alone."""
    assert terminal.agent is not None
    kill([terminal.agent.pid], how)
    terminal.agent.wait()


def _cut_off_by(world: OpenWorld, terminal: Terminal, word: str) -> float:
    """Say a word and return how long the terminal's live connection outlasts it, in seconds."""
    seen = len(_lines(terminal, "connection lost"))
    began_at = time.time_ns() // 1_000_000
    world.word(stolen(terminal).terminal, word)
    assert world.known(stolen(terminal).terminal)["broker_role"] == "gate"
    world.wait_for("it to be cut off", lambda: len(_lines(terminal, "connection lost")) > seen)
    return (from_iso(_lines(terminal, "connection lost")[seen]["timestamp"]) - began_at) / 1000


def _book_on(world: OpenWorld, terminal: str, *, hours: int) -> dict[str, Any]:
    """Book the device of this terminal for a time that begins in so many hours."""
    device = _device(world, terminal)
    starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
    world.wait_until_on_offer(2)
    query = "SELECT offering_id FROM offered_devices WHERE device_id = ?"
    (offering,) = _ask_books(world, query, device)
    body = {
        "offering": offering,
        "device": device,
        "starts_at": f"{starts_at:%Y-%m-%dT%H:%M:%SZ}",
        "length_seconds": SHORT.lengths_seconds[0],
    }
    headers = {"Idempotency-Key": os.urandom(12).hex()}
    return dict(world.api("POST", "/api/v1/reservations", body, headers=headers))
