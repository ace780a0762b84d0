"""E6: who can be called, at what price, and when time alone ends a call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.codec import PAYLOAD_BYTES_MAX, Envelope, read, write
from common.messages.help import (
    HELPERS_THERE_MAX,
    LINE_LENGTH_MAX,
    LINES_TOLD_MAX,
    NAME_LENGTH_MAX,
    Bilingual,
    HelperThere,
    HelpThere,
    HelpTold,
    LineTold,
)
from common.rules.help import (
    SILENCE_SECONDS_MAX,
    WAIT_SECONDS_MAX,
    WAITING_MAX,
    CallEnd,
    CallState,
    Choice,
    HelperState,
    clean_line,
    is_there,
    overdue,
    refusal_of,
)

NOW = 1_000_000_000
FREE = Choice(
    state=HelperState.ON,
    lease_until=NOW + 1,
    waiting=0,
    price_cents=0,
    currency="JPY",
    agreed_cents=0,
    agreed_currency="JPY",
)


def test_e6_only_who_has_logged_in_and_is_heard_of_can_be_chosen():
    assert is_there(HelperState.ON, NOW + 1, NOW)
    assert not is_there(HelperState.ON, NOW, NOW)
    assert not is_there(HelperState.OFF, NOW + 1, NOW)
    assert not is_there(HelperState.REGISTERED, NOW + 1, NOW)
    assert not is_there(None, NOW + 1, NOW)


@pytest.mark.parametrize(
    ("choice", "refusal"),
    [
        (FREE, None),
        (replace(FREE, state=None), CallEnd.NOT_THERE),
        (replace(FREE, lease_until=NOW), CallEnd.NOT_THERE),
        (replace(FREE, waiting=WAITING_MAX), CallEnd.TOO_MANY),
        (replace(FREE, waiting=WAITING_MAX - 1), None),
        (replace(FREE, price_cents=100), CallEnd.PRICE_CHANGED),
        (replace(FREE, price_cents=100, agreed_cents=100), None),
        (replace(FREE, price_cents=90, agreed_cents=100), None),
        (replace(FREE, price_cents=100, agreed_cents=99), CallEnd.PRICE_CHANGED),
        (
            replace(FREE, price_cents=100, agreed_cents=100, agreed_currency="EUR"),
            CallEnd.PRICE_CHANGED,
        ),
    ],
)
def test_e6_nobody_is_taken_at_a_price_that_he_has_not_agreed_to(choice, refusal):
    assert refusal_of(choice, NOW) is refusal


def test_a_call_that_nobody_takes_up_and_one_in_which_nobody_writes_end_by_time():
    waited, silent = int(WAIT_SECONDS_MAX * 1000), int(SILENCE_SECONDS_MAX * 1000)
    assert overdue(CallState.WAITING, NOW, None, NOW + waited - 1) is None
    assert overdue(CallState.WAITING, NOW, NOW + 9, NOW + waited) is CallEnd.NOT_ANSWERED
    assert overdue(CallState.OPEN, NOW, NOW + 9, NOW + silent) is None
    assert overdue(CallState.OPEN, NOW, NOW + 9, NOW + 9 + silent) is CallEnd.SILENT
    assert overdue(CallState.ENDED, NOW, None, NOW + 10 * silent) is None


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" Hello \n", "Hello"),
        ("one\ntwo", "one\ntwo"),
        ("a\tb", "a b"),
        ("\x1b[2Jgone\x00", "[2Jgone"),
        ("safe\u202eexe.txt", "safeexe.txt"),
        ("\x07 \u200f", ""),
        ("助けてください\u3000🙂", "助けてください\u3000🙂"),
    ],
)
def test_a_line_is_kept_without_what_is_not_to_be_seen(written: str, kept: str):
    assert clean_line(written) == kept


def test_the_longest_that_can_be_said_of_help_fits_one_message():
    wide = "\U0001f600"
    line = LineTold(number=1, by="helper", text=wide * LINE_LENGTH_MAX, at=NOW)
    told = HelpTold(call="c", device="d", state="open", lines=(line,) * LINES_TOLD_MAX)
    helper = HelperThere(
        helper="h" * 64,
        name=wide * NAME_LENGTH_MAX,
        title=Bilingual(ja=wide * 200, en=wide * 200),
        languages=("ja", "en", "fr", "de"),
    )
    there = HelpThere(number=1, helpers=(helper,) * HELPERS_THERE_MAX)
    for message in (told, there):
        envelope = Envelope(id="m-1", terminal="t-1", epoch="e0", sent_at=1, message=message)
        assert len(write(envelope)) <= PAYLOAD_BYTES_MAX
        assert read(write(envelope)) == envelope
