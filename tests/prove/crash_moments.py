"""What a story of crashes is made of: moments, letters, and steps with every fault on their way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

from common.errors import RusubanError
from common.messages.base import Message
from common.messages.rights import Refused, Right
from common.topics import Channel


class FlowBroke(RusubanError):
    """A flow broke where {words}."""


class Side(StrEnum):
    """Who takes a step."""

    CONTROLLER = "controller"
    TERMINAL = "terminal"

    @property
    def number(self) -> int:
        return list(Side).index(self)


class Letter(NamedTuple):
    """A message under way; `text` is what two equal ones have in common."""

    to: Side
    channel: Channel
    seq: int
    message: Message
    text: str
    is_late: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """All there is between two steps.

    Attributes:
        images: what stands on each side's disk.
        dumps: the same as text.
        letters: what is under way, in order.
        late: what was repeated and is still to come again, and again.
        is_late_due: whether it comes as soon as nothing else is under way.
        names: how many names of each kind are taken.
        clocks: the wall clock, and the one since boot.
        sent_up_to: the last event that this run of the agent has sent.
        answers: every answer that has left the controller, by what it answers.
        ran: sessions whose program the runner has started.
        is_over: whether the story is told, and what is late has come for the last time.
    """

    images: tuple[bytes, bytes] = (b"", b"")
    dumps: tuple[str, str] = ("", "")
    letters: tuple[Letter, ...] = ()
    late: tuple[Letter, ...] = ()
    is_late_due: bool = False
    names: tuple[tuple[str, int], ...] = ()
    clocks: tuple[int, float] = (0, 0.0)
    sent_up_to: int = 0
    answers: frozenset[tuple[str, str]] = frozenset()
    ran: tuple[str, ...] = ()
    is_over: bool = False

    def key(self) -> bytes:
        """Return what two moments have in common from which the same things follow."""
        digest = blake2b(digest_size=16)
        for part in (*self.dumps, *(f"{each.text} {each.is_late}" for each in self.letters)):
            digest.update(part.encode())
            digest.update(b"\0")
        late = [each.text for each in self.late]
        digest.update(repr((late, self.is_late_due, self.names, self.clocks)).encode())
        known = sorted(self.answers)
        digest.update(repr((self.sent_up_to, known, self.ran, self.is_over)).encode())
        return digest.digest()

    def with_sent(self, letters: Sequence[Letter]) -> Moment:
        """Return the moment after these have left."""
        if not letters:
            return self
        told = {
            (str(letter.message.comm_id), letter.message.digest())
            for letter in letters
            if isinstance(letter.message, Right | Refused)
        }
        answers = self.answers | told if told else self.answers
        return replace(self, letters=(*self.letters, *letters), answers=answers)

    def with_late(self) -> Moment:
        """Return the moment at which all that is late comes once more."""
        again = tuple(letter._replace(is_late=True) for letter in self.late)
        return replace(self, letters=(*self.letters, *again), is_late_due=False)

    def with_one_late(self, letter: Letter) -> Moment:
        """Return the moment from which on this letter comes again, and again."""
        late = {each.text: each for each in (*self.late, letter)}
        return replace(self, late=tuple(late[text] for text in sorted(late)))


class Act(NamedTuple):
    """What somebody does unasked; what is late comes again after one of an exchange."""

    side: Side
    words: str
    do: Callable[[], Any]
    is_of_an_exchange: bool = True


class Fault(NamedTuple):
    """What could have struck a step: how, at how many hook points, and where that leads."""

    words: str
    points: int
    moment: Moment


class Step(NamedTuple):
    """What came of a moment: the next, or None where all is quiet; and every fault on the way."""

    words: str
    after: Moment | None
    faults: Sequence[Fault] = ()


def letter_to(side: Side, channel: Channel, message: Message, seq: int = 0) -> Letter:
    """Return a message that leaves for a side."""
    text = f"{side} {channel} {seq} {message.type} {message.model_dump_json()}"
    return Letter(side, channel, seq, message, text)


def words_for(letters: Sequence[Letter]) -> str:
    """Return how to say that these had left already."""
    return f" ({', '.join(each.message.type for each in letters)} had left)" if letters else ""
