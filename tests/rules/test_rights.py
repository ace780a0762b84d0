"""What the server answers to each message of an exchange, in each state it can be in (B1-B11)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from common.ids import CommId
from common.rules.rights import (
    CLIENT,
    ClientEvent,
    ClientState,
    ServerRecord,
    ServerState,
    Verdict,
    announced,
    closed,
    hear_abort,
    hear_announce,
    hear_complete,
    hear_request,
)

MINE, THEIRS = "0" * 32, "f" * 32
ASKED, ANSWERED = "request", "answer"


def named(seq: int, nonce: str = MINE) -> CommId:
    return CommId(party="t-1", epoch="e0", kind="session:d-1", seq=seq, nonce=nonce)


NOTHING = ServerRecord()
MARKED = ServerRecord(mark_seq=4, mark_nonce=MINE)
ANNOUNCED = announced(MARKED, named(5))
ISSUED = replace(
    ANNOUNCED, state=ServerState.ISSUED, request_digest=ASKED, answer="…", answer_digest=ANSWERED
)
REFUSED = replace(ISSUED, state=ServerState.REFUSED)
CLOSED = closed(ISSUED)


def request(record: ServerRecord, comm_id: CommId, digest: str = ASKED) -> Verdict:
    return hear_request(record, comm_id, digest)


def complete(record: ServerRecord, comm_id: CommId, digest: str = ANSWERED) -> Verdict:
    return hear_complete(record, comm_id, digest)


def announce(
    record: ServerRecord, comm_id: CommId, completed: tuple[CommId, str] | None = None
) -> Verdict:
    return hear_announce(record, comm_id, completed)


TABLE = (
    # record     announce               request           complete                abort
    (MARKED, Verdict.STORE, Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.CLOSE),
    (ANNOUNCED, Verdict.SAY_ANNOUNCED, Verdict.DECIDE, Verdict.BUSY, Verdict.CLOSE),
    (ISSUED, Verdict.SAY_ANNOUNCED, Verdict.REPEAT, Verdict.CLOSE, Verdict.REPEAT),
    (REFUSED, Verdict.SAY_ANNOUNCED, Verdict.REPEAT, Verdict.CLOSE, Verdict.CLOSE),
    (CLOSED, Verdict.CLOSED, Verdict.CLOSED, Verdict.SAY_COMPLETED, Verdict.SAY_ABORTED),
)


@pytest.mark.parametrize(
    ("record", "to_announce", "to_request", "to_complete", "to_abort"),
    TABLE,
    ids=["none", "announced", "issued", "refused", "closed"],
)
def test_each_message_in_each_state_has_its_verdict(
    record, to_announce, to_request, to_complete, to_abort
):
    assert announce(record, named(5)) is to_announce
    assert request(record, named(5)) is to_request
    assert complete(record, named(5)) is to_complete
    assert hear_abort(record, named(5)) is to_abort


@pytest.mark.parametrize("record", [ANNOUNCED, ISSUED, REFUSED, CLOSED])
@pytest.mark.parametrize("hear", [announce, request, complete, hear_abort])
def test_a_second_nonce_at_one_number_proves_a_copy(record: ServerRecord, hear):
    assert hear(record, named(5, THEIRS)) is Verdict.FORKED


@pytest.mark.parametrize("record", [MARKED, ANNOUNCED, ISSUED, REFUSED, CLOSED])
def test_a_number_that_is_closed_never_asks_or_announces_again(record: ServerRecord):
    assert announce(record, named(2)) is Verdict.CLOSED
    assert request(record, named(2)) is Verdict.CLOSED


def test_b2_a_request_without_an_announcement_is_unknown():
    assert request(NOTHING, named(1)) is Verdict.UNKNOWN


def test_another_request_under_the_same_identification_is_a_mismatch():
    assert request(ISSUED, named(5), "another request") is Verdict.MISMATCH
    assert request(REFUSED, named(5), "another request") is Verdict.MISMATCH


def test_b8_a_completion_names_what_was_stored_or_closes_nothing():
    assert complete(ISSUED, named(5), "another answer") is Verdict.MISMATCH


def test_b9_only_its_own_completion_lets_an_announcement_follow_an_open_exchange():
    assert announce(ISSUED, named(6)) is Verdict.MISMATCH
    assert announce(ISSUED, named(6), (named(5), "another answer")) is Verdict.MISMATCH
    assert announce(ISSUED, named(6), (named(5, THEIRS), ANSWERED)) is Verdict.MISMATCH
    assert announce(ANNOUNCED, named(6), (named(5), "")) is Verdict.MISMATCH
    assert announce(ISSUED, named(6), (named(5), ANSWERED)) is Verdict.STORE


def test_an_announcement_that_carries_a_completion_closes_what_it_completes():
    after = announced(ISSUED, named(6))
    assert (after.mark_seq, after.mark_nonce) == (5, MINE)
    assert (after.seq, after.state, after.answer) == (6, ServerState.ANNOUNCED, "")


def test_giving_up_closes_also_an_identification_nobody_knew():
    assert hear_abort(NOTHING, named(3)) is Verdict.CLOSE
    after = closed(NOTHING, named(3))
    assert announce(after, named(3)) is Verdict.CLOSED
    assert announce(after, named(4)) is Verdict.STORE


def test_giving_up_one_exchange_leaves_another_open_one_alone():
    assert hear_abort(ISSUED, named(6)) is Verdict.MISMATCH


def test_the_mark_stands_when_everything_else_of_an_exchange_is_gone():
    assert ServerRecord(mark_seq=5, mark_nonce=MINE) == CLOSED


@given(seqs=st.lists(st.integers(1, 12), max_size=20))
def test_the_mark_of_a_class_only_grows(seqs: list[int]):
    record = NOTHING
    for seq in seqs:
        if announce(record, named(seq)) is Verdict.STORE:
            grown = announced(record, named(seq))
        elif hear_abort(record, named(seq)) is Verdict.CLOSE:
            grown = closed(record, named(seq))
        else:
            grown = record
        assert grown.mark_seq >= record.mark_seq
        record = grown


def test_a_client_that_has_its_answer_is_not_stopped_by_late_accusations():
    for state in (ClientState.IDLE, ClientState.COMPLETING):
        assert CLIENT.step(state, ClientEvent.HEAR_FORKED) is None


@given(text=st.text(max_size=80))
def test_what_is_no_communication_id_is_refused(text: str):
    with pytest.raises(ValueError, match="not a communication id"):
        CommId.parse(text)


@given(seq=st.integers(1, 10**18 - 1), nonce=st.integers(0, 2**128 - 1))
def test_b1_an_identification_is_read_back_as_it_was_written(seq: int, nonce: int):
    made = named(seq, f"{nonce:032x}")
    assert CommId.parse(str(made)) == made
