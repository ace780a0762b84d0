"""The API as a program calls it that knows nothing of ours."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

CALL_SECONDS_MAX: Final = 10.0
"""How long an answer may take; on this machine they take milliseconds."""


class Refused(Exception):
    """The API said no."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status = status
        self.code = problem.get("code")
        self.problem = problem


def call(
    url: str,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    trust: ssl.SSLContext | None = None,
) -> Any:
    """Call the API and return its JSON; `trust` says whom to believe over TLS.

    Raises:
        Refused: it answered with a problem.
    """
    asked = urllib.request.Request(url + path, method=method, headers=dict(headers or {}))
    if body is not None:
        asked.data = json.dumps(body).encode()
        asked.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(asked, timeout=CALL_SECONDS_MAX, context=trust) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as fault:
        raise Refused(fault.code, json.loads(fault.read())) from None


def fetch(
    url: str,
    trust: ssl.SSLContext | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return the bytes behind an address."""
    asked = urllib.request.Request(url, headers=dict(headers or {}))
    with urllib.request.urlopen(asked, timeout=CALL_SECONDS_MAX, context=trust) as answer:
        return bytes(answer.read())
