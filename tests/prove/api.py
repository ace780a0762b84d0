"""`./dev prove api`: schemathesis calls every operation as its description says, and otherwise.

A served store has something of everything that a path can name. Law: no answer is a fault of ours,
and each is as the description says: its status, its type, its shape; what must be refused is, and
nobody is let in without a token.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from cloud_controller.web.routes import iso
from tests.fakes.store import HOUR_MS, MORNING_AT, SHINJUKU, ClockInHand
from tests.prove.counts import Counts
from tests.rim.web_kit import TOKEN, WebKit, web_kit

NAME: Final = "api"
SECONDS: Final = 240.0
"""A whole run, with time to spare: some hundred calls a second."""
WANTED: Final = 10_000
"""Calls that a whole run makes at least."""

EXAMPLES: Final = 100
"""Calls of one operation that one phase makes up."""

STORES: Final = "/api/v1/stores"
OPENAPI: Final = "/api/v1/openapi.json"

_MINUTE_SECONDS: Final = 61.0
_BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}

CHECKS: Final = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance", "negative_data_rejection"),
    *("missing_required_header", "unsupported_method", "allow_header_conformance"),
    *("ignored_auth", "object_level_authorization"),
)
"""What is looked at in each answer. Not among them: that whatever is well formed is accepted, since
a store has reasons to say no that no description of shapes can tell; and what needs links."""


@dataclass(kw_only=True)
class HurriedClock(ClockInHand):
    """A minute passes with each look, so that nobody is told to wait for having called often."""

    @override
    def steady_seconds(self) -> float:
        self.steady += _MINUTE_SECONDS
        return self.steady


@dataclass(frozen=True, kw_only=True)
class Calling:
    """What is called, by which settings, for how long, with which dice."""

    document: dict[str, Any]
    settings: Path
    seconds: float
    seed: int
    examples: int = EXAMPLES


@dataclass(frozen=True, kw_only=True)
class Run:
    """What schemathesis has told: how it ended, and in which words."""

    code: int
    findings: tuple[str, ...]
    words: str


def _says_more(document: dict[str, Any]) -> None:
    """Promise a field that no answer has."""
    document["components"]["schemas"]["Stores"]["required"] = ["stores", "owner"]


def _says_locked(document: dict[str, Any]) -> None:
    """Say that only operators are let in where everybody is."""
    document["paths"][STORES]["get"]["security"] = [{"operator": []}]


def _says_other_type(document: dict[str, Any]) -> None:
    """Say that the answer is a text."""
    content = document["paths"][STORES]["get"]["responses"]["200"]["content"]
    content["text/plain"] = content.pop("application/json")


VARIANTS: Final[Mapping[str, Callable[[dict[str, Any]], None]]] = {
    "a field that is promised and is not there": _says_more,
    "a door that stands open": _says_locked,
    "an answer of another type": _says_other_type,
}
"""Descriptions that are wrong in one thing: each must be found out."""


async def prove(seconds: float, seed: int) -> Counts:
    """Call the API until each operation has had its share, or for so long."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # what is no HTTP is refused
    with tempfile.TemporaryDirectory(prefix="rusuban-api-") as name:
        folder = Path(name)
        async with web_kit(folder, clock=HurriedClock()) as kit:
            names = await furnished(kit)
            settings = folder / "schemathesis.toml"
            settings.write_text(settings_text(names), "utf-8")
            document = (await kit.get(OPENAPI)).json
            whole = Calling(document=document, settings=settings, seconds=seconds, seed=seed)
            run = await called(kit.url, whole)
            calls, operations = await counted(kit)
            caught = [name for name in VARIANTS if await _is_caught(kit.url, whole, name)]
    violations = list(run.findings)
    if run.code != 0 and not violations:
        violations.append(f"schemathesis ended with {run.code}: {run.words[-2000:]}")
    return Counts(
        name=NAME,
        seed=seed,
        states=operations,
        schedules=operations,
        executions=calls,
        violations=violations,
        variants=tuple(VARIANTS),
        caught=caught,
        told=(
            f"{calls:,} calls of {operations} operations, {len(run.findings)} findings",
            f"{WANTED:,} calls are a whole run" if calls < WANTED else "a whole run",
        ),
    )


