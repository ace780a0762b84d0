"""Killed at any step of its registration it resumes: one terminal, one code spent, one epoch."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final

import pytest

from common.messages.base import Message
from common.messages.registration import StandingTold
from common.messages.service import ServiceProfile, ServiceRequest
from common.messages.specification import Specification
from tests.conftest import SEED
from tests.e2e.line import Asks, Line, Word
from tests.e2e.registering import (
    AGENT,
    CONTROLLER,
    ENDS_SECONDS_MAX,
    REACHED_SECONDS_MAX,
    Pc,
    Store,
    age,
    comes_into_service,
    ended,
    hold_journal,
    is_closed,
    is_one_terminal,
    kill_side,
    killed,
    one_more_terminal,
    service_of,
    start_side,
)
from tests.e2e.worlds import a_world

CODE_LIFE_MS: Final = 900_000

RANDOM_TRIES: Final = 4

EACH: Final = 5
"""Of so many kills around the operator's word a run tries one: which, its dice say."""


def a_call(word: Word) -> bool:
    """Stop at what the terminal asks."""
    return word.is_call and word.is_up


def an_answer(word: Word) -> bool:
    """Stop at what it is answered."""
    return word.is_call and not word.is_up


def says(kind: type[Message], **facts: object) -> Asks:
    """Stop where this is said."""
    return lambda word: _is(word.message, kind, facts)


def has_stored(kind: type[Message], **facts: object) -> Asks:
    """Stop where the terminal acknowledges this: it does when its journal has it."""
    return lambda word: _is(word.acknowledges, kind, facts)


