"""A ticket opens its device, or is refused for the reason its customer can act on (C3, C4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from common.rules.reservations import ReservationState
from common.rules.tickets import (
    Denial,
    DenialReason,
    Moment,
    granted_seconds,
    is_the_one_issued,
    sight,
    why_not,
)
from common.seals import TicketToken, new_signing_key, seal_token
from tests.rules.ticket_kit import DOOR, HOUR_MS, MOMENT, NOW, TICKET, TOKEN, moment_at

KEY, STRANGER = new_signing_key(bytes(32)), new_signing_key(bytes([1] * 32))


def denied(
    ticket: dict[str, Any], door: dict[str, Any], token: TicketToken = TOKEN
) -> Denial | None:
    changed = replace(TICKET, **ticket)
    opens_at = max(NOW, changed.opens_at)
    moment = Moment(now=NOW, store_opens_at=opens_at)
    return why_not(token, changed, replace(DOOR, **door), moment)


def test_c4_a_good_ticket_at_its_own_device_in_its_time_is_not_refused():
    assert why_not(TOKEN, TICKET, DOOR, MOMENT) is None


def test_a_ticket_nobody_issued_is_unknown_and_says_nothing_more():
    denial = why_not(TOKEN, None, DOOR, MOMENT)
    assert denial == Denial(reason=DenialReason.UNKNOWN_TICKET)


def test_the_customer_is_told_where_and_when_the_ticket_opens():
    elsewhere = denied({}, {"device": "d-4", "device_number": 4})
    assert elsewhere == Denial(reason=DenialReason.WRONG_DEVICE, device="d-3")
    early = denied({"starts_at": NOW + HOUR_MS, "ends_at": NOW + 2 * HOUR_MS}, {})
    opens_at = NOW + HOUR_MS - 300_000
    assert early == Denial(reason=DenialReason.TOO_EARLY, opens_at=opens_at)


def test_a_ticket_that_was_moved_opens_the_device_it_was_moved_to():
    moved = {"device": "d-9"}
    assert denied(moved, {"device_number": 9, "device": "d-9"}) is None
    denial = denied(moved, {})
    assert denial == Denial(reason=DenialReason.WRONG_DEVICE, device="d-9")


def test_a_ticket_that_this_very_terminal_holds_opens_its_device():
    assert denied({"held_by": DOOR.terminal}, {}) is None
    elsewhere = denied({"held_by": "t-2"}, {})
    assert elsewhere == Denial(reason=DenialReason.BUSY_TRY_AGAIN, is_held=True)


def test_a_ticket_for_any_device_opens_each_device_of_its_offering():
    anywhere = replace(TOKEN, device_number=0)
    assert denied({}, {"device_number": 9, "device": "d-9"}, anywhere) is None
    denial = denied({}, {"device_number": 9, "device": "d-9", "offering": "o-2"}, anywhere)
    assert denial is not None
    assert denial.reason is DenialReason.WRONG_DEVICE


@given(offset_ms=st.integers(-2 * HOUR_MS, 2 * HOUR_MS), early=st.integers(0, 3600))
def test_a_ticket_opens_only_inside_its_window(offset_ms: int, early: int):
    ticket = replace(TICKET, early_seconds=early)
    now = NOW + offset_ms
    moment = Moment(now=now, store_opens_at=max(now, ticket.opens_at))
    denial = why_not(TOKEN, ticket, DOOR, moment)
    assert (denial is None) is (-early * 1000 <= offset_ms < HOUR_MS)


@given(offset_ms=st.integers(-300_000, HOUR_MS - 1))
def test_a_session_never_outlasts_its_slot(offset_ms: int):
    now = NOW + offset_ms
    assert why_not(TOKEN, TICKET, DOOR, moment_at(now)) is None
    assert now + granted_seconds(TICKET, now=now) * 1000 == TICKET.ends_at


@given(
    state=st.sampled_from(["reserved", "spent", "void"]),
    reservation=st.sampled_from(ReservationState),
    live=st.sampled_from([None, "t-1", "t-2"]),
    offset_ms=st.integers(-HOUR_MS, 2 * HOUR_MS),
)
def test_a_ticket_that_is_not_issued_opens_nothing_ever(state, reservation, live, offset_ms):
    ticket = replace(TICKET, ticket_state=state, reservation_state=reservation, live_terminal=live)
    assert why_not(TOKEN, ticket, DOOR, moment_at(NOW + offset_ms)) is not None


def test_a_ticket_of_ours_is_seen_as_what_was_sealed():
    seen = sight(seal_token(TOKEN, KEY))
    assert not isinstance(seen, Denial)
    assert seen.token == TOKEN


@pytest.mark.parametrize("text", ["", "hello", "RSB1", "A" * 144, "\x1b[2J", "RSB1" + "!" * 140])
def test_what_is_no_ticket_is_unknown(text: str):
    assert sight(text) == Denial(reason=DenialReason.UNKNOWN_TICKET)


def test_only_the_very_text_that_was_issued_is_believed_unchecked():
    text = seal_token(TOKEN, KEY)
    issued = replace(TICKET, token=text)
    assert is_the_one_issued(text, issued)
    assert not is_the_one_issued(seal_token(TOKEN, STRANGER), issued)
    assert not is_the_one_issued(text[:-1] + "Z", issued)
    assert not is_the_one_issued(text, None)