async def furnished(kit: WebKit) -> dict[str, list[str]]:
    """Have something of everything, and return its names by what a path calls them."""
    opened = await kit.store.open()
    tickets = [await kit.store.book(opened, MORNING_AT + n * HOUR_MS) for n in range(1, 8)]
    wish = {"starts_at": iso(MORNING_AT + 9 * HOUR_MS), "length_seconds": 1800}
    order = await kit.told(
        "/api/v1/orders",
        {"lines": [{"offering": opened.offering, **wish}]},
        headers={"Idempotency-Key": "o" * 20},
    )
    reservations = (await kit.told("/api/v1/reservations")).json["reservations"]
    made = await _made(kit)
    return {
        "store": [SHINJUKU],
        "offering": [opened.offering],
        "terminal": [opened.terminal],
        "device": list(opened.devices),
        "link": [*tickets, *([order.json["link"]] if order.status < 300 else [])],
        "reservation": [each["reservation"] for each in reservations],
        "key": ["vr"],
        **made,
    }


async def _made(kit: WebKit) -> dict[str, list[str]]:
    """Have an operator make what only he can."""
    blackout = await kit.told(
        "/api/v1/blackouts",
        {
            "store": SHINJUKU,
            "starts_at": iso(MORNING_AT + 200 * HOUR_MS),
            "ends_at": iso(MORNING_AT + 201 * HOUR_MS),
            "reason": "fair",
        },
        headers={"Idempotency-Key": "b" * 20},
    )
    made = {"blackout": blackout.json, "program": {"program": "vr"}}
    return {name: [str(body[name])] for name, body in made.items() if name in body}


def settings_text(names: dict[str, list[str]]) -> str:
    """Return schemathesis's settings: what a path names is in part what there is."""
    lines = [f'headers = {{ Authorization = "{_BEARER["Authorization"]}" }}']
    for name, values in names.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines.append("[parameters]")
    lines += [f'"path.{name}" = {{ dictionary = "{name}", probability = 0.7 }}' for name in names]
    return "\n".join(lines) + "\n"


async def called(url: str, calling: Calling) -> Run:
    """Have schemathesis call every operation that the document describes, for so long at most."""
    document = calling.settings.with_name("openapi.json")
    document.write_text(json.dumps(calling.document), "utf-8")
    words = (
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(calling.settings)),
        *("run", str(document), "--url", url),
        *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"),
        *("--max-examples", str(calling.examples), "--seed", str(calling.seed)),
        *("--generation-database", "none", "--suppress-health-check", "all"),
        *("--continue-on-failure", "--warnings", "off", "--workers", "2"),
        *("--max-time", str(int(calling.seconds))),
    )
    process = await asyncio.create_subprocess_exec(
        *words,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=calling.settings.parent,
        env={**os.environ, "NO_COLOR": "1"},
    )
    said, _ = await process.communicate()
    text = said.decode(errors="replace")
    return Run(code=process.returncode or 0, findings=tuple(findings_in(text)), words=text)


async def _is_caught(url: str, whole: Calling, name: str) -> bool:
    document = copy.deepcopy(whole.document)
    document["paths"] = {STORES: document["paths"][STORES]}
    VARIANTS[name](document)
    run = await called(url, replace(whole, document=document, seconds=20, examples=3))
    return bool(run.findings)


def findings_in(text: str) -> Sequence[str]:
    """Return what schemathesis found, an operation and its finding each."""
    found: list[str] = []
    operation = ""
    for line in text.splitlines():
        if line.startswith("____"):
            operation = line.strip("_ ")
        elif line.startswith("- ") and operation:
            found.append(f"{operation}: {line[2:]}")
    return found


async def counted(kit: WebKit) -> tuple[int, int]:
    """Return how many calls of the API were answered, and of how many operations."""
    text = (await kit.told("/metrics")).text
    told = [
        line
        for line in text.splitlines()
        if line.startswith('rusuban_requests_total{route="') and " /api/v1/" in line
    ]
    calls = sum(float(line.rsplit(" ", 1)[1]) for line in told)
    return int(calls), len({line.split('"')[1] for line in told})
