"""The lines between agent and runner: one JSON object each, checked here alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from common.errors import RusubanError
from common.rules.sessions import EndReason
from edge_agent.runner.wire.words import (
    Answer,
    Ask,
    CommandDone,
    CommandRecord,
    EventKind,
    ExtendProgram,
    ForgetProgram,
    ListPrograms,
    MendProgram,
    ProgramRecord,
    Refusal,
    Request,
    ResumeProgram,
    RunCommand,
    RunnerEvent,
    StartProgram,
    StopProgram,
    Told,
    WipeFolders,
    WipeRecord,
    WipeTold,
)

LINE_BYTES_MAX: Final = 8192
"""Bytes of one line: a page of records fits; a longer one comes from somebody else."""

PAGE_RECORDS_MAX: Final = 12
"""Records in one answer: twelve of the longest fit into a line."""

NAME_CHARACTERS_MAX: Final = 64
"""Characters of a session, device or program id."""

REMAINING_SECONDS_MAX: Final = 7 * 86_400.0
"""How far ahead a deadline may be: a week; more is a mistake of whoever asks."""

BOOT_SECONDS_MAX: Final = 100 * 365 * 86_400.0
"""The latest instant since boot: a century; no clock of a PC says more."""

FENCE_MAX: Final = 2**53
"""The highest fence: what every JSON reader still holds exactly."""


class AskIsMalformed(RusubanError):
    """The request cannot be read: {why}."""

    def __init__(self, *, why: object, number: int | None = None) -> None:
        super().__init__(why=why)
        self.number = number


class LineIsTooLong(RusubanError):
    """A line is longer than 8192 bytes."""


class Lines:
    """Cuts what arrives into lines and holds the rest until it is whole."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, arrived: bytes) -> list[bytes]:
        """Return the lines that are whole now.

        Raises:
            LineIsTooLong: one of them, or the rest, has more than `LINE_BYTES_MAX` bytes.
        """
        *lines, self._rest = (self._rest + arrived).split(b"\n")
        if any(len(line) > LINE_BYTES_MAX for line in (*lines, self._rest)):
            raise LineIsTooLong
        return lines


def write_ask(ask: Ask) -> bytes:
    """Return the line of a request."""
    return _line({"ask": ask.number, "do": _WORDS[type(ask.request)], **vars(ask.request)})


def read_ask(line: bytes) -> Ask:
    """Return the request of a line, every field of it checked.

    Raises:
        AskIsMalformed: it is not JSON, no known request, or a field is missing, unknown or wrong.
    """
    facts = _facts(line)
    number = facts.pop("ask", None)
    if not isinstance(number, int) or isinstance(number, bool):
        raise AskIsMalformed(why="it has no number")
    kind = _REQUESTS.get(str(facts.pop("do", None)))
    if kind is None:
        raise AskIsMalformed(why="it asks for nothing known", number=number)
    if facts.keys() != {field.name for field in fields(kind)}:
        raise AskIsMalformed(why="a field is missing or unknown", number=number)
    try:
        return Ask(number=number, request=kind(**{key: _CHECKS[key](facts[key]) for key in facts}))
    except ValueError as fault:
        raise AskIsMalformed(why=fault, number=number) from None


def write_answer(answer: Answer) -> bytes:
    """Return the line of an answer."""
    if answer.refusal:
        return _line({"answer": answer.number, "ok": False, "reason": answer.refusal})
    records = [vars(record) for record in answer.records]
    more: dict[str, Any] = {"more": True} if answer.there_are_more else {}
    if answer.command:
        more |= {"command": vars(answer.command)}
    if answer.wipe:
        more |= {"wipe": vars(answer.wipe)}
    return _line({"answer": answer.number, "ok": True, "records": records, **more})


