"""What a terminal says of its switches: where one stands, in words; never by which topic."""

from __future__ import annotations

from typing import ClassVar

from common.messages.base import Count, Instant, Message, Name, ShortText


class SwitchTold(Message):
    """A switch of this terminal stands otherwise than before (an event).

    `standing` is a `common.rules.actions.Standing`, or `gone`: the terminal has it no more.
    `trouble` is a `Trouble` of there, empty where there is none; `heard` is what it last said.
    """

    type: ClassVar[str] = "switch.told"
    switch: Name
    title: ShortText = ""
    wanted: ShortText
    standing: ShortText
    trouble: ShortText = ""
    tries: Count = 0
    heard: ShortText = ""
    at: Instant
