"""What a touch does: checked against what is shown, done once, and answered in words."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog

from common.errors import StorageIsFull
from common.words import Said, screen_words_for
from edge_agent.display.calls import Calls
from edge_agent.display.faces import Button, InAll, Picture
from edge_agent.display.picture import MINUTE_SECONDS, in_all
from edge_agent.display.stage import HALL, Stage
from edge_agent.display.written import of_no, of_offer, of_words
from edge_agent.ports import Buttons, DeviceOnScreen, Extending

AGAIN_SECONDS: Final = 0.2
"""The same button of the same device sooner than this is a finger that trembled."""

ASK_AGAIN_SECONDS: Final = 0.05
"""The same of a button that only asks: who asks twice means it, and nothing floods the line."""

CODES_MAX: Final = 5
"""Wrong codes of one device in `CODES_SECONDS`; a guesser of four digits needs days then."""

CODES_SECONDS: Final = 300.0

CODE_CHARACTERS_MAX: Final = 32
"""Characters of a cleaner's code."""

LONGER_SECONDS_MAX: Final = 86_400
"""More than a day at once nobody offers."""

ABOUT: Final = frozenset({"device", "person", "other"})
"""What a call for help can be about."""

Answer = Mapping[str, Any]

_LEAST_SECONDS: Final = {"offer": ASK_AGAIN_SECONDS, "line": 0.0}  # a line is compared by its text


class Presses:
    """The buttons of the screen, each open only while it is shown."""

    def __init__(self, stage: Stage, buttons: Buttons, extending: Extending, calls: Calls) -> None:
        """Take what is shown, who does what is asked, who is asked for more time, and helpers."""
        self._stage = stage
        self._buttons = buttons
        self._extending = extending
        self._pressed: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._wrong: dict[str, list[float]] = {}
        self._log = structlog.get_logger("display")
        self._presses: Mapping[str, tuple[Button, Callable[..., Awaitable[Answer | None]]]] = {
            "offer": (Button.EXTEND, self._offer),
            "extend": (Button.EXTEND, self._extend),
            "end": (Button.END, self._end),
            "help": (Button.HELP, self._help),
            "confirm": (Button.CONFIRM, self._confirm),
            "seen": (Button.END, self._seen),
            "read": (Button.HELP, self._read),
            "choose": (Button.HELP, calls.choose),
            "line": (Button.HELP, calls.write),
            "leave": (Button.HELP, calls.leave),
        }

    async def take(self, key: str, press: str, asked: Mapping[str, Any]) -> Answer | None:
        """Do what was pressed, and return what is said of it; None: there is no such button now."""
        device, picture = self._stage.device(key), self._picture(key)
        if device is None or picture is None or press not in self._presses:
            return None
        button, act = self._presses[press]
        if button not in picture.buttons:
            return None
        if self._is_too_soon(key, press):
            return _said(Said.TOO_FAST, is_done=False)
        self._log.info("pressed", press=press, device=device.device)
        try:
            return await act(device, asked)
        except StorageIsFull:
            return _said(Said.NO_ANSWER, is_done=False)

    async def _offer(self, device: DeviceOnScreen, asked: Mapping[str, Any]) -> Answer | None:
        session = _session(device, asked)
        return None if session is None else of_offer(await self._extending.offer(session))

    async def _extend(self, device: DeviceOnScreen, asked: Mapping[str, Any]) -> Answer | None:
        session, seconds = _session(device, asked), asked.get("seconds")
        if session is None or not isinstance(seconds, int) or isinstance(seconds, bool):
            return None
        if not 0 < seconds <= LONGER_SECONDS_MAX:
            return None
        answer = await self._extending.extend(session, seconds)
        self._stage.nudge()
        if answer.refused is not None:
            return {"is_done": False, "words": of_no(answer.refused)}
        said, number = Said.EXTENDED_SECONDS, int(answer.added_seconds)
        if number >= 2 * MINUTE_SECONDS:
            said, number = Said.EXTENDED_MINUTES, number // MINUTE_SECONDS
        return {"is_done": True, "words": of_words(_in_all(said, number))}

    async def _end(self, device: DeviceOnScreen, asked: Mapping[str, Any]) -> Answer | None:
        session = _session(device, asked)
        if session is None:
            return None
        is_done = self._buttons.end(session)
        self._stage.nudge()
        return _said(Said.FINISHING, is_done=is_done)

    async def _help(self, device: DeviceOnScreen, asked: Mapping[str, Any]) -> Answer | None:
        about = asked.get("about")
        if about not in ABOUT or device.device is None:
            return None
        session = None if device.session is None else device.session.session
        self._buttons.call_for_help(device.device, session, str(about))
        self._stage.tell_called(device.device)
        self._stage.refresh()
        picture = self._picture(device.key)
        note = None if picture is None else picture.note
        return {"is_done": True, "words": of_words(note or _in_all(Said.HELP_WAITS))}

    async def _seen(self, device: DeviceOnScreen, asked: Mapping[str, Any]) -> Answer | None:
        session, left = _session(device, asked), asked.get("seconds_left")
        if session is None or not isinstance(left, int) or isinstance(left, bool) or left < 0:
            return None
        self._buttons.note_warning_seen(session, min(left, LONGER_SECONDS_MAX))
        return {"is_done": True}

    async def _read(self, device: DeviceOnScreen, asked: Mapping[str, Any]) -> Answer | None:
        """Take in that a message stands here; of one that does not, nothing is believed."""
        picture, message = self._picture(device.key), asked.get("message")
        if picture is None or not message or message != picture.message or device.device is None:
            return None
        self._buttons.note_message_seen(device.device, picture.message)
        return {"is_done": True}

    async def _confirm(self, device: DeviceOnScreen, asked: Mapping[str, Any]) -> Answer | None:
        code, now = asked.get("code"), self._stage.now()
        if not isinstance(code, str) or not 0 < len(code) <= CODE_CHARACTERS_MAX:
            return None
        wrong = [at for at in self._wrong.get(device.key, []) if at > now - CODES_SECONDS]
        self._wrong[device.key] = wrong
        if len(wrong) >= CODES_MAX:
            return _said(Said.TOO_FAST, is_done=False)
        if device.device is None or not self._buttons.confirm_turnover(device.device, code):
            wrong.append(now)
            return _said(Said.WRONG_CODE, is_done=False)
        self._wrong.pop(device.key)
        self._stage.nudge()
        return _said(Said.CODE_TAKEN, is_done=True)

    def _picture(self, key: str) -> Picture | None:
        shown = (each for each in self._stage.pictures() if each.key == key != HALL)
        return next(shown, None)

    def _is_too_soon(self, key: str, press: str) -> bool:
        now = self._stage.now()
        last = self._pressed.get((key, press))
        self._pressed[key, press] = now
        least_seconds = _LEAST_SECONDS.get(press, AGAIN_SECONDS)
        return last is not None and now < last + least_seconds


def _session(device: DeviceOnScreen, asked: Mapping[str, Any]) -> str | None:
    """Return the session that the page means, if it is still the device's: not the next one's."""
    session = device.session
    return (
        session.session if session is not None and asked.get("session") == session.session else None
    )


def _in_all(said: Said, number: int = 0) -> InAll:
    return in_all(lambda language: screen_words_for(said, language, number))


def _said(said: Said, *, is_done: bool) -> Answer:
    return {"is_done": is_done, "words": of_words(_in_all(said))}
