"""What the server answers to each message of an exchange, in each state it can be in (B1-B11)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from common.ids import CommId
from common.rules.rights import (
    SERVER,
    Said,
    Saying,
    ServerRecord,
    ServerState,
    Verdict,
    after,
    answered,
    hear,
    proves_a_copy,
)

MINE, THEIRS = "0" * 32, "f" * 32
ASKED, ANSWERED = "request", "answer"
LATER = (6, 7)
"""Numbers after the one that is open in these records."""


def said(saying: Saying, seq: int = 5, nonce: str = MINE, **more) -> Said:
    digests = {Saying.REQUEST: ASKED, Saying.COMPLETE: ANSWERED, Saying.PRESENT: ANSWERED}
    more.setdefault("digest", digests.get(saying, ""))
    return Said(saying=saying, seq=seq, nonce=nonce, **more)


def announce(seq: int, completed: tuple[int, str, str] | None = None) -> Said:
    return said(Saying.ANNOUNCE, seq, completed=completed)


def abort(seq: int, completed: tuple[int, str, str] | None = None) -> Said:
    return said(Saying.ABORT, seq, completed=completed)


def decided(record: ServerRecord, *, is_issued: bool) -> ServerRecord:
    return answered(
        record, said(Saying.REQUEST), is_issued=is_issued, answer="…", answer_digest=ANSWERED
    )


NOTHING = ServerRecord()
MARKED = ServerRecord(mark_seq=4, mark_nonce=MINE)
ANNOUNCED = after(MARKED, announce(5), Verdict.STORE)
ISSUED = decided(ANNOUNCED, is_issued=True)
REFUSED = decided(ANNOUNCED, is_issued=False)
CLOSED = after(ISSUED, said(Saying.COMPLETE), Verdict.CLOSE)
OPEN = (ANNOUNCED, ISSUED, REFUSED)

TABLE = (
    (
        MARKED,
        {
            Saying.ANNOUNCE: Verdict.STORE,
            Saying.REQUEST: Verdict.UNKNOWN,
            Saying.COMPLETE: Verdict.UNKNOWN,
            Saying.PRESENT: Verdict.RESTORE,
            Saying.ABORT: Verdict.CLOSE,
        },
    ),
    (
        ANNOUNCED,
        {
            Saying.ANNOUNCE: Verdict.SAY_ANNOUNCED,
            Saying.REQUEST: Verdict.DECIDE,
            Saying.COMPLETE: Verdict.UNKNOWN,
            Saying.PRESENT: Verdict.RESTORE,
            Saying.ABORT: Verdict.CLOSE,
        },
    ),
    (
        ISSUED,
        {
            Saying.ANNOUNCE: Verdict.SAY_ANNOUNCED,
            Saying.REQUEST: Verdict.REPEAT,
            Saying.COMPLETE: Verdict.CLOSE,
            Saying.PRESENT: Verdict.CLOSE,
            Saying.ABORT: Verdict.REPEAT,
        },
    ),
    (
        REFUSED,
        {
            Saying.ANNOUNCE: Verdict.SAY_ANNOUNCED,
            Saying.REQUEST: Verdict.REPEAT,
            Saying.COMPLETE: Verdict.CLOSE,
            Saying.PRESENT: Verdict.CLOSE,
            Saying.ABORT: Verdict.CLOSE,
        },
    ),
    (
        CLOSED,
        {
            Saying.ANNOUNCE: Verdict.CLOSED,
            Saying.REQUEST: Verdict.CLOSED,
            Saying.COMPLETE: Verdict.SAY_COMPLETED,
            Saying.PRESENT: Verdict.SAY_COMPLETED,
            Saying.ABORT: Verdict.SAY_ABORTED,
        },
    ),
)
CASES = [(record, saying, told) for record, row in TABLE for saying, told in row.items()]


def named(part: object) -> str:
    if isinstance(part, ServerRecord):
        return f"{part.state} after {part.mark_seq}"
    return str(part)


@pytest.mark.parametrize(("record", "saying", "verdict"), CASES, ids=named)
def test_each_message_in_each_state_has_its_verdict(record, saying, verdict):
    assert hear(record, said(saying)) is verdict


@pytest.mark.parametrize(("record", "saying", "verdict"), CASES, ids=named)
def test_what_a_message_changes_is_a_step_of_the_table(record, saying, verdict):
    changed = after(record, said(saying), verdict)
    events = {event for state, event in SERVER.table if state is record.state}
    reached = {SERVER.step(record.state, event) for event in events}
    if changed == record:
        return
    is_closed = changed.seq == 0 and changed.mark_seq == 5
    assert (ServerState.CLOSED if is_closed else changed.state) in reached


@pytest.mark.parametrize("saying", Saying)
@pytest.mark.parametrize("record", [ANNOUNCED, ISSUED, REFUSED, CLOSED], ids=named)
def test_a_second_nonce_at_one_number_proves_a_copy(record, saying):
    verdict = hear(record, said(saying, nonce=THEIRS))
    assert verdict is Verdict.FORKED
    assert proves_a_copy(verdict)


@pytest.mark.parametrize("record", [ANNOUNCED, ISSUED, REFUSED, CLOSED], ids=named)
def test_a_second_nonce_in_what_is_carried_proves_a_copy(record):
    assert hear(record, announce(6, (5, THEIRS, ANSWERED))) is Verdict.FORKED
    assert hear(record, abort(6, (5, THEIRS, ""))) is Verdict.FORKED


@pytest.mark.parametrize("record", [MARKED, ANNOUNCED, ISSUED, REFUSED, CLOSED], ids=named)
def test_a_number_that_is_closed_never_asks_or_announces_again(record):
    for saying in (Saying.ANNOUNCE, Saying.REQUEST):
        verdict = hear(record, said(saying, 2, THEIRS))
        assert verdict is Verdict.CLOSED
        assert after(record, said(saying, 2, THEIRS), verdict) == record
        assert not proves_a_copy(verdict)


@pytest.mark.parametrize("record", [MARKED, ANNOUNCED, ISSUED, REFUSED, CLOSED], ids=named)
def test_whoever_still_asks_under_a_closed_number_is_believed_that_there_is_a_copy(record):
    for seq in (2, 5, 6):
        assert proves_a_copy(hear(record, said(Saying.CONTEST, seq)))


@pytest.mark.parametrize("saying", Saying)
@pytest.mark.parametrize("record", [NOTHING, MARKED, ANNOUNCED, ISSUED, REFUSED, CLOSED], ids=named)
def test_in_quarantine_nothing_leads_to_anything(record, saying):
    for seq in (2, 5, 6):
        message = said(saying, seq)
        verdict = hear(record, message, is_quarantined=True)
        assert verdict is Verdict.FORKED
        assert after(record, message, verdict) == record


def test_b2_a_request_without_an_announcement_is_unknown():
    assert hear(NOTHING, said(Saying.REQUEST, 1)) is Verdict.UNKNOWN


def test_b7_a_decision_stands_with_its_answer_and_what_was_asked():
    assert (ISSUED.state, REFUSED.state) == (ServerState.ISSUED, ServerState.REFUSED)
    assert (ISSUED.answer, ISSUED.answer_digest, ISSUED.request_digest) == ("…", ANSWERED, ASKED)
    assert (ISSUED.seq, ISSUED.nonce, ISSUED.mark_seq) == (5, MINE, 4)


@pytest.mark.parametrize("record", [MARKED, ISSUED, REFUSED], ids=named)
def test_only_what_is_announced_is_decided(record):
    with pytest.raises(AssertionError):
        decided(record, is_issued=True)


def test_another_request_under_the_same_identification_proves_a_copy():
    for record in (ISSUED, REFUSED):
        verdict = hear(record, said(Saying.REQUEST, digest="another request"))
        assert verdict is Verdict.MISMATCH
        assert proves_a_copy(verdict)
        assert after(record, said(Saying.REQUEST), verdict) == record


def test_b8_a_completion_of_another_answer_closes_nothing_until_it_is_presented():
    for record in (ISSUED, REFUSED):
        verdict = hear(record, said(Saying.COMPLETE, digest="another answer"))
        assert verdict is Verdict.UNKNOWN
        assert after(record, said(Saying.COMPLETE), verdict) == record
        assert hear(record, said(Saying.PRESENT, digest="another answer")) is Verdict.RESTORE


@pytest.mark.parametrize("record", OPEN, ids=named)
def test_b9_nothing_but_an_end_of_it_lets_another_exchange_follow_an_open_one(record):
    earlier = (4, MINE, ANSWERED)
    for seq in LATER:
        for message in (announce(seq), announce(seq, earlier), abort(seq), abort(seq, earlier)):
            verdict = hear(record, message)
            assert verdict is Verdict.MISPLACED
            assert not proves_a_copy(verdict)
            assert after(record, message, verdict) == record


@pytest.mark.parametrize("record", OPEN, ids=named)
@pytest.mark.parametrize("digest", [ANSWERED, "", "another answer"])
def test_b9_an_announcement_closes_the_exchange_whose_end_it_carries(record, digest):
    message = announce(6, (5, MINE, digest))
    assert hear(record, message) is Verdict.STORE
    stored = after(record, message, Verdict.STORE)
    assert (stored.mark_seq, stored.mark_nonce) == (5, MINE)
    assert (stored.seq, stored.state, stored.answer) == (6, ServerState.ANNOUNCED, "")


@pytest.mark.parametrize("record", OPEN, ids=named)
def test_b9_giving_up_closes_the_exchange_whose_end_it_carries(record):
    message = abort(6, (5, MINE, ANSWERED))
    assert hear(record, message) is Verdict.CLOSE
    assert after(record, message, Verdict.CLOSE) == ServerRecord(mark_seq=6, mark_nonce=MINE)


@pytest.mark.parametrize("record", [NOTHING, MARKED, *OPEN], ids=named)
def test_books_set_back_follow_a_client_that_has_gone_on_without_them(record):
    message = announce(9, (8, THEIRS, "what they forgot"))
    assert hear(record, message) is Verdict.STORE
    stored = after(record, message, Verdict.STORE)
    assert (stored.mark_seq, stored.mark_nonce) == (8, THEIRS)
    assert (stored.seq, stored.nonce, stored.state) == (9, MINE, ServerState.ANNOUNCED)


@pytest.mark.parametrize("record", [NOTHING, MARKED, *OPEN], ids=named)
def test_a_carried_end_that_no_client_has_raises_no_mark(record):
    for seq in LATER:
        message = announce(seq, (9, THEIRS, ANSWERED))
        verdict = hear(record, message)
        assert verdict is (Verdict.MISPLACED if record.seq else Verdict.STORE)
        assert after(record, message, verdict).mark_seq == record.mark_seq


@pytest.mark.parametrize("record", [NOTHING, MARKED, *OPEN], ids=named)
def test_books_set_back_take_an_answer_back_that_they_have_forgotten(record):
    message = said(Saying.PRESENT, 8, THEIRS, digest="what they forgot")
    assert hear(record, said(Saying.COMPLETE, 8, THEIRS)) is Verdict.UNKNOWN
    assert hear(record, message) is Verdict.RESTORE
    closed = after(record, message, Verdict.RESTORE)
    assert closed == ServerRecord(mark_seq=8, mark_nonce=THEIRS)
    assert hear(closed, message) is Verdict.SAY_COMPLETED


def test_an_answer_from_before_what_is_open_is_not_taken_back():
    record = replace(ISSUED, mark_seq=2)
    assert hear(record, said(Saying.PRESENT, 3)) is Verdict.MISPLACED


def test_giving_up_closes_also_an_identification_nobody_knew():
    assert hear(NOTHING, abort(3)) is Verdict.CLOSE
    closed = after(NOTHING, abort(3), Verdict.CLOSE)
    assert hear(closed, announce(3)) is Verdict.CLOSED
    assert hear(closed, announce(4)) is Verdict.STORE


def test_giving_up_what_is_issued_gets_the_right_and_closes_nothing():
    assert after(ISSUED, abort(5), hear(ISSUED, abort(5))) == ISSUED


def test_the_mark_stands_when_everything_else_of_an_exchange_is_gone():
    assert ServerRecord(mark_seq=5, mark_nonce=MINE) == CLOSED


SAIDS = st.builds(
    Said,
    saying=st.sampled_from(Saying),
    seq=st.integers(1, 9),
    nonce=st.sampled_from([MINE, THEIRS]),
    digest=st.sampled_from(["", ASKED, ANSWERED]),
    completed=st.none()
    | st.tuples(
        st.integers(1, 9), st.sampled_from([MINE, THEIRS]), st.sampled_from(["", ANSWERED])
    ),
)


@given(messages=st.lists(SAIDS, max_size=30), refuses=st.randoms())
def test_whatever_is_said_the_mark_of_a_class_only_grows(messages, refuses):
    record = NOTHING
    for message in messages:
        verdict = hear(record, message)
        if verdict is Verdict.DECIDE:
            is_issued = refuses.random() < 0.5
            grown = answered(
                record, message, is_issued=is_issued, answer="…", answer_digest=ANSWERED
            )
        else:
            grown = after(record, message, verdict)
        assert grown.mark_seq >= record.mark_seq
        assert grown.seq == 0 or grown.seq > grown.mark_seq
        if message.seq <= record.mark_seq:
            assert grown == record
        record = grown


@given(text=st.text(max_size=80))
def test_what_is_no_communication_id_is_refused(text: str):
    with pytest.raises(ValueError, match="not a communication id"):
        CommId.parse(text)


@given(seq=st.integers(1, 10**18 - 1), nonce=st.integers(0, 2**128 - 1))
def test_b1_an_identification_is_read_back_as_it_was_written(seq: int, nonce: int):
    made = CommId(party="t-1", epoch="e0", kind="session:d-1", seq=seq, nonce=f"{nonce:032x}")
    assert CommId.parse(str(made)) == made
