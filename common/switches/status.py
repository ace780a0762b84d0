"""What a switch says of itself, read: on, off, or nothing that we understand."""

from __future__ import annotations

import json
from typing import Any, Final

from common.rules.actions import Level
from common.switches.settings import MqttSwitch

STATUS_BYTES_MAX: Final = 16_384
"""Bytes of a status that are read: the longest of known firmware have a few thousand."""

HEARD_CHARACTERS_MAX: Final = 60
"""Characters of a status that are shown to whoever looks at a problem."""


def read_status(switch: MqttSwitch, payload: bytes) -> tuple[Level | None, str]:
    """Return what a status means, None where that is neither, and the word that it was read from.

    Whatever the bytes are, this returns: they come from cheap firmware, or from somebody else.
    """
    word = _word_in(payload, switch.status_pointer)
    heard = "".join(sign if sign.isprintable() else "?" for sign in word[:HEARD_CHARACTERS_MAX])
    levels = {switch.status_on: Level.ON, switch.status_off: Level.OFF}
    return levels.get(word), heard


def _word_in(payload: bytes, pointer: str) -> str:
    if len(payload) > STATUS_BYTES_MAX:
        return ""
    text = payload.decode("utf-8", "replace")
    if not pointer:
        return text.strip()
    try:
        found = _found_at(json.loads(text), pointer)
    except (ValueError, RecursionError, LookupError, TypeError):
        return ""
    return found if isinstance(found, str) else json.dumps(found)


def _found_at(document: Any, pointer: str) -> Any:  # noqa: ANN401 - JSON is of any shape
    """Return what a JSON pointer points at (RFC 6901).

    Raises:
        LookupError: there is nothing.
        TypeError: the way leads through a word or a number.
        ValueError: a list is asked for what is no number.
    """
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document
