"""A code that changes by itself: fresh for its ticket and revision, for four steps and no more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from common.errors import TokenIsMalformed
from common.rules.tickets import (
    SHOWN_LENGTH,
    AloneFacts,
    Denial,
    DenialReason,
    HeldFacts,
    code_at,
    code_key,
    code_part,
    decide_alone,
    is_fresh,
    read_shown,
    token_digest,
    token_part,
)
from common.seals import ROTATES, TOKEN_LENGTH, new_signing_key, read_token, seal_token
from tests.rules.ticket_kit import HOUR_MS, NOW, TOKEN

STEP_MS = 30_000
KEY = new_signing_key(b"k" * 32)
PLAIN = seal_token(TOKEN, KEY)
ROTATING = replace(TOKEN, flags=ROTATES)
SIGNED = seal_token(ROTATING, KEY)

secrets = st.binary(min_size=32, max_size=32)
tickets = st.binary(min_size=8, max_size=8).map(bytes.hex)
revisions = st.integers(0, 255)
steps = st.integers(10, 2**40)
parts = st.tuples(*(st.integers(0, STEP_MS - 1),) * 2)


@given(secrets, tickets, revisions, steps, parts, st.integers(-10, 10))
def test_c1_a_code_counts_in_its_step_two_later_and_one_before(
    secret, ticket, revision, step, parts, steps_old
):
    drawn, read = parts
    key = code_key(secret, ticket, revision)
    code = code_at(key, step * STEP_MS + drawn)
    assert is_fresh(key, code, (step + steps_old) * STEP_MS + read) == (-1 <= steps_old <= 2)


@given(secrets, tickets, revisions, tickets, revisions, steps)
def test_c1_a_code_counts_for_its_ticket_and_revision_alone(
    secret, ticket, revision, other, another, step
):
    now = step * STEP_MS
    code = code_at(code_key(secret, ticket, revision), now)
    is_same = (ticket, revision) == (other, another)
    assert is_fresh(code_key(secret, other, another), code, now) == is_same


@given(secrets, tickets, steps, st.text(max_size=12))
def test_c1_nothing_else_counts(secret, ticket, step, text):
    assert not is_fresh(code_key(secret, ticket, 0), text, step * STEP_MS)


@given(secrets, steps)
def test_c1_a_token_with_its_code_is_taken_apart(secret, step):
    code = code_at(code_key(secret, TOKEN.ticket, 0), step * STEP_MS)
    shown = SIGNED + code
    assert len(shown) == SHOWN_LENGTH == 154
    assert (token_part(shown), code_part(shown)) == (SIGNED, code)
    assert read_shown(shown) == read_token(SIGNED)
    assert token_digest(shown) == token_digest(SIGNED)


def test_c1_a_token_that_does_not_rotate_is_what_it_was_and_bears_no_code():
    assert len(PLAIN) == TOKEN_LENGTH
    assert read_shown(PLAIN) == read_token(PLAIN)
    assert not read_shown(PLAIN).token.rotates
    with pytest.raises(TokenIsMalformed):
        read_shown(PLAIN + code_at(b"k" * 32, NOW))


@given(st.text(max_size=12))
def test_c1_what_is_no_code_makes_no_ticket(text):
    letters = set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    if not text or (len(text) == 10 and letters.issuperset(text)):
        assert read_shown(SIGNED + text).token.rotates
        return
    with pytest.raises(TokenIsMalformed):
        read_shown(SIGNED + text)


@pytest.mark.parametrize("is_held", [True, False])
@pytest.mark.parametrize("rotates", [True, False])
def test_c1_a_terminal_alone_refuses_what_it_cannot_check(is_held, rotates):
    text, token = (SIGNED, ROTATING) if rotates else (PLAIN, TOKEN)
    held = HeldFacts(
        device="d-3",
        token_digest=token_digest(text),
        opens_at=NOW,
        ends_at=NOW + HOUR_MS,
        is_released=False,
    )
    facts = AloneFacts(
        token=token,
        token_digest=token_digest(text),
        is_signed=True,
        held=held if is_held else None,
        is_used=False,
        device="d-3",
        device_number=3,
        device_is_in_use=False,
        store_number=7,
        may_start_by_signature=True,
    )
    found = decide_alone(facts, now=NOW)
    refused = Denial(reason=DenialReason.NOT_ON_OFFLINE_LIST)
    assert (found == refused) == rotates