def write_event(event: Told) -> bytes:
    """Return the line of an event."""
    if isinstance(event, CommandDone):
        return _line({"event": EventKind.COMMAND_DONE, "command": vars(event.record)})
    if isinstance(event, WipeTold):
        return _line({"event": EventKind.WIPE, "wipe": vars(event.record)})
    left = {} if event.seconds_left is None else {"seconds_left": event.seconds_left}
    return _line({"event": event.kind, "record": vars(event.record), **left})


def read_said(line: bytes) -> Answer | Told:
    """Return what the runner said in this line.

    Raises:
        AskIsMalformed: it is neither an answer nor an event.
    """
    facts = _facts(line)
    try:
        return _event(facts) if "event" in facts else _answer(facts)
    except (KeyError, TypeError, ValueError) as fault:
        raise AskIsMalformed(why=repr(fault)) from None


def _event(facts: Mapping[str, Any]) -> Told:
    if facts["event"] == EventKind.COMMAND_DONE:
        return CommandDone(record=CommandRecord(**facts["command"]))
    if facts["event"] == EventKind.WIPE:
        return WipeTold(record=WipeRecord(**facts["wipe"]))
    return RunnerEvent(
        kind=EventKind(facts["event"]),
        record=ProgramRecord.of(facts["record"]),
        seconds_left=facts.get("seconds_left"),
    )


def _answer(facts: Mapping[str, Any]) -> Answer:
    if not facts["ok"]:
        return Answer(number=facts["answer"], refusal=Refusal(facts["reason"]))
    command, wipe = facts.get("command"), facts.get("wipe")
    return Answer(
        number=facts["answer"],
        wipe=wipe and WipeRecord(**wipe),
        command=command and CommandRecord(**command),
        records=tuple(map(ProgramRecord.of, facts["records"])),
        there_are_more=facts.get("more", False),
    )


def _line(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, separators=(",", ":")).encode() + b"\n"


def _facts(line: bytes) -> dict[str, Any]:
    try:
        facts = json.loads(line)
    except (ValueError, RecursionError):
        raise AskIsMalformed(why="it is not JSON") from None
    if not isinstance(facts, dict):
        raise AskIsMalformed(why="it is not an object")
    return facts


def _name(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= NAME_CHARACTERS_MAX:
        message = f"an id has 1 to {NAME_CHARACTERS_MAX} characters"
        raise ValueError(message)
    if not value.isascii() or not value.isprintable() or " " in value:
        message = "an id is made of visible ASCII characters"
        raise ValueError(message)
    return value


def _name_or_nothing(value: object) -> str:
    return "" if value == "" else _name(value)


def _boot_seconds(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        message = "an instant is a number of seconds since boot"
        raise ValueError(message)  # noqa: TRY004 - one kind of fault for all that is wrong in a line
    if not 0 < value <= BOOT_SECONDS_MAX:
        message = f"an instant is more than 0 and at most {BOOT_SECONDS_MAX:g} seconds since boot"
        raise ValueError(message)
    return float(value)


def _fence(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= FENCE_MAX:
        message = f"a fence is a whole number from 1 to {FENCE_MAX}"
        raise ValueError(message)
    return value


def _reason(value: object) -> EndReason:
    return EndReason(str(value))


_CHECKS: Final[Mapping[str, Callable[[object], Any]]] = {
    "session": _name,
    "device": _name,
    "program": _name,
    "deadline_boot_seconds": _boot_seconds,
    "fence": _fence,
    "reason": _reason,
    "after": _name_or_nothing,
    "run": _name,
    "command": _name,
}

_REQUESTS: Final[Mapping[str, type[Request]]] = {
    "start": StartProgram,
    "stop": StopProgram,
    "extend": ExtendProgram,
    "resume": ResumeProgram,
    "list": ListPrograms,
    "forget": ForgetProgram,
    "run": RunCommand,
    "mend": MendProgram,
    "wipe": WipeFolders,
}

_WORDS: Final = {kind: word for word, kind in _REQUESTS.items()}
