"""The terminal's own gate: open for what it is and was told, closed to whoever says otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from common.messages.problems import ProblemTold
from common.messages.registration import StandingTold
from common.messages.service import (
    ServiceRefused,
)
from common.messages.specification import Specification
from common.rules.problems import ProblemKind
from common.rules.registration import Standing
from common.seals import new_signing_key, public_bytes
from common.topics import OPEN_TO, Channel
from edge_agent.flows import registration as own
from edge_agent.listener import ON_CHANNEL
from tests.fakes.house import a_specification
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand
from tests.fakes.terminal import TerminalInHand, all_of_service, an_answer

ONE, OTHER = a_specification("vr"), a_specification("vr", memory_bytes=1 << 34)
KEY = new_signing_key(b"k" * 32)

CLOSED = (None, *(standing for standing in Standing if standing is not Standing.CONFIRMED))
"""Every word a terminal may have had that opens nothing; None: it was told nothing yet."""


OF_SERVICE = all_of_service(ONE.gate_digest)


@pytest.fixture
def clock() -> ClockInHand:
    return ClockInHand()


@pytest.fixture
def terminal(tmp_path: Path, clock: ClockInHand) -> TerminalInHand:
    """Return an enrolled terminal that knows what it is and was told nothing."""
    answer = an_answer({1: public_bytes(KEY).hex()})
    made = TerminalInHand(tmp_path, clock=clock, names=CountedNames(), answer=answer)
    made.is_now(ONE)
    return made


def problems(terminal: TerminalInHand) -> list[str]:
    told = [json.loads(body) for _, kind, body in terminal.tells() if kind == ProblemTold.type]
    return [each["kind"] for each in told]


def kept(terminal: TerminalInHand) -> list[str]:
    """Return all that the journal holds, but for the problems it has still to tell."""
    told = ("problem.told", 'INSERT INTO "problems"', "sqlite_sequence")
    return [line for line in terminal.everything() if not any(part in line for part in told)]


def hear_all(terminal: TerminalInHand, *, is_retained: bool = False) -> int:
    """Let a controller that has gone wrong say all it could; return how much that was."""
    said = [(channel, message) for channel, some in OF_SERVICE.items() for message in some]
    for channel, message in said:
        tail = "c" if channel is Channel.COMMANDS else ""
        terminal.hear(message, channel, tail, is_retained=is_retained)
    return len(said)


def test_every_channel_has_its_rule_and_every_message_down_is_tried_here():
    assert set(OPEN_TO) == set(Channel)
    of_service = {channel: kinds for channel, kinds in ON_CHANNEL.items() if channel in OF_SERVICE}
    assert set(ON_CHANNEL) - set(of_service) == {Channel.REGISTRATION}
    assert {channel: tuple(map(type, some)) for channel, some in OF_SERVICE.items()} == of_service


@pytest.mark.parametrize("is_retained", [False, True], ids=["now", "retained"])
@pytest.mark.parametrize("has_restarted", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("standing", CLOSED)
def test_a4_with_the_gate_closed_nothing_of_service_is_kept_or_done(
    terminal: TerminalInHand, standing: Standing | None, has_restarted, is_retained
):
    if standing is not None:
        terminal.hear_standing(standing, 1)
    if has_restarted:
        terminal.restart()
    before = kept(terminal)
    count = hear_all(terminal, is_retained=is_retained)
    assert kept(terminal) == before
    assert not terminal.asks()
    assert terminal.listener.dropped == {"gate_is_closed": count}
    assert problems(terminal) == [ProblemKind.SERVICE_TOO_EARLY], "one for all of it"


def test_service_that_comes_too_early_is_told_again_only_in_another_connection(terminal):
    for _ in range(2):
        terminal.listener.on_connected()
        terminal._clock.move(1)
        hear_all(terminal)
    assert problems(terminal) == [ProblemKind.SERVICE_TOO_EARLY] * 2


def test_what_was_under_way_when_the_gate_closed_is_nobodys_fault(terminal: TerminalInHand):
    terminal.hear_standing(Standing.CONFIRMED, 1)
    terminal.is_now(OTHER)
    count = hear_all(terminal)
    assert terminal.listener.dropped["gate_is_closed"] == count
    assert not problems(terminal)


def test_what_the_broker_has_kept_is_of_an_earlier_time(terminal: TerminalInHand):
    terminal.hear_standing(Standing.CONFIRMED, 1)
    before = terminal.everything()
    count = hear_all(terminal, is_retained=True)
    assert terminal.everything() == before
    assert terminal.listener.dropped == {"retained": count}


def told(standing: Standing, revision: int, **facts: Any) -> StandingTold:
    defaults = {"gate_digest": ONE.gate_digest, "epoch": "e0"}
    return StandingTold(standing=standing, revision=revision, **{**defaults, **facts})


STALE, CONFIRMED = ProblemKind.STALE_CONFIRMATION, Standing.CONFIRMED
REPLAYS = {
    "a first word": (None, told(CONFIRMED, 0), True, []),
    "a newer word": (told(Standing.PENDING, 3), told(CONFIRMED, 4), True, []),
    "a newer word that closes": (told(CONFIRMED, 3), told(Standing.SUSPENDED, 4), False, []),
    "the same word": (told(CONFIRMED, 3), told(CONFIRMED, 3), True, []),
    "the same revision otherwise": (told(Standing.REJECTED, 3), told(CONFIRMED, 3), False, []),
    "an older confirmation": (told(Standing.SUSPENDED, 3), told(CONFIRMED, 2), False, [STALE]),
    "an older closing": (told(CONFIRMED, 3), told(Standing.PENDING, 2), True, [STALE]),
    "a confirmation of what we are not": (
        None,
        told(CONFIRMED, 4, gate_digest=OTHER.gate_digest),
        False,
        [STALE],
    ),
    "a rejection of what we are not": (
        told(CONFIRMED, 3),
        told(Standing.REJECTED, 4, gate_digest=OTHER.gate_digest),
        True,
        [],
    ),
    "another epoch's": (None, told(CONFIRMED, 9, epoch="e1"), False, []),
    "another epoch's that closes": (
        told(CONFIRMED, 3),
        told(Standing.RETIRED, 9, epoch="e1"),
        True,
        [],
    ),
}


@pytest.mark.parametrize("replay", REPLAYS.values(), ids=REPLAYS)
def test_a4_only_the_newest_word_about_what_we_are_counts(terminal: TerminalInHand, replay):
    before, word, is_open, expected = replay
    for each in [before, word, word] if before is not None else [word, word]:
        terminal.hear(each, Channel.REGISTRATION)
    assert terminal.listener.gate_is_open is is_open
    assert problems(terminal) == expected, "once, also when it comes again"
    terminal.restart()
    assert terminal.listener.gate_is_open is is_open, "and so it stays after a restart"


def test_stale_words_without_end_fill_no_journal(terminal: TerminalInHand):
    terminal.hear_standing(Standing.PENDING, 500)
    for revision in range(300):
        terminal.hear_standing(Standing.CONFIRMED, revision)
    assert len(problems(terminal)) == own.PROBLEMS_WAITING_MAX
    assert len(terminal.rows("problems")) <= own.PROBLEMS_NOTED_MAX


@pytest.mark.parametrize("contradict", ["refused", "shut out"])
def test_a_contradicted_word_has_to_be_told_once_more(terminal: TerminalInHand, contradict: str):
    terminal.hear_standing(Standing.CONFIRMED, 3)
    if contradict == "refused":
        terminal.hear(ServiceRefused(reason="not_registered"))
    else:
        terminal.do(own.doubt, "the broker does not let us in")
        terminal.gate.review()
    assert not terminal.listener.gate_is_open
    terminal.restart()
    assert not terminal.listener.gate_is_open
    terminal.hear_standing(Standing.CONFIRMED, 2)
    assert not terminal.listener.gate_is_open, "an older one is none"
    terminal.hear_standing(Standing.CONFIRMED, 3)
    assert terminal.listener.gate_is_open


WORDS = st.tuples(
    st.sampled_from(Standing),
    st.integers(0, 4),
    st.sampled_from([ONE, OTHER]),
    st.sampled_from(["e0", "e1"]),
)
STEPS = st.lists(WORDS | st.sampled_from([ONE, OTHER]) | st.just("restart"), max_size=20)


@given(steps=STEPS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a4_the_gate_is_open_when_the_last_word_taken_confirms_what_we_are(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
):
    answer = an_answer({1: public_bytes(KEY).hex()})
    folder = tmp_path_factory.mktemp("terminal")
    terminal = TerminalInHand(folder, clock=ClockInHand(), names=CountedNames(), answer=answer)
    terminal.is_now(ONE)
    taken, ours = None, ONE
    for step in steps:
        if isinstance(step, Specification):
            terminal.is_now(step)
            ours = step
        elif step == "restart":
            terminal.restart()
        else:
            standing, revision, about, epoch = step
            digest = about.gate_digest
            terminal.hear_standing(standing, revision, gate_digest=digest, epoch=epoch)
            is_newer = taken is None or revision > taken[1]
            if epoch == "e0" and about is ours and is_newer:
                taken = step
        opens = taken is not None and taken[0] is Standing.CONFIRMED and taken[2] is ours
        assert terminal.listener.gate_is_open is opens
    terminal.journal.close()
