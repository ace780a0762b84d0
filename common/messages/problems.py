"""What a terminal says of something an operator must look at."""

from __future__ import annotations

from typing import ClassVar, Literal

from common.messages.base import Instant, Message, Name, ShortText


class ProblemTold(Message):
    """A terminal has met something that should not be (an event); `kind` is the problem's word."""

    type: ClassVar[str] = "problem.told"
    kind: Name
    at: Instant
    detail: ShortText = ""


class HelpAsked(Message):
    """Somebody at a device's screen has called for help (an event)."""

    type: ClassVar[str] = "help.asked"
    device: Name
    at: Instant
    about: Literal["device", "person", "other"]
    session: Name | None = None
