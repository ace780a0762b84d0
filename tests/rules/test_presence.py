"""Who is here is judged by silence alone, and the next change is always known."""

from __future__ import annotations

import math

from hypothesis import given, strategies as st

from common.rules.presence import (
    GONE_AFTER_SECONDS,
    HEARTBEAT_SECONDS,
    LATE_AFTER_SECONDS,
    Presence,
    presence_after,
    seconds_to_next_change,
)

ORDER = [Presence.HERE, Presence.LATE, Presence.GONE]
SILENCE = st.floats(min_value=0, max_value=1e6)


def test_a_dead_terminal_is_gone_within_twenty_seconds():
    assert GONE_AFTER_SECONDS <= 20.0


def test_one_lost_heartbeat_makes_nobody_gone():
    assert presence_after(2 * HEARTBEAT_SECONDS) is Presence.LATE
    assert presence_after(HEARTBEAT_SECONDS) is Presence.HERE


def test_each_limit_belongs_to_what_follows_it():
    assert presence_after(LATE_AFTER_SECONDS) is Presence.LATE
    assert presence_after(math.nextafter(LATE_AFTER_SECONDS, 0)) is Presence.HERE
    assert presence_after(GONE_AFTER_SECONDS) is Presence.GONE
    assert presence_after(math.nextafter(GONE_AFTER_SECONDS, 0)) is Presence.LATE


@given(shorter=SILENCE, more=SILENCE)
def test_more_silence_never_brings_anybody_closer(shorter: float, more: float):
    before, after = presence_after(shorter), presence_after(shorter + more)
    assert ORDER.index(before) <= ORDER.index(after)


@given(silence=SILENCE)
def test_the_next_change_comes_when_it_is_said_to(silence: float):
    wait = seconds_to_next_change(silence)
    now = presence_after(silence)
    if wait is None:
        assert now is Presence.GONE
        return
    assert wait > 0
    assert presence_after(silence + wait + 1e-6) is not now
    assert presence_after(silence + wait / 2) is now
