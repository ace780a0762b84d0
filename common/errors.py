"""Every fault raised on purpose: a class's docstring is its message, its name its code."""

from __future__ import annotations

import re
from typing import ClassVar

from typing_extensions import override

_WORD_STARTS = re.compile(r"(?<!^)(?=[A-Z])")


class RusubanError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "rusuban_error"

    @override
    def __init_subclass__(cls) -> None:
        """Give each fault the code its name spells: `PortIsTaken` is `port_is_taken`."""
        super().__init_subclass__()
        cls.code = _WORD_STARTS.sub("_", cls.__name__).lower()

    def __init__(self, **facts: object) -> None:
        """Keep the facts that fill the gaps of the sentence."""
        self.facts = facts
        super().__init__(self.sentence(**facts))

    @classmethod
    def sentence(cls, **facts: object) -> str:
        """Return the first line of the docstring with the facts filled in."""
        first_line = (cls.__doc__ or cls.__name__).strip().splitlines()[0]
        return first_line.format(**facts)


class CannotStart(RusubanError):
    """The program cannot start: {why}."""


class SettingsAreWrong(CannotStart):
    """The settings are wrong: {why}."""


class MessageIsMalformed(RusubanError):
    """A message cannot be read: {why}."""


class TokenIsMalformed(RusubanError):
    """This is not a ticket: {why}."""


class SealIsBroken(RusubanError):
    """The signature does not belong to this text."""


class StorageIsFull(RusubanError):
    """The disk takes no more: {why}."""


class StorageIsAway(RusubanError):
    """The database does not answer.

    The fact `why` is for the log: it may name hosts that are nobody's business.
    """


class TooManyWaiting(RusubanError):
    """Too much is waiting already; try again in a moment."""
