"""Both sides of the exchange back to back, over a wire that loses, repeats and reorders everything.

The two sides call the same tables and functions as production does; the wire never forgets what was
once said, so that every message may come again at any later time (B11).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

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

ON_THE_WIRE_MAX = 60
"""Messages the wire remembers: those said first are forgotten first."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """One message of the exchange; `digest` is that of the request or of the answer."""

    kind: str
    comm_id: CommId
    digest: str = ""
    completed: tuple[CommId, str] | None = None


@dataclass
class Server:
    """The issuing side: its durable record, and what it has ever issued."""

    record: ServerRecord = field(default_factory=ServerRecord)
    answers: dict[CommId, list[Word]] = field(default_factory=dict)
    accused: set[CommId] = field(default_factory=set)

    def hear(self, word: Word) -> Word | None:
        match word.kind:
            case "announce":
                return self._after_announce(word)
            case "request":
                return self._after_request(word)
            case "complete":
                verdict = hear_complete(self.record, word.comm_id, word.digest)
                if verdict is Verdict.CLOSE:
                    self.record = closed(self.record)
            case _:
                verdict = hear_abort(self.record, word.comm_id)
                if verdict is Verdict.CLOSE:
                    self.record = closed(self.record, word.comm_id)
        return self._say(word, verdict)

    def _after_announce(self, word: Word) -> Word | None:
        verdict = hear_announce(self.record, word.comm_id, word.completed)
        if verdict is Verdict.STORE:
            self.record = announced(self.record, word.comm_id)
        return self._say(word, verdict)

    def _after_request(self, word: Word) -> Word | None:
        verdict = hear_request(self.record, word.comm_id, word.digest)
        if verdict is Verdict.DECIDE:
            refused = word.digest.endswith("0")
            answer = f"answer to {word.digest}"
            self.record = replace(
                self.record,
                state=ServerState.REFUSED if refused else ServerState.ISSUED,
                request_digest=word.digest,
                answer=answer,
                answer_digest=answer,
            )
            made = Word(kind="answer", comm_id=word.comm_id, digest=answer)
            self.answers.setdefault(word.comm_id, []).append(made)
        return self._say(word, verdict)

    def _say(self, word: Word, verdict: Verdict) -> Word | None:
        if verdict is Verdict.FORKED:
            self.accused.add(word.comm_id)
        if verdict in {Verdict.DECIDE, Verdict.REPEAT}:
            return Word(kind="answer", comm_id=word.comm_id, digest=self.record.answer_digest)
        kind = {
            Verdict.STORE: "announced",
            Verdict.SAY_ANNOUNCED: "announced",
            Verdict.CLOSE: "completed" if word.kind == "complete" else "aborted",
            Verdict.SAY_COMPLETED: "completed",
            Verdict.SAY_ABORTED: "aborted",
            Verdict.UNKNOWN: "unknown",
            Verdict.FORKED: "forked",
            Verdict.CLOSED: "forked",
        }.get(verdict)
        return Word(kind=kind, comm_id=word.comm_id) if kind is not None else None


_HEARD = {
    "announced": ClientEvent.HEAR_ANNOUNCED,
    "answer": ClientEvent.HEAR_ANSWER,
    "completed": ClientEvent.HEAR_COMPLETED,
    "aborted": ClientEvent.HEAR_ABORTED,
    "unknown": ClientEvent.HEAR_UNKNOWN,
    "forked": ClientEvent.HEAR_FORKED,
}


@dataclass
class Client:
    """The receiving side: its durable row, and what it has ever stored."""

    nonces: int
    state: ClientState = CLIENT.first
    seq: int = 0
    nonce: str = ""
    asked: str = ""
    answer: str = ""
    done: tuple[CommId, str] | None = None
    stored: dict[CommId, str] = field(default_factory=dict)

    @property
    def comm_id(self) -> CommId:
        return CommId(party="t", epoch="e", kind="session:d", seq=self.seq, nonce=self.nonce)

    def intend(self) -> None:
        after = CLIENT.step(self.state, ClientEvent.INTEND)
        if after is not None:
            self.seq, self.state, self.asked, self.answer = self.seq + 1, after, "", ""
            self.nonce = f"{self.nonces:016x}{self.seq:016x}"

    def ask(self, wish: str) -> None:
        after = CLIENT.step(self.state, ClientEvent.ASK)
        if after is not None:
            self.state, self.asked = after, f"{self.seq}-{wish}"

    def give_up(self) -> None:
        self.state = CLIENT.step(self.state, ClientEvent.GIVE_UP) or self.state

    def hear(self, word: Word) -> None:
        after = CLIENT.step(self.state, _HEARD[word.kind])
        if word.comm_id != self.comm_id or after is None:
            return
        if word.kind == "answer":
            assert self.stored.setdefault(self.comm_id, word.digest) == word.digest
            self.answer = word.digest
        elif word.kind in {"completed", "aborted"}:
            self.done = (self.comm_id, self.answer) if self.answer else None
        self.state = after

    def says(self) -> Word | None:
        """Return what is owed an answer now, from what is stored and nothing else."""
        match self.state:
            case ClientState.ANNOUNCING:
                return Word(kind="announce", comm_id=self.comm_id, completed=self.done)
            case ClientState.REQUESTING:
                return Word(kind="request", comm_id=self.comm_id, digest=self.asked)
            case ClientState.COMPLETING:
                return Word(kind="complete", comm_id=self.comm_id, digest=self.answer)
            case ClientState.ABORTING:
                return Word(kind="abort", comm_id=self.comm_id)
            case _:
                return None


class Exchanges(RuleBasedStateMachine):
    """One honest client and its server; hypothesis is the wire and the customers."""

    @initialize()
    def begin(self) -> None:
        self.server = Server()
        self.client = Client(nonces=1)
        self.wire: list[Word] = []
        self.mark = 0

    @rule()
    def prepare(self) -> None:
        self.client.intend()

    @rule(wish=st.sampled_from("0123"))
    def scan(self, wish: str) -> None:
        self.client.ask(wish)

    @rule()
    def give_up(self) -> None:
        self.client.give_up()

    @rule()
    def a_round_trip_succeeds(self) -> None:
        if (answer := self._ask()) is not None:
            self.client.hear(answer)

    @rule()
    def an_answer_is_lost(self) -> None:
        self._ask()

    @rule()
    def a_question_is_lost_or_late(self) -> None:
        self._put(self.client.says())

    @rule(number=st.integers(0, ON_THE_WIRE_MAX - 1))
    def any_message_ever_said_comes_now(self, number: int) -> None:
        if not self.wire:
            return
        word = self.wire[number % len(self.wire)]
        if word.kind in _HEARD:
            self.client.hear(word)
        else:
            self._put(self.server.hear(word))

    @invariant()
    def an_identification_makes_at_most_one_right(self) -> None:
        assert all(len(answers) == 1 for answers in self.server.answers.values())

    @invariant()
    def what_the_client_stored_is_what_the_server_issued(self) -> None:
        for comm_id, digest in self.client.stored.items():
            assert [word.digest for word in self.server.answers[comm_id]] == [digest]

    @invariant()
    def the_mark_only_grows(self) -> None:
        assert self.server.record.mark_seq >= self.mark
        self.mark = self.server.record.mark_seq

    @invariant()
    def an_honest_client_is_never_accused(self) -> None:
        assert not self.server.accused
        assert self.client.state is not ClientState.QUARANTINED

    @invariant()
    def an_issued_right_is_held_or_can_still_be_fetched(self) -> None:
        for comm_id in self.server.answers.keys() - self.client.stored.keys():
            is_open = self.server.record.seq == comm_id.seq
            was_refused = self.server.answers[comm_id][0].digest.endswith("0")
            assert is_open or (was_refused and self.server.record.mark_seq >= comm_id.seq)

    @override
    def teardown(self) -> None:
        """From wherever it was left, a good wire finishes it, and one more right can be had."""
        _talk(self.server, self.client)
        assert self.client.state in {ClientState.IDLE, ClientState.ANNOUNCED}
        before = len(self.client.stored)
        self.client.intend()
        _talk(self.server, self.client)
        self.client.ask("1")
        _talk(self.server, self.client)
        assert self.client.state is ClientState.IDLE
        assert len(self.client.stored) == before + 1

    def _ask(self) -> Word | None:
        word = self.client.says()
        answer = self.server.hear(word) if word is not None else None
        self._put(word)
        self._put(answer)
        return answer

    def _put(self, word: Word | None) -> None:
        if word is not None:
            self.wire = [*self.wire, word][-ON_THE_WIRE_MAX:]


def test_b11_whatever_the_wire_does_there_is_the_same_right_and_only_once():
    run_state_machine_as_test(
        Exchanges, settings=settings(max_examples=400, stateful_step_count=40, deadline=None)
    )


def test_a_copied_disk_is_proven_by_its_first_own_word():
    server, original = Server(), Client(nonces=1)
    original.intend()
    _talk(server, original)
    copy = replace(original, nonces=2, stored=dict(original.stored))
    for each in (original, copy):
        each.ask("1")
        _talk(server, each)
        each.intend()
        _talk(server, each)
    assert copy.state is ClientState.QUARANTINED
    assert len(server.answers) == 1


def test_a_disk_set_back_to_yesterday_gets_no_second_right():
    server, client = Server(), Client(nonces=1)
    client.intend()
    _talk(server, client)
    yesterday = replace(client, nonces=9, stored=dict(client.stored))
    for wish in "123":
        client.ask(wish)
        _talk(server, client)
        client.intend()
        _talk(server, client)
    yesterday.ask("1")
    _talk(server, yesterday)
    assert yesterday.state is ClientState.QUARANTINED
    assert not yesterday.stored


def _talk(server: Server, client: Client) -> None:
    """Deliver what the client owes until it owes nothing, or nothing moves."""
    for _ in range(5):
        word = client.says()
        if word is None or (answer := server.hear(word)) is None:
            return
        client.hear(answer)
