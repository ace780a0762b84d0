"""What a terminal without the line may begin by itself: every reason, and nothing between (C4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from common.rules.clock import BELIEVED_SECONDS, Heard, OwnClocks, trusted_now
from common.rules.sessions import EndReason, Use, owed_cents, owed_seconds
from common.rules.tickets import (
    Admission,
    Alone,
    AloneFacts,
    Denial,
    DenialReason,
    HeldFacts,
    RecallWhy,
    decide_alone,
    outranks,
    why_doubted,
)
from tests.rules.ticket_kit import DOOR, HOUR_MS, NOW, TICKET, TOKEN

HELD = HeldFacts(
    device="d-3",
    token_digest="ab",  # noqa: S106 - a digest in a test
    opens_at=NOW - 300_000,
    ends_at=NOW + HOUR_MS,
    is_released=False,
)
FACTS = AloneFacts(
    token=TOKEN,
    token_digest="ab",  # noqa: S106 - a digest in a test
    is_signed=True,
    held=HELD,
    is_used=False,
    device="d-3",
    device_number=3,
    device_is_in_use=False,
    store_number=7,
    may_start_by_signature=False,
)
BY_SIGNATURE = replace(FACTS, held=None, may_start_by_signature=True)

IN_ORDER: tuple[tuple[DenialReason, dict[str, Any]], ...] = (
    (DenialReason.BAD_SIGNATURE, {"is_signed": False}),
    (DenialReason.REVOKED, {"held": replace(HELD, is_released=True)}),
    (DenialReason.ALREADY_USED, {"is_used": True}),
    (DenialReason.WRONG_STORE, {"store_number": 8}),
    (DenialReason.WRONG_DEVICE, {"device": "d-4", "device_number": 4}),
    (DenialReason.DEVICE_OUT_OF_ORDER, {"device_is_out_of_order": True}),
    (DenialReason.DEVICE_IN_USE, {"device_is_in_use": True}),
    (DenialReason.DEVICE_IN_TURNOVER, {"device_is_in_turnover": True}),
)


def reason_of(facts: AloneFacts, now: int | None = NOW) -> DenialReason | None:
    """Return why a terminal alone does not begin a session, or None: it does."""
    found = decide_alone(facts, now=now)
    return found.reason if isinstance(found, Denial) else None


def test_a_ticket_that_is_held_opens_its_device_until_its_slot_ends():
    found = decide_alone(FACTS, now=NOW)
    assert found == Alone(
        ticket=TOKEN.ticket, admission=Admission.HELD, at=NOW, granted_seconds=3600.0
    )


@pytest.mark.parametrize(("reason", "changed"), IN_ORDER)
def test_every_reason_can_be_the_only_one(reason: DenialReason, changed: dict[str, Any]):
    assert reason_of(replace(FACTS, **changed)) is reason


@pytest.mark.parametrize("first", range(len(IN_ORDER)))
@pytest.mark.parametrize("second", range(len(IN_ORDER)))
def test_of_two_reasons_the_earlier_one_is_said(first: int, second: int):
    told, other = IN_ORDER[min(first, second)], IN_ORDER[max(first, second)]
    assert reason_of(replace(FACTS, **{**other[1], **told[1]})) is told[0]


def test_c4_a_ticket_that_was_told_to_be_dead_starts_nothing_by_its_signature():
    for dead in (TOKEN.revision, TOKEN.revision + 1):
        told = replace(BY_SIGNATURE, dead_revision=dead)
        assert reason_of(told) is DenialReason.REVOKED
    newer = replace(BY_SIGNATURE, token=replace(TOKEN, revision=1), dead_revision=0)
    assert isinstance(decide_alone(newer, now=NOW), Alone)


def test_c4_where_not_all_the_dead_were_told_only_a_ticket_that_ends_before_starts():
    ends_at = TOKEN.starts_at + TOKEN.length_seconds * 1000
    told = replace(BY_SIGNATURE, revoked_until=ends_at)
    assert isinstance(decide_alone(told, now=NOW), Alone)
    less = replace(BY_SIGNATURE, revoked_until=ends_at - 1)
    assert reason_of(less) is DenialReason.NOT_ON_OFFLINE_LIST
    assert isinstance(decide_alone(replace(FACTS, revoked_until=0), now=NOW), Alone)


def test_another_revision_of_a_held_ticket_is_revoked():
    other = replace(FACTS, token_digest="cd")  # noqa: S106 - a digest in a test
    assert reason_of(other) is DenialReason.REVOKED


def test_what_is_not_held_opens_only_where_the_operator_allows_it():
    assert reason_of(replace(FACTS, held=None)) is DenialReason.NOT_ON_OFFLINE_LIST
    found = decide_alone(BY_SIGNATURE, now=NOW)
    assert isinstance(found, Alone)
    assert found.admission is Admission.SIGNATURE
    anywhere = replace(BY_SIGNATURE, token=replace(TOKEN, device_number=0))
    assert isinstance(decide_alone(anywhere, now=NOW), Alone)


def test_without_a_time_no_window_is_open():
    for facts in (FACTS, BY_SIGNATURE):
        assert reason_of(facts, None) is DenialReason.CLOCK_UNTRUSTED


@given(offset_ms=st.integers(-2 * HOUR_MS, 2 * HOUR_MS))
def test_a_window_is_open_from_its_opening_to_its_end_and_no_longer(offset_ms: int):
    found = decide_alone(FACTS, now=NOW + offset_ms)
    assert isinstance(found, Alone) is (-300_000 <= offset_ms < HOUR_MS)
    if isinstance(found, Alone):
        assert found.at + found.granted_seconds * 1000 == HELD.ends_at


OWN = OwnClocks(wall_at=NOW + 99, boot_seconds=100.0, boot_id="b", is_synchronised=False)
HEARD = Heard(server_at=NOW, boot_seconds=40.0, boot_id="b", floor_at=NOW)


def test_the_controller_s_word_is_carried_on_by_the_clock_that_nobody_sets():
    assert trusted_now(OWN, HEARD) == NOW + 60_000
    assert trusted_now(replace(OWN, wall_at=0), HEARD) == NOW + 60_000


def test_in_another_boot_only_a_clock_that_is_kept_counts():
    later = replace(OWN, boot_id="c")
    assert trusted_now(later, HEARD) is None
    assert trusted_now(replace(later, is_synchronised=True), HEARD) == NOW + 99
    early = replace(later, is_synchronised=True, wall_at=NOW - 1)
    assert trusted_now(early, HEARD) is None, "it was later than that already"
    kept = replace(later, is_synchronised=True)
    assert trusted_now(kept, replace(HEARD, floor_at=kept.wall_at + 1)) is None


def test_no_word_is_carried_on_for_ever():
    old = replace(OWN, boot_seconds=HEARD.boot_seconds + BELIEVED_SECONDS + 1)
    assert trusted_now(old, HEARD) is None
    assert trusted_now(OWN, None) is None


def test_a_greater_reason_to_call_a_ticket_back_outranks_a_lesser():
    assert outranks(RecallWhy.CANCEL, RecallWhy.ELSEWHERE)
    assert not outranks(RecallWhy.ELSEWHERE, RecallWhy.CANCEL)
    assert not any(outranks(why, why) for why in RecallWhy)


@pytest.mark.parametrize(
    ("ticket", "door", "is_held", "admission", "doubted"),
    [
        (TICKET, DOOR, True, Admission.HELD, None),
        (TICKET, DOOR, True, Admission.SIGNATURE, False),
        (TICKET, DOOR, False, Admission.HELD, False),
        (None, DOOR, True, Admission.HELD, True),
        (TICKET, None, True, Admission.HELD, True),
        (replace(TICKET, ticket_state="spent"), DOOR, True, Admission.HELD, True),
        (replace(TICKET, ticket_state="void"), DOOR, True, Admission.HELD, True),
        (replace(TICKET, live_terminal="t-2"), DOOR, True, Admission.HELD, True),
        (TICKET, replace(DOOR, is_in_use=True), True, Admission.HELD, True),
    ],
)
def test_what_a_terminal_began_by_itself_is_believed_as_far_as_it_can_be(
    ticket, door, is_held, admission, doubted
):
    doubt = why_doubted(ticket, door, is_held=is_held, admission=admission)
    assert (None if doubt is None else doubt.is_impossible) is doubted


def use(granted: float, delivered: float | None, reason: EndReason = EndReason.TIME_UP) -> Use:
    return Use(granted_seconds=granted, delivered_seconds=delivered, end_reason=reason)


@pytest.mark.parametrize(
    ("uses", "owed"),
    [
        ([], 0.0),
        ([use(1800, 1800)], 0.0),
        ([use(1800, 1799.5)], 0.0),
        ([use(3600, 2460, EndReason.PROGRAM_FAILED)], 1140.0),
        ([use(1800, 600, EndReason.CUSTOMER_ENDED)], 0.0),
        ([use(1800, 0, EndReason.PROGRAM_FAILED), use(1700, 1700)], 100.0),
        ([use(1800, 0, EndReason.PROGRAM_FAILED), use(1700, 50, EndReason.CUSTOMER_ENDED)], 100.0),
        ([use(1800, 0, EndReason.PROGRAM_FAILED)] * 3, 1800.0),
        ([use(1800, None, EndReason.UNKNOWN)], 0.0),
    ],
)
def test_what_was_granted_and_not_delivered_is_owed(uses: list[Use], owed: float):
    assert owed_seconds(uses) == pytest.approx(owed)


@given(granted=st.floats(1, 1e5), delivered=st.floats(0, 1e5), price=st.integers(0, 10**7))
def test_nobody_is_owed_more_than_he_was_granted_or_has_paid(granted, delivered, price):
    uses = [use(granted, min(delivered, granted))]
    assert 0 <= owed_seconds(uses) <= granted
    assert 0 <= owed_cents(price, granted, uses) <= price


def test_what_had_nothing_delivered_is_paid_back_whole():
    assert owed_cents(1500, 1800, [use(1790, 0, EndReason.PROGRAM_FAILED)]) == 1500
    late = [use(900, 0, EndReason.PROGRAM_FAILED)]
    assert owed_cents(1500, 1800, late) == 750, "who came late has left half of it himself"
    assert owed_cents(1500, 1800, [use(1800, 900, EndReason.PROGRAM_FAILED)]) == 750
