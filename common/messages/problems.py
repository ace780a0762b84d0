"""What a terminal says of something an operator must look at."""

from __future__ import annotations

from typing import ClassVar

from common.messages.base import Instant, Message, Name, ShortText


class ProblemTold(Message):
    """A terminal has met something that should not be (an event); `kind` is the problem's word."""

    type: ClassVar[str] = "problem.told"
    kind: Name
    at: Instant
    detail: ShortText = ""
