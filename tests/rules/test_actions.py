"""A switch is what its devices need, whatever came before; a pulse is made once, if at all."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from hypothesis import given, settings, strategies as st

from common.rules.actions import (
    FRESH_SECONDS,
    LATE_SECONDS,
    PULSES_WHEN,
    STATES,
    TRIES,
    Course,
    Held,
    Kind,
    Known,
    Level,
    Patience,
    Pulse,
    PulseState,
    Scene,
    Standing,
    Switch,
    Trouble,
    When,
    begin,
    confirmed,
    contradicted,
    failed,
    hastened,
    is_due,
    is_overdue,
    sight,
    tried,
)
from common.rules.devices import DeviceState

DEVICES = ("booth-1", "booth-2")
WORDS = ["available", "preparing", "in_use", "finishing", "turnover", "out_of_order"]
FEW = settings(max_examples=60)
PATIENCE = Patience(answer_seconds=3.0, again_seconds=30.0)

histories = st.lists(
    st.tuples(
        st.floats(min_value=0.0, max_value=400.0),
        st.sampled_from(WORDS),
        st.sampled_from(WORDS),
        st.booleans(),
    ),
    max_size=25,
)
levels = st.builds(
    Switch,
    name=st.just("lamp"),
    when=st.sampled_from(When),
    places=st.sampled_from([frozenset(), frozenset({"booth-1"}), frozenset({"t-1"})]),
    after_seconds=st.sampled_from([0.0, 10.0, 300.0]),
)


@given(switch=levels, history=histories)
@FEW
def test_a_level_is_what_its_history_says_and_a_clock_back_prolongs_nothing(
    switch: Switch, history: list[tuple[float, str, str, bool]]
):
    """The specification: on while needed, then for `after_seconds` from when that ended."""
    known, now, needed_until, was_needed = Known(), 0.0, -math.inf, False
    for pause, first, second, is_here in history:
        now += pause
        scenes = scenes_of(first, second, is_here=is_here)
        seen = sight([switch], scenes, known, now)
        needed = specified_need(switch, first, second, is_here=is_here)
        if was_needed and not needed:
            needed_until = now
        was_needed = needed
        is_on = needed or now < needed_until + switch.after_seconds
        assert seen.levels["lamp"] is (Level.ON if is_on else Level.OFF)
        known = Known(held={**known.held, **seen.held})
        if not needed:
            back = sight([switch], scenes_of("reserved", "reserved"), known, now - 1e6)
            assert back.levels["lamp"] is Level.OFF


@given(switch=levels, history=histories)
@FEW
def test_whoever_looks_again_gets_the_same_and_keeps_nothing_new(
    switch: Switch, history: list[tuple[float, str, str, bool]]
):
    known, now = Known(), 0.0
    for pause, first, second, is_here in history:
        now += pause
        scenes = scenes_of(first, second, is_here=is_here)
        seen = sight([switch], scenes, known, now)
        known = Known(held={**known.held, **seen.held})
        again = sight([switch], scenes, known, now)
        assert again.levels == seen.levels
        assert not again.held
        if again.next_at is not None:
            later = sight([switch], scenes, known, again.next_at)
            assert later.levels["lamp"] is Level.OFF, "time alone puts it off, then"


def test_a_socket_of_two_devices_is_on_while_either_needs_it():
    socket = Switch(name="socket", when=When.FROM_PREPARING, places=frozenset(DEVICES))
    for first, second, level in (
        ("in_use", "available", Level.ON),
        ("available", "preparing", Level.ON),
        ("turnover", "out_of_order", Level.OFF),
    ):
        assert sight([socket], scenes_of(first, second), Known(), 0.0).levels == {"socket": level}


def test_the_states_named_here_are_those_of_devices():
    assert set().union(*STATES.values()) == set(WORDS) == set(DeviceState)
    assert {*STATES, When.PRESENCE_HERE} == set(When)
    assert set(STATES) > PULSES_WHEN


@dataclass
class Door:
    """A door behind a line that fails: what is kept survives, what is under way does not."""

    switch: Switch
    kept: dict[tuple[str, str], Pulse]
    opened: list[str]
    now: float = 0.0

    def look(self, scenes: list[Scene], *, way_is_open: bool, dies: str) -> None:
        seen = sight([self.switch], scenes, Known(pulses=list(self.kept.values())), self.now)
        for pulse in seen.pulses:
            known = self.kept.get((pulse.switch, pulse.session))
            if known is None or known.state is PulseState.DUE:
                self.kept[pulse.switch, pulse.session] = pulse
        if dies == "before it is noted":
            return
        for pulse in seen.due if way_is_open else ():
            known = self.kept[pulse.switch, pulse.session]
            if known.state is PulseState.DUE:
                self.kept[pulse.switch, pulse.session] = replace(
                    known, state=PulseState.SENT, at=self.now
                )
                if dies != "before it is made":
                    self.opened.append(pulse.session)


@given(
    steps=st.lists(
        st.tuples(
            st.floats(min_value=0.0, max_value=40.0),
            st.sampled_from(["s-1", "s-2", "s-3", ""]),
            st.sampled_from(WORDS),
            st.booleans(),
            st.sampled_from(["", "", "before it is noted", "before it is made"]),
        ),
        max_size=40,
    ),
    when=st.sampled_from(sorted(PULSES_WHEN)),
)
@FEW
def test_a_door_opens_at_most_once_a_session_whatever_dies_in_between(steps, when: When):
    switch = Switch(name="door", kind=Kind.PULSE, when=when, after_seconds=10.0)
    door = Door(switch, kept={}, opened=[])
    for pause, session, state, way_is_open, dies in steps:
        door.now += pause
        scene = Scene(place="booth-1", state=state if session else "available", session=session)
        door.look([scene], way_is_open=way_is_open, dies=dies)
    assert len(door.opened) == len(set(door.opened))


def test_a_pulse_is_off_again_when_it_is_over_and_left_alone_until_then():
    switch = Switch(name="door", kind=Kind.PULSE, when=When.FROM_PREPARING, after_seconds=10.0)
    sent = Pulse(switch="door", session="s-1", state=PulseState.SENT, at=100.0)
    scenes = [Scene(place="booth-1", state="in_use", session="s-1")]
    during = sight([switch], scenes, Known(pulses=[sent]), 109.9)
    assert during.levels == {"door": None}
    assert during.next_at == 110.0
    assert sight([switch], scenes, Known(pulses=[sent]), 110.0).levels == {"door": Level.OFF}
    by_itself = replace(switch, has_off=False)
    assert sight([by_itself], scenes, Known(pulses=[sent]), 999.0).levels == {"door": None}


def test_a_pulse_that_is_held_up_too_long_or_comes_amid_a_session_is_missed():
    switch = Switch(name="door", kind=Kind.PULSE, when=When.IN_USE, after_seconds=10.0)
    due = Pulse(switch="door", session="s-1", state=PulseState.DUE, at=100.0)
    scene = Scene(place="booth-1", state="in_use", session="s-1")
    in_time = sight([switch], [scene], Known(pulses=[due]), 100.0 + LATE_SECONDS - 1)
    assert [pulse.session for pulse in in_time.due] == ["s-1"]
    late = sight([switch], [scene], Known(pulses=[due]), 100.0 + LATE_SECONDS)
    assert not late.due
    assert [pulse.state for pulse in late.pulses] == [PulseState.MISSED]
    old = replace(scene, session="s-2", age_seconds=FRESH_SECONDS)
    assert [p.state for p in sight([switch], [old], Known(), 0.0).pulses] == [PulseState.MISSED]


@given(
    tries=st.lists(
        st.tuples(
            st.sampled_from(["answer", "silence", "blocked"]),
            st.floats(min_value=0.0, max_value=0.999),
        ),
        max_size=30,
    )
)
@FEW
def test_a_level_is_never_given_up_and_is_a_problem_after_so_many_tries(tries):
    course, in_vain = begin(Level.ON, 0.0), 0
    for happening, chance in tries:
        before = course.due_at
        course = after_a_try(course, happening, chance)
        in_vain = 0 if happening == "answer" else in_vain + 1
        is_problem = course.standing is Standing.UNANSWERED
        assert is_problem == (in_vain >= TRIES)
        assert (course.trouble is None) == (happening == "answer")
        assert before < course.due_at < math.inf, "it is looked after for ever"


def after_a_try(course: Course, happening: str, chance: float) -> Course:
    now = course.due_at
    assert is_due(course, now)
    if happening == "blocked":
        return failed(course, Trouble.BROKER_AWAY, PATIENCE, now, chance)
    course = tried(course, PATIENCE, now)
    if happening == "answer":
        return confirmed(course, PATIENCE, now)
    assert is_overdue(course, course.due_at)
    return failed(course, Trouble.NO_ANSWER, PATIENCE, course.due_at, chance)


def test_what_is_turned_by_hand_is_told_again_when_it_is_looked_after_and_no_sooner():
    course = confirmed(tried(begin(Level.OFF, 0.0), PATIENCE, 0.0), PATIENCE, 1.0)
    by_hand = contradicted(course, Trouble.CONTRADICTS)
    assert by_hand.standing is Standing.ASKED
    assert by_hand.due_at == course.due_at == 31.0
    assert hastened(by_hand, 5.0).due_at == 5.0, "but at once when its broker is back"


def test_a_pulse_is_tried_once_and_what_came_of_it_stands():
    course = tried(begin(Level.ON, 0.0, is_once=True), PATIENCE, 0.0)
    course = failed(course, Trouble.NO_ANSWER, PATIENCE, 3.0, 0.5)
    assert course.standing is Standing.UNANSWERED
    assert course.due_at == math.inf
    assert hastened(course, 4.0) == course
    assert isinstance(course, Course)


def test_a_switch_that_was_never_needed_remembers_nothing():
    switch = Switch(name="lamp", when=When.IN_USE, after_seconds=300.0)
    seen = sight([switch], scenes_of("available", "turnover"), Known(), 50.0)
    assert seen.levels == {"lamp": Level.OFF}
    assert not seen.held
    needed = sight([switch], scenes_of("in_use", "available"), Known(), 50.0)
    assert needed.held == {"lamp": Held(is_needed=True)}


def scenes_of(first: str, second: str, *, is_here: bool = False) -> list[Scene]:
    return [
        Scene(place="booth-1", terminal="t-1", state=first, is_here=is_here),
        Scene(place="booth-2", terminal="t-2", state=second, is_here=is_here),
    ]


def specified_need(switch: Switch, first: str, second: str, *, is_here: bool) -> bool:
    """Say in other words than the rule's whether this is needed."""
    mine = [first] if switch.places else [first, second]
    match switch.when:
        case When.PRESENCE_HERE:
            return is_here
        case When.IN_USE:
            return "in_use" in mine
        case When.FROM_PREPARING:
            return any(state in "preparing in_use finishing".split() for state in mine)
        case When.UNTIL_CLEAN:
            return any(state not in ("available", "out_of_order") for state in mine)
        case _:
            return switch.when.value in mine