def _is(message: Message | None, kind: type[Message], facts: Mapping[str, object]) -> bool:
    return isinstance(message, kind) and all(
        getattr(message, name) == fact for name, fact in facts.items()
    )


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where the line stops, how much of the word it gives, and who is killed then.

    Who is killed in one case only would find in the other what he finds at the step beside it.
    """

    asks: Asks
    part: float = 0.0
    sides: tuple[str, ...] = (AGENT, CONTROLLER)


PENDING: Final = {"standing": "pending"}
CONFIRMED: Final = {"standing": "confirmed"}

ENROLMENT: Final = {
    "before the request has come": Step(asks=a_call),
    "when the request has come": Step(asks=a_call, part=1.0, sides=(CONTROLLER,)),
    "before the answer has gone": Step(asks=an_answer),
    "in the middle of the answer": Step(asks=an_answer, part=0.75),
}
BEFORE_THE_OPERATOR: Final = {
    "before it is specified": Step(asks=says(Specification)),
    "when it is specified": Step(asks=says(Specification), part=1.0, sides=(CONTROLLER,)),
    "when it is registered": Step(asks=says(StandingTold, **PENDING)),
    "when pending is stored": Step(asks=has_stored(StandingTold, **PENDING), sides=(AGENT,)),
}
AFTER_THE_OPERATOR: Final = {
    "before confirmed is told": Step(asks=says(StandingTold, **CONFIRMED)),
    "when confirmed is stored": Step(asks=has_stored(StandingTold, **CONFIRMED), sides=(AGENT,)),
    "before service is asked for": Step(asks=says(ServiceRequest)),
    "when service is asked for": Step(asks=says(ServiceRequest), part=1.0, sides=(CONTROLLER,)),
    "when the profile is made": Step(asks=says(ServiceProfile)),
    "when the profile is stored": Step(asks=has_stored(ServiceProfile)),
}


def of(steps: Mapping[str, Step], side: str) -> list[Any]:
    """Return a case for each step at which this side is killed."""
    return [pytest.param(step, id=name) for name, step in steps.items() if side in step.sides]


def of_either(steps: Mapping[str, Step]) -> list[Any]:
    """Return the cases of this run, of all steps and the sides that are killed at each."""
    cases = [
        pytest.param(step, side, id=f"{side}, {name}")
        for name, step in steps.items()
        for side in step.sides
    ]
    return cases[int(os.environ[SEED]) % EACH :: EACH]


@pytest.fixture(scope="module")
def kept() -> Iterator[Store]:
    """Give one store for all kills, one after the other."""
    with a_world(policy="manual") as world:
        line = Line(web_port=world.web_port, broker_port=world.broker_port)
        yield Store(world=world, line=line)
        line.close()


@pytest.fixture
def store(kept: Store) -> Store:
    """Return the store with its controller at work."""
    if not kept.is_at_work():
        kept.world.start_controller()
    return kept


@pytest.fixture
def pc(store: Store) -> Iterator[Pc]:
    """Give one more PC, and end what runs on it."""
    made = store.new_pc()
    yield made
    made.leave()


@pytest.fixture
def code(store: Store) -> str:
    """Return a code that is good."""
    return store.world.new_code()


@pytest.mark.parametrize("step", of(ENROLMENT, AGENT))
def test_an_agent_killed_while_it_enrols_says_the_same_again(store, pc, code, step):
    with one_more_terminal(store):
        with store.line.stopped_at(step.asks, part=step.part) as reached:
            killed(pc.enrol(code), reached)
        pc.has_enrolled(code)
        is_one_terminal(pc)


@pytest.mark.parametrize("step", of(ENROLMENT, CONTROLLER))
def test_a_controller_killed_while_a_terminal_enrols_gives_it_one_identity(store, pc, code, step):
    with one_more_terminal(store):
        with store.line.stopped_at(step.asks, part=step.part) as reached:
            asking = pc.enrol(code)
            assert reached.wait(REACHED_SECONDS_MAX)
            store.kill_controller()
        assert ended(asking, 2).count("\n") == 1
        assert pc.journal("identity") is None
        store.world.start_controller()
        pc.has_enrolled(code)
        comes_into_service(pc)


def test_an_agent_killed_before_it_has_stored_its_identity_is_given_it_again(store, pc, code):
    with one_more_terminal(store):
        with ExitStack() as held:
            hold = partial(hold_journal, pc, held)
            with store.line.stopped_at(an_answer, part=1.0, first=hold) as reached:
                killed(pc.enrol(code), reached)
        assert pc.journal("identity") is None
        pc.has_enrolled(code)
        comes_into_service(pc)


def test_an_agent_killed_when_it_has_stored_its_identity_has_it(store, pc, code):
    with one_more_terminal(store):
        asking = pc.enrol(code)
        store.world.wait_for("an identity", partial(pc.journal, "identity"))
        asking.kill()
        asking.communicate()
        known = dict(pc.journal("identity"))
        assert "already" in ended(pc.enrol(code), 2)
        assert dict(pc.journal("identity")) == known
        comes_into_service(pc)


def test_agents_killed_at_random_moments_after_the_answer_have_one_identity_each(store, seed):
    dice = Random(seed)
    for _ in range(RANDOM_TRIES):
        pc, code = store.new_pc(), store.world.new_code()
        with one_more_terminal(store):
            with store.line.stopped_at(an_answer, part=1.0) as reached:
                killed(pc.enrol(code), reached, after_seconds=dice.uniform(0, 0.03))
            if pc.journal("identity") is None:
                pc.has_enrolled(code)
            is_one_terminal(pc)


@pytest.mark.parametrize(("step", "side"), of_either(BEFORE_THE_OPERATOR))
def test_whoever_is_killed_before_the_operator_has_looked_it_waits_for_him(
    store, pc, code, step, side
):
    with one_more_terminal(store):
        pc.has_enrolled(code)
        with store.line.stopped_at(step.asks, part=step.part) as reached:
            pc.start()
            assert reached.wait(REACHED_SECONDS_MAX)
            kill_side(pc, side)
        start_side(pc, side)
        pc.wait_until_told("pending")
        is_closed(pc)
        comes_into_service(pc)


@pytest.mark.parametrize(("step", "side"), of_either(AFTER_THE_OPERATOR))
def test_whoever_is_killed_after_the_operators_word_it_comes_into_service_once(
    store, pc, code, step, side
):
    with one_more_terminal(store):
        pc.has_enrolled(code)
        pc.start()
        pc.wait_until_told("pending")
        with store.line.stopped_at(step.asks, part=step.part) as reached:
            pc.confirm()
            assert reached.wait(REACHED_SECONDS_MAX)
            kill_side(pc, side)
            before = service_of(pc)
        start_side(pc, side)
        comes_into_service(pc)
        assert before.items() <= service_of(pc).items()


def test_killed_at_random_moments_again_and_again_it_is_registered_once(store, pc, code, seed):
    dice = Random(seed)
    with one_more_terminal(store):
        pc.has_enrolled(code)
        pc.start()
        before: dict[str, Any] = {}
        for _ in range(RANDOM_TRIES):
            time.sleep(dice.uniform(0, 0.6))
            if pc.standing() == "pending" and dice.random() < 0.5:
                pc.confirm()
                time.sleep(dice.uniform(0, 0.05))
            side = dice.choice([AGENT, CONTROLLER])
            kill_side(pc, side)
            now = service_of(pc)
            assert before.items() <= now.items()
            before = now
            start_side(pc, side)
        comes_into_service(pc)
        assert before.items() <= service_of(pc).items()


def test_two_at_once_on_one_pc_make_one_identity_of_one_code(store, pc, code):
    with one_more_terminal(store):
        both = [pc.enrol(code), pc.enrol(code)]
        told = [each.communicate(timeout=ENDS_SECONDS_MAX)[0] for each in both]
        assert sorted(each.returncode for each in both) == [0, 2], told
        assert "already" in "".join(told)
        comes_into_service(pc)


def test_two_pcs_with_one_code_at_once_make_one_terminal(store, pc, code):
    other = store.new_pc()
    with one_more_terminal(store):
        both = [pc.enrol(code), other.enrol(code)]
        told = [each.communicate(timeout=ENDS_SECONDS_MAX)[0] for each in both]
        assert sorted(each.returncode for each in both) == [0, 2], told
        assert "Ask the operator for a new code" in "".join(told)
        assert [pc.journal("identity"), other.journal("identity")].count(None) == 1


def test_a_code_is_worth_nothing_after_a_quarter_of_an_hour(store, pc, code):
    before = store.count("terminals")
    age(store.world, CODE_LIFE_MS)
    assert "Ask the operator for a new code" in ended(pc.enrol(code), 2)
    assert pc.journal("identity") is None
    assert store.count("terminals") == before
