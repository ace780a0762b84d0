"""Enrolment over HTTP: a one-time code and our public key for who we are."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from common.errors import CannotStart, RusubanError
from common.seals import new_signing_key, public_bytes

ANSWER_SECONDS_MAX: Final = 20.0
"""How long the controller may take."""

ANSWER_BYTES_MAX: Final = 65_536
"""Bytes of its answer; ours has about one thousand."""

KEY_BYTES: Final = 32


class EnrolmentIsRefused(RusubanError):
    """The controller did not enrol this terminal: {why}."""


class ControllerIsAway(RusubanError):
    """The controller at {url} does not answer ({why}): check the address, then try again."""


def enrol(url: str, code: str, public_key: str, hostname: str) -> dict[str, Any]:
    """Return the controller's answer: terminal, store, epoch, secret, broker, public keys.

    Raises:
        EnrolmentIsRefused: the code is not good (any more), or too many were tried.
        ControllerIsAway: nobody answers there.
    """
    address = f"{url.rstrip('/')}/api/v1/enrolments"
    if not address.startswith(("http://", "https://")):
        raise ControllerIsAway(url=url, why="an address begins with https://")
    body = json.dumps({"code": code, "public_key": public_key, "hostname": hostname}).encode()
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
        address, data=body, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX) as answer:  # noqa: S310 - as above
            told: dict[str, Any] = json.loads(answer.read(ANSWER_BYTES_MAX))
    except urllib.error.HTTPError as fault:
        raise EnrolmentIsRefused(why=_why(fault)) from fault
    except (OSError, ValueError) as fault:
        raise ControllerIsAway(url=url, why=str(getattr(fault, "reason", fault))) from fault
    return told


def kept_public_key(folder: Path, random_bytes: Callable[[int], bytes]) -> str:
    """Return the public half of this terminal's key in hex, making the key at the first start.

    Raises:
        CannotStart: the key cannot be kept.
    """
    file = folder / "terminal-key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            beside = file.with_suffix(".new")
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as opened:
                opened.write(random_bytes(KEY_BYTES))
                opened.flush()
                os.fsync(opened.fileno())
            beside.rename(file)
        return public_bytes(new_signing_key(file.read_bytes())).hex()
    except (OSError, ValueError) as fault:
        raise CannotStart(why=f"the key {file} cannot be kept: {fault}") from fault


def _why(fault: urllib.error.HTTPError) -> str:
    """Return what the controller says of it, in its own words where it gives any."""
    try:
        problem = json.loads(fault.read(ANSWER_BYTES_MAX))
        said = [str(problem[part]) for part in ("detail", "next") if problem.get(part)]
    except (OSError, ValueError, AttributeError):
        said = []
    return " ".join(said).removesuffix(".") or f"it answers {fault.code}"
