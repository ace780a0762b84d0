"""What the client keeps, does about each word of the server, and owes until it is answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.rules.rights import (
    CLIENT,
    OWED,
    ClientEvent,
    ClientRecord,
    ClientState,
    Saying,
    Told,
    asked,
    gave_up,
    heard,
    intended,
)

FIRST, SECOND = "1" * 32, "2" * 32
ASKED, ANSWERED = "request", "answer"


def step(record: ClientRecord | None, what: Told, digest: str = "") -> ClientRecord:
    assert record is not None
    after = heard(record, what, record.seq, record.nonce, digest)
    assert after is not None
    return after


def in_state(state: ClientState) -> ClientRecord:
    return ClientRecord(seq=5, nonce=FIRST, state=state, done_seq=4, done_nonce=SECOND)


def begun(record: ClientRecord | None) -> ClientRecord:
    assert record is not None
    return record


ANNOUNCING = begun(intended(ClientRecord(), FIRST))
ANNOUNCED = step(ANNOUNCING, Told.ANNOUNCED)
REQUESTING = begun(asked(ANNOUNCED, ASKED))
COMPLETING = step(REQUESTING, Told.ANSWER, ANSWERED)
DONE = step(COMPLETING, Told.COMPLETED)


def test_an_exchange_begins_with_the_next_number_and_its_own_nonce():
    assert (ANNOUNCING.seq, ANNOUNCING.nonce) == (1, FIRST)
    second = intended(DONE, SECOND)
    assert second is not None
    assert (second.seq, second.nonce, second.state) == (2, SECOND, ClientState.ANNOUNCING)
    assert (second.request_digest, second.answer_digest) == ("", "")


@pytest.mark.parametrize("state", set(ClientState) - {ClientState.IDLE})
def test_no_exchange_begins_before_the_last_is_over(state):
    assert intended(in_state(state), SECOND) is None


@pytest.mark.parametrize("state", set(ClientState) - {ClientState.ANNOUNCED})
def test_b2_nothing_is_asked_before_the_announcement_is_known(state):
    assert asked(in_state(state), ASKED) is None


def test_b8_an_answer_is_kept_with_its_digest_until_it_is_over():
    assert (COMPLETING.state, COMPLETING.answer_digest) == (ClientState.COMPLETING, ANSWERED)
    assert gave_up(COMPLETING) is None
    assert (DONE.done_seq, DONE.done_nonce, DONE.done_digest) == (1, FIRST, ANSWERED)


def test_what_is_given_up_is_over_without_an_answer():
    for record in (ANNOUNCING, ANNOUNCED, REQUESTING):
        over = step(gave_up(record), Told.ABORTED)
        assert (over.state, over.done_seq, over.done_digest) == (ClientState.IDLE, 1, "")


def test_a_right_that_comes_after_all_is_stored_and_completed():
    assert step(gave_up(REQUESTING), Told.ANSWER, ANSWERED) == COMPLETING


def test_b3_what_was_asked_is_asked_again_as_it_was_frozen():
    unknown = step(REQUESTING, Told.UNKNOWN)
    assert (unknown.state, unknown.request_digest) == (ClientState.ANNOUNCING, ASKED)
    assert asked(unknown, "another request") is None
    assert step(unknown, Told.ANNOUNCED) == REQUESTING


def test_an_answer_the_server_does_not_know_is_presented():
    presenting = step(COMPLETING, Told.UNKNOWN)
    said = presenting.owes()
    assert said is not None
    assert (said.saying, said.seq, said.digest) == (Saying.PRESENT, 1, ANSWERED)
    assert step(presenting, Told.COMPLETED) == DONE


def test_who_hears_that_its_own_number_is_closed_contests_it():
    for record in (ANNOUNCING, ANNOUNCED, REQUESTING):
        contesting = step(record, Told.CLOSED)
        said = contesting.owes()
        assert said is not None
        assert (said.saying, said.seq, said.nonce) == (Saying.CONTEST, 1, FIRST)
        assert step(contesting, Told.FORKED).state is ClientState.QUARANTINED


@pytest.mark.parametrize("what", Told)
def test_quarantine_is_left_by_no_word_at_all(what):
    record = in_state(ClientState.QUARANTINED)
    assert heard(record, what, record.seq, record.nonce, ANSWERED) is None
    assert intended(record, SECOND) is asked(record, ASKED) is gave_up(record) is None
    assert record.owes() is None


def test_a_client_at_rest_is_not_stopped_by_late_accusations():
    assert CLIENT.step(ClientState.IDLE, ClientEvent.HEAR_FORKED) is None
    for state in (ClientState.IDLE, ClientState.COMPLETING, ClientState.PRESENTING):
        assert CLIENT.step(state, ClientEvent.HEAR_CLOSED) is None


@pytest.mark.parametrize("state", ClientState)
@pytest.mark.parametrize("what", Told)
def test_a_word_about_another_exchange_changes_nothing(state, what):
    record = in_state(state)
    assert heard(record, what, 4, SECOND, ANSWERED) is None
    assert heard(record, what, 5, SECOND, ANSWERED) is None
    assert heard(record, what, 6, FIRST, ANSWERED) is None


@pytest.mark.parametrize("state", ClientState)
def test_b11_what_is_owed_is_said_from_the_record_alone(state):
    record = replace(in_state(state), request_digest=ASKED, answer_digest=ANSWERED)
    said = record.owes()
    if state not in OWED:
        assert said is None
        return
    assert said == record.owes()
    assert said is not None
    assert (said.saying, said.seq, said.nonce) == (OWED[state], 5, FIRST)
    assert said.digest == (ASKED if said.saying is Saying.REQUEST else ANSWERED)


@pytest.mark.parametrize("state", OWED)
def test_b9_announcements_and_aborts_carry_the_end_before_them(state):
    carrying = {ClientState.ANNOUNCING, ClientState.ABORTING}
    given_up, completed = in_state(state), replace(in_state(state), done_digest=ANSWERED)
    for record, digest in ((given_up, ""), (completed, ANSWERED)):
        said = record.owes()
        assert said is not None
        assert said.completed == ((4, SECOND, digest) if state in carrying else None)


def test_the_first_exchange_carries_no_end():
    said = ANNOUNCING.owes()
    assert said is not None
    assert said.completed is None
