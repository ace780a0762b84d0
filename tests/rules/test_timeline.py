"""A ticket's timeline is made from its ledger alone, and each moment is told in plain words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from common.rules.sessions import (
    FOR_OPERATORS,
    EndReason,
    Line,
    Moment,
    MomentKind,
    Sign,
    Watched,
    for_customer,
    timeline_of,
)
from common.words import (
    CHECK_WORDS,
    LANGUAGES,
    MOMENT_WORDS,
    REASON_WORDS,
    length_in_words,
    moment_words_for,
)

FULL_STOP = {"en": ".", "ja": "。"}
LENGTH_MAX = 120
"""Characters of a sentence that is read at a glance on a phone."""

NOON = 1_792_713_600_000


def line(entry: int, kind: str, session: str | None = "s-1", **facts: Any) -> Line:
    return Line(entry=entry, at=NOON + entry * 1000, type=kind, facts=facts, session=session)


def amount(cents: int, currency: str) -> str:
    return f"{cents} {currency}"


def told(moments: tuple[Moment, ...]) -> list[MomentKind]:
    return [moment.kind for moment in moments]


A_USE = (
    line(1, "reservation.confirmed", None),
    line(2, "right.issued", read_at=NOON + 1500, seconds=1800),
    line(3, "session.starting"),
    line(4, "session.running", remaining_seconds=1799.0, verified_by="window"),
    line(5, "session.interrupted", lost_seconds=2.5),
    line(6, "session.interrupted", lost_seconds=6.0),
    line(7, "session.warned", seconds_left=300.0),
    line(8, "session.warning_shown", seconds_left=300.0),
    line(9, "session.warned", seconds_left=60.0),
    line(10, "stop.instructed", reason="time_up"),
    line(11, "command.state", state="accepted"),
    line(12, "session.ending"),
    line(13, "session.ended", reason="time_up", delivered_seconds=1793.0, lost_seconds=6.0),
    line(14, "reservation.completed"),
    line(15, "reservation.compensated", None, seconds=6.0, cents=5, currency="JPY"),
)


def test_a_whole_use_is_told_from_its_booking_to_the_money():
    moments = timeline_of(A_USE)
    assert told(moments) == [
        *(MomentKind.BOOKED, MomentKind.SCANNED, MomentKind.OPENED, MomentKind.STARTING),
        *(MomentKind.STARTED, MomentKind.INTERRUPTED, MomentKind.INTERRUPTED, MomentKind.WARNED),
        *(MomentKind.WARNING_UNSEEN, MomentKind.STOP_INSTRUCTED, MomentKind.STOP_ANSWERED),
        *(MomentKind.ENDING, MomentKind.STOPPED, MomentKind.COMPLETED, MomentKind.PAID_BACK),
    ]
    assert moments[1].at == NOON + 1500, "when it was read, not when that arrived"
    assert [each.facts["seconds"] for each in moments[5:7]] == [2.5, 3.5], "each its own loss"
    assert moments[7].evidence == (7, 8)
    told_of = {number for moment in moments for number in moment.evidence}
    assert told_of == {each.entry for each in A_USE}, "every line is somebody's evidence"
    assert not FOR_OPERATORS & set(told(for_customer(moments)))


def test_its_sentences_say_what_was_given():
    said = {
        language: [moment_words_for(each, language, amount) for each in timeline_of(A_USE)]
        for language in LANGUAGES
    }
    assert said["en"][4] == "The program runs: its window is on the screen."
    assert said["ja"][4] == "起動を画面の表示で確認しました。"
    assert said["en"][12] == (
        "Ended, and seen to be gone: the time was up. 29 min 53 s were given."
    )
    assert said["ja"][14] == "ご利用いただけなかった6秒分として5 JPYを返金します。"


def test_a_warning_that_no_screen_has_shown_is_told_as_such():
    other = line(8, "session.warning_shown", "s-2", seconds_left=300.0)
    early = line(6, "session.warning_shown", seconds_left=300.0)
    for word in (other, early, line(8, "session.warning_shown", seconds_left=60.0)):
        assert told(timeline_of([A_USE[6], word])) == [MomentKind.WARNING_UNSEEN]


def test_an_end_that_was_only_presumed_is_settled_by_the_late_report():
    presumed = line(12, "session.presumed_stopped")
    assert told(timeline_of([presumed, A_USE[12]])) == [MomentKind.PRESUMED, MomentKind.SETTLED]
    of_another = replace(presumed, session="s-2")
    assert told(timeline_of([of_another, A_USE[12]]))[1] is MomentKind.STOPPED


def test_money_that_is_corrected_is_not_told_as_paid_back_again():
    more = line(16, "reservation.compensated", None, seconds=-6.0, cents=-5, currency="JPY")
    first, second = timeline_of([A_USE[14], more])
    assert (first.kind, second.kind) == (MomentKind.PAID_BACK, MomentKind.CORRECTED)


def test_a_reader_whose_clock_is_wrong_does_not_put_the_scan_elsewhere():
    for read_at in (0, NOON + 10**9, "yesterday", None):
        scanned, opened = timeline_of([line(2, "right.issued", read_at=read_at, seconds=1800)])
        assert scanned.at == opened.at


def test_what_runs_now_is_told_by_its_heartbeats_to_the_operator():
    watched = Watched(
        session="s-1", first_at=NOON, last_at=NOON + 9000, number=12, delivered_seconds=700.0
    )
    alive = timeline_of(A_USE[:4], [watched])[-1]
    assert (alive.kind, alive.is_for_customer) == (MomentKind.ALIVE, False)
    said = moment_words_for(alive, "en", amount)
    assert said == "It runs: 11 min 40 s given so far, 12 heartbeats."


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("turnover", MomentKind.TURNED_OVER),
        ("available", MomentKind.READY_AGAIN),
        ("out_of_order", MomentKind.OUT_OF_ORDER),
        ("asleep", MomentKind.OTHER),
    ],
)
def test_what_became_of_the_device_is_told_to_the_operator_alone(state: str, kind: MomentKind):
    moments = timeline_of([line(1, "device.told", state=state, fault="reset_failed")])
    assert told(moments) == [kind]
    assert for_customer(moments) == ()


def test_a_line_that_is_not_known_is_told_to_the_operator_alone():
    (moment,) = timeline_of([line(1, "something.new", key="secret")])
    assert (moment.kind, moment.is_for_customer) == (MomentKind.OTHER, False)
    assert moment_words_for(moment, "en", amount) == "In the ledger: something.new."


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_moment_reason_and_check_has_its_words_in_every_language(language: str):
    assert set(MOMENT_WORDS) == set(REASON_WORDS) == set(CHECK_WORDS) == set(LANGUAGES)
    assert set(MOMENT_WORDS[language]) == set(MomentKind)
    assert set(REASON_WORDS[language]) == set(EndReason)
    assert set(CHECK_WORDS[language]) == {"process", "port", "window", "file", "command"}
    for sentence in MOMENT_WORDS[language].values():
        bare = re.sub(r"\{(denial|call_end)\}", FULL_STOP[language], sentence)
        assert bare.endswith(FULL_STOP[language])
        assert len(sentence) <= LENGTH_MAX
    assert len(set(MOMENT_WORDS[language].values())) == len(MomentKind)


FACTS = st.dictionaries(
    st.sampled_from(
        "seconds seconds_left delivered_seconds reason verified_by cents currency state type "
        "heartbeats missed read_at lost_seconds".split()
    ),
    st.none() | st.booleans() | st.floats(0, 1e9) | st.integers(-(10**9), 10**15) | st.text(),
)
TYPES = st.sampled_from([each.type for each in A_USE]) | st.text(max_size=20)


@settings(max_examples=60)
@given(
    lines=st.lists(st.tuples(TYPES, FACTS), max_size=5),
    language=st.sampled_from([*LANGUAGES, "tlh"]),
)
def test_whatever_the_ledger_says_it_can_be_told(lines, language):
    made = [line(number, kind, **facts) for number, (kind, facts) in enumerate(lines)]
    moments = timeline_of(made)
    assert [moment.at for moment in moments] == sorted(moment.at for moment in moments)
    for moment in moments:
        assert moment_words_for(moment, language, amount)
        assert moment.sign in Sign
        assert moment.evidence


@pytest.mark.parametrize(
    ("seconds", "en", "ja"),
    [
        (0, "0 s", "0秒"),
        (59.999, "59 s", "59秒"),
        (1780, "29 min 40 s", "29分40秒"),
        (7200, "2 h", "2時間"),
        (-3, "0 s", "0秒"),
    ],
)
def test_a_length_is_told_in_hours_minutes_and_seconds(seconds: float, en: str, ja: str):
    assert re.sub(r"\s+", " ", length_in_words(seconds, "en").strip()) == en
    assert length_in_words(seconds, "ja") == ja
