"""Answer `edge-agent read-ticket FILE…`: one JSON line a file, for support and for printers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from common.errors import CannotStart
from common.seals import KEY_IDS_MAX, token_is_ours, verifying_key
from edge_agent.scanners.hygiene import NotATicket, ShortCode, hygiene
from edge_agent.scanners.image import NothingFound, Unreadable, read_picture
from edge_agent.scanners.reading import Reading

KEYS_BYTES_MAX: Final = 4_096
"""Bytes of a file of keys; sixteen keys of 64 hex digits take 1 200."""


class KeysAreUnreadable(CannotStart):
    """The keys in {file} cannot be read: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """One line of the answer: `reason` is what a customer would be denied for, `why` says more."""

    file: str
    text: str | None = None
    decoder: str | None = None
    milliseconds: float | None = None
    verdict: Literal["ticket", "not_a_ticket", "nothing_found", "unreadable"]
    reason: str | None = None
    why: str | None = None


def read_tickets(
    files: Iterable[Path],
    keys: Mapping[int, Ed25519PublicKey] | None,
    write: Callable[[str], None],
    seconds: Callable[[], float],
) -> int:
    """Write one JSON line for each file and return the exit code: 0 when every file was a ticket.

    Args:
        files: pictures of tickets.
        keys: the controller's public keys by id; without them the signature is not checked.
        write: takes one line, without its end.
        seconds: a clock that only grows.
    """
    every_one_is_a_ticket = True
    for file in files:
        verdict = _verdict_of(file, keys, seconds)
        every_one_is_a_ticket &= verdict.verdict == "ticket"
        write(json.dumps(asdict(verdict)))
    return 0 if every_one_is_a_ticket else 1


def load_keys(file: Path) -> Mapping[int, Ed25519PublicKey]:
    """Return the public keys of a JSON file such as `{"1": "64 hex digits"}`.

    Raises:
        KeysAreUnreadable: the file is missing, too large or holds anything else.
    """
    try:
        with file.open("rb") as opened:
            keys = json.loads(opened.read(KEYS_BYTES_MAX))
        return {_key_id(number): verifying_key(bytes.fromhex(key)) for number, key in keys.items()}
    except OSError as fault:
        raise KeysAreUnreadable(file=file, why=fault.strerror) from fault
    except (ValueError, TypeError, AttributeError) as fault:
        why = 'it has to look like {"1": "64 hex digits"}'
        raise KeysAreUnreadable(file=file, why=why) from fault


def _key_id(number: str) -> int:
    key_id = int(number)
    if not 0 <= key_id < KEY_IDS_MAX:
        raise ValueError(number)
    return key_id


def _verdict_of(
    file: Path, keys: Mapping[int, Ed25519PublicKey] | None, seconds: Callable[[], float]
) -> Verdict:
    match read_picture(file, seconds):
        case NothingFound():
            return Verdict(file=str(file), verdict="nothing_found")
        case Unreadable(why=why):
            return Verdict(file=str(file), verdict="unreadable", why=why)
        case Reading() as reading:
            return _judged(file, reading, keys)


def _judged(file: Path, reading: Reading, keys: Mapping[int, Ed25519PublicKey] | None) -> Verdict:
    reason, why = _why_not(reading.text, keys) or (None, None)
    return Verdict(
        file=str(file),
        text=reading.text,
        decoder=reading.decoder,
        milliseconds=reading.milliseconds,
        verdict="not_a_ticket" if reason else "ticket",
        reason=reason,
        why=why,
    )


def _why_not(
    text: str, keys: Mapping[int, Ed25519PublicKey] | None
) -> tuple[Literal["unknown_ticket", "bad_signature"], str] | None:
    """Return the denial reason and the words for it, None for a ticket."""
    found = hygiene(text)
    if isinstance(found, NotATicket):
        return found.reason, found.why
    if isinstance(found, ShortCode):
        return "unknown_ticket", "it is built like a short code: the controller knows whose it is"
    if keys is not None and not token_is_ours(found.read, keys):
        return "bad_signature", "none of the keys given signed it"
    return None
