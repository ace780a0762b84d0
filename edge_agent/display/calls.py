"""What a touch does in a call with a helper: one is chosen, written to, and left."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final, Protocol

from common.messages.help import LINE_LENGTH_MAX
from common.rules.help import CallEnd
from common.words import LANGUAGES
from edge_agent.display.stage import Stage
from edge_agent.display.written import of_end
from edge_agent.flows.help import Refused
from edge_agent.ports import DeviceOnScreen

NAME_CHARACTERS_MAX: Final = 64
"""Of a helper's or a call's name, as anywhere."""

SAME_SECONDS: Final = 0.5
"""The same line sooner than this is a finger that trembled, and is one."""

Answer = Mapping[str, Any]

_END_OF: Final = {
    Refused.NOT_THERE: CallEnd.NOT_THERE,
    Refused.FULL: CallEnd.TOO_LONG,
    Refused.OVER: CallEnd.HELPER_ENDED,
}


class Calling(Protocol):
    """Where calls are kept; see `flows.help`."""

    def choose_helper(
        self, device: DeviceOnScreen, helper: str, price_cents: int, language: str
    ) -> Refused | None:
        """Call a helper for whoever stands at this device, for the price that he was shown."""
        ...

    def write_line(self, device: str, call: str, text: str) -> Refused | None:
        """Write to the helper of this device's call."""
        ...

    def leave_call(self, device: str, call: str) -> bool:
        """End a call by its customer's wish; False when it is over anyway."""
        ...


class Calls:
    """The buttons of a call; of each, only what the page could mean of its own device is done."""

    def __init__(self, stage: Stage, calling: Calling) -> None:
        """Take what is shown, and where calls are kept."""
        self._stage = stage
        self._calling = calling
        self._last = ("", "", 0.0)

    async def choose(self, device: DeviceOnScreen, asked: Mapping[str, Any]) -> Answer | None:
        """Call the helper that the page names; None: it cannot mean one of those shown."""
        helper, price, language = (asked.get(it) for it in ("helper", "price_cents", "language"))
        if device.device is None or not _is_name(helper) or not self._is_same(device, asked):
            return None
        if language not in LANGUAGES or not isinstance(price, int) or isinstance(price, bool):
            return None
        refused = self._calling.choose_helper(device, str(helper), price, str(language))
        return self._answer(refused)

    async def write(self, device: DeviceOnScreen, asked: Mapping[str, Any]) -> Answer | None:
        """Write one line; None: it is empty, too long, or of no call."""
        call, text = asked.get("call"), asked.get("text")
        if device.device is None or not _is_name(call) or not isinstance(text, str):
            return None
        text = _readable(text)
        if not 0 < len(text) <= LINE_LENGTH_MAX:
            return None
        before, now = self._last, self._stage.now()
        self._last = (str(call), text, now)
        if before[:2] == self._last[:2] and now < before[2] + SAME_SECONDS:
            return self._answer(None)
        return self._answer(self._calling.write_line(device.device, str(call), text))

    async def leave(self, device: DeviceOnScreen, asked: Mapping[str, Any]) -> Answer | None:
        """End the call; None: it is of no device of ours."""
        call = asked.get("call")
        if device.device is None or not _is_name(call):
            return None
        is_done = self._calling.leave_call(device.device, str(call))
        self._stage.refresh()
        return {"is_done": is_done, "words": of_end(CallEnd.CUSTOMER_LEFT)}

    def _is_same(self, device: DeviceOnScreen, asked: Mapping[str, Any]) -> bool:
        """Say whether the page means whoever is there now: the one before him chooses nothing."""
        shown = (each for each in self._stage.pictures() if each.key == device.key)
        countdown = next(shown).countdown
        return asked.get("session") == (None if countdown is None else countdown.session)

    def _answer(self, refused: Refused | None) -> Answer:
        self._stage.refresh()
        if refused is None:
            return {"is_done": True}
        return {"is_done": False, "words": of_end(_END_OF[refused])}


def _readable(text: str) -> str:
    """Return a line as one: what no one can read in it is left out."""
    one = " ".join(text.split())
    return "".join(each for each in one if unicodedata.category(each) not in {"Cc", "Cs"})


def _is_name(given: object) -> bool:
    return isinstance(given, str) and 0 < len(given) <= NAME_CHARACTERS_MAX
