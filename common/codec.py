"""Message ↔ bytes: one envelope, one size limit, one version; what cannot be read is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from common.channels import ON_THE_WIRE
from common.errors import MessageIsMalformed
from common.ids import NAME_LENGTH_MAX
from common.messages.base import COUNT_MAX, INSTANT_MAX, Message

VERSION: Final = 1
PAYLOAD_BYTES_MAX: Final = 65_536
"""Bytes of one message; larger things go by HTTPS."""

TTL_SECONDS_MAX: Final = 31_536_000
"""A year: the longest a message may claim to be worth hearing."""

_BRACKETS_MAX = 2_000  # so that reading one cannot exhaust the stack; ours have far fewer

_MODEL_OF = {model.type: model for model in ON_THE_WIRE}


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """A message with what is needed to understand it: whose, which one, and which it answers."""

    id: str
    terminal: str
    epoch: str
    message: Message
    sent_at: int
    seq: int = 0
    ttl_seconds: int = 0
    corr: str = ""


def write(envelope: Envelope) -> bytes:
    """Return the bytes of an envelope.

    Raises:
        MessageIsMalformed: it would be larger than `PAYLOAD_BYTES_MAX`.
    """
    body = {
        "v": VERSION,
        "type": envelope.message.type,
        "id": envelope.id,
        "terminal": envelope.terminal,
        "epoch": envelope.epoch,
        "seq": envelope.seq,
        "sent_at": envelope.sent_at,
        "ttl_seconds": envelope.ttl_seconds,
        "corr": envelope.corr,
        "data": envelope.message.model_dump(mode="json"),
    }
    payload = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise MessageIsMalformed(why=f"it would have {len(payload)} bytes")
    return payload


def read(payload: bytes) -> Envelope:
    """Return the envelope that these bytes hold.

    Raises:
        MessageIsMalformed: too large, not JSON, another version, an unknown type, or a field that
            breaks its type or bound.
    """
    body = _object_in(payload)
    if body.get("v") != VERSION:
        raise MessageIsMalformed(why=f"its version is {str(body.get('v'))[:20]}, not {VERSION}")
    return Envelope(
        id=_text(body, "id"),
        terminal=_text(body, "terminal"),
        epoch=_text(body, "epoch"),
        seq=_number(body, "seq", COUNT_MAX),
        sent_at=_number(body, "sent_at", INSTANT_MAX),
        ttl_seconds=_number(body, "ttl_seconds", TTL_SECONDS_MAX),
        corr=_text(body, "corr"),
        message=message_from(str(body.get("type")), body.get("data")),
    )


def message_from(kind: str, data: object) -> Message:
    """Return the message of type `kind` with these fields.

    Raises:
        MessageIsMalformed: the type is unknown or a field breaks its type or bound.
    """
    model = _MODEL_OF.get(kind)
    if model is None:
        raise MessageIsMalformed(why=f"its type {kind[:40]!r} is unknown")
    try:
        return model.model_validate(data)
    except ValidationError as fault:
        raise MessageIsMalformed(why=f"{kind}: {first_fault_of(fault)}") from fault


def first_fault_of(fault: ValidationError) -> str:
    """Return one line about the first field that is wrong, without its value."""
    first = fault.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    return f"{place}: {first['msg']}"


def _object_in(payload: bytes) -> dict[str, Any]:
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise MessageIsMalformed(why=f"it has {len(payload)} bytes, at most {PAYLOAD_BYTES_MAX}")
    if payload.count(b"[") + payload.count(b"{") > _BRACKETS_MAX:
        raise MessageIsMalformed(why="it has more brackets than any message of ours")
    try:
        body = json.loads(payload.decode(), parse_constant=_no_number)
        if b"\\u" in payload:
            json.dumps(body, ensure_ascii=False).encode()  # half a character cannot be said again
    except (ValueError, RecursionError) as fault:
        raise MessageIsMalformed(why="it is not JSON") from fault
    if not isinstance(body, dict):
        raise MessageIsMalformed(why="it is not a JSON object")
    return body


def _no_number(constant: str) -> float:
    """Refuse NaN and infinities, which Python reads and JSON does not have."""
    message = f"{constant} is no number"
    raise ValueError(message)


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field, "")
    if not isinstance(value, str) or len(value) > NAME_LENGTH_MAX:
        raise MessageIsMalformed(why=f"{field} is not a short text")
    return value


def _number(body: dict[str, Any], field: str, most: int) -> int:
    value = body.get(field, 0)
    if type(value) is not int or not 0 <= value <= most:
        raise MessageIsMalformed(why=f"{field} is not a whole number in its bounds")
    return value
