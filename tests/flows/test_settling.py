"""What becomes of a terminal that changes or loses its word: it finishes, tells, and waits (A8)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud_controller.flows import registration, sessions
from common.messages.rights import Right
from common.messages.service import OfferingDraft, ServiceRequest
from common.messages.sessions import Desired, StopSession
from common.messages.specification import Display, Specification
from common.rules.registration import Standing, StandingEvent
from common.rules.sessions import SessionState
from common.rules.specification import ABSENCE_SECONDS, new_specification
from common.seals import new_signing_key, public_bytes
from common.topics import OPEN_TO, BrokerRole, Channel
from edge_agent.courier import Courier
from edge_agent.flows import offerings, registration as own, service, sessions as running
from edge_agent.ports import Asked
from tests.fakes.house import SLOT_SECONDS, HouseInHand, a_specification
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand
from tests.fakes.terminal import TerminalInHand, a_device, a_profile, a_program, an_answer

ONE, OTHER = a_specification("vr"), a_specification("vr", memory_bytes=1 << 34)


@pytest.fixture
def clock() -> ClockInHand:
    return ClockInHand()


@pytest.fixture
def terminal(tmp_path: Path, clock: ClockInHand) -> TerminalInHand:
    """Return a terminal that is confirmed for what it is."""
    answer = an_answer({1: public_bytes(new_signing_key(b"k" * 32)).hex()})
    made = TerminalInHand(tmp_path, clock=clock, names=CountedNames(), answer=answer)
    made.is_now(ONE)
    made.hear_standing(Standing.CONFIRMED, 1)
    return made


def role_of(terminal: TerminalInHand) -> BrokerRole:
    return terminal.gate.role


def with_displays(*names: str) -> Specification:
    displays = tuple(Display(name=name, width_pixels=1920, height_pixels=1080) for name in names)
    machine = ONE.machine.model_copy(update={"displays": displays})
    return new_specification(
        agent_version="1", machine=machine, devices=ONE.devices, programs=ONE.programs
    )


def test_a8_a_monitor_that_is_off_at_boot_closes_nothing_for_ten_minutes(
    terminal: TerminalInHand, clock: ClockInHand
):
    terminal.is_now(with_displays("HDMI-A-1", "HDMI-A-2"))
    terminal.hear_standing(Standing.CONFIRMED, 2)
    terminal.restart(boot_id="boot-2")
    for _ in range(ABSENCE_SECONDS // 60):
        terminal.is_now(with_displays("HDMI-A-1"))
        assert terminal.listener.gate_is_open
        clock.move(60)
        terminal.restart()
    (said,) = terminal.is_now(with_displays("HDMI-A-1"))
    assert isinstance(said, Specification)
    assert said.gate_digest == with_displays("HDMI-A-1").gate_digest
    assert not terminal.listener.gate_is_open


def test_a8_what_has_not_changed_is_neither_written_nor_said_again(terminal: TerminalInHand):
    before = terminal.everything()
    assert terminal.is_now(ONE) == []
    assert terminal.everything() == before


def test_what_another_version_remembered_in_its_own_words_is_looked_at_anew(terminal):
    terminal.journal._connection.execute("""UPDATE inventory SET body = '{"memory": 1}'""")
    assert terminal.is_now(ONE) == [ONE]


def test_a8_a_terminal_that_is_another_serves_nobody_before_it_is_confirmed_anew(terminal):
    assert terminal.is_now(OTHER) == [OTHER]
    assert role_of(terminal) is BrokerRole.GATE
    terminal.hear_standing(Standing.CONFIRMED, 2)
    assert terminal.listener.gate_is_open
    terminal.do(service.ask_for_service)
    assert terminal.asks() == [ServiceRequest(gate_digest=OTHER.gate_digest)]
    terminal.hear(a_profile(gate_digest=ONE.gate_digest))
    assert not terminal.rows("profile"), "made for what it was"


@pytest.fixture
def session(house: HouseInHand) -> tuple[TerminalInHand, str]:
    """Return a terminal in service and the session that runs on it, known to both sides."""
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    right = house.scan(terminal, device, house.book(device))
    assert isinstance(right, Right)
    name = str(right.document["session"])
    terminal.do(running.note_seen, a_program(name, "running", started_at=house.clock.now))
    house.tell_all(terminal)
    return terminal, name


def test_a_session_that_runs_when_the_gate_closes_is_stopped_and_told(
    house: HouseInHand, session: tuple[TerminalInHand, str]
):
    terminal, name = session
    revision = house.books.one("terminals")["standing_revision"]
    word = registration.decide
    house.books.do(word, terminal.who.terminal, StandingEvent.SUSPEND, "owner", "cleaning")
    for message in house.books.heard():
        terminal.hear(message, Channel.REGISTRATION)
    assert terminal.rows("registration")[0]["revision"] == revision + 1
    assert role_of(terminal) is BrokerRole.SETTLING
    before = terminal.everything()
    terminal.hear(Desired(revision=99), Channel.DESIRED)
    assert terminal.everything() == before

    house.clock.move(SLOT_SECONDS)
    house.books.do(sessions.stop_what_is_due)
    (stop,) = [each for each in house.books.heard() if isinstance(each, StopSession)]
    terminal.hear(stop, Channel.COMMANDS, stop.command)
    assert [due.session for due in terminal.do(running.to_stop)] == [name]
    terminal.do(running.note_seen, a_program(name, "ended", ended_at=house.clock.now))
    assert terminal.gate.review() is False, "its end has still to be told"
    house.tell_all(terminal)
    assert role_of(terminal) is BrokerRole.GATE
    assert house.states()["sessions"] == [SessionState.ENDED]


def test_a8_a_change_while_a_session_runs_lets_it_finish(session: tuple[TerminalInHand, str]):
    terminal, name = session
    terminal.is_now(OTHER)
    assert role_of(terminal) is BrokerRole.SETTLING
    terminal.restart()
    assert role_of(terminal) is BrokerRole.SETTLING
    assert terminal.do(running.running_sessions) == {name}
    terminal.hear_standing(Standing.CONFIRMED, 9)
    assert role_of(terminal) is BrokerRole.SERVICE


@pytest.mark.parametrize(
    ("is_open", "holds_sessions", "role"),
    [
        (True, True, BrokerRole.SERVICE),
        (True, False, BrokerRole.SERVICE),
        (False, True, BrokerRole.SETTLING),
        (False, False, BrokerRole.GATE),
    ],
)
def test_the_role_it_takes_by_itself(is_open, holds_sessions, role):
    assert own.own_role(gate_is_open=is_open, holds_sessions=holds_sessions) is role


@pytest.mark.parametrize("role", BrokerRole)
def test_a4_the_courier_says_only_what_the_role_may_say(terminal, role: BrokerRole):
    """Ask for something on each channel; what leaves is what the one table lets out."""
    sent: list[str] = []
    courier = Courier(
        terminal.who,
        terminal.journal,
        terminal.gate,
        publish=lambda topic, *_args, **_kept: sent.append(topic),
        clock=terminal._clock,
        names=CountedNames(),
    )
    terminal.gate.role = role
    message = ServiceRequest(gate_digest=ONE.gate_digest)
    up = [channel for channel in Channel if channel.is_up]
    for channel in up:
        courier.post([Asked(channel=channel, message=message)])
    allowed = [channel for channel in up if role in OPEN_TO[channel]]
    assert len(sent) == len(allowed)
    assert all(channel in topic for channel, topic in zip(allowed, sent, strict=True))


def test_e1_the_terminals_own_word_on_an_offering_goes_before_the_controllers(terminal):
    draft = OfferingDraft(key="theirs", title="Theirs")
    profile = a_profile(
        a_device("vr", offering=draft), a_device("tv", offering=draft), gate_digest="ab" * 32
    )
    drafts = {"vr": {"key": "ours", "title": "Ours", "lengths_seconds": (60,)}}
    gone = (a_device("old", offering=draft),)
    terminal.do(offerings.offer, profile, drafts, gone)
    said = [(kind, json.loads(body)) for _, kind, body in terminal.tells()]
    assert [(kind, body["key"], body["device"]) for kind, body in said] == [
        ("offering.off", "theirs", "d-old"),
        ("offering.registered", "ours", "d-vr"),
        ("offering.on", "ours", "d-vr"),
        ("offering.registered", "theirs", "d-tv"),
        ("offering.on", "theirs", "d-tv"),
    ]


def test_devices_that_a_new_profile_leaves_out_are_gone(terminal: TerminalInHand):
    for devices in ([a_device("tv"), a_device("vr")], [a_device("vr")]):
        terminal.hear(a_profile(*devices, gate_digest=ONE.gate_digest))
    assert terminal.gone == ["d-tv"]
