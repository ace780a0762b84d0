"""The demo as a person starts it: it tells the truth, ends when told to, and leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.web.asyncapi import document_of
from cloud_controller.web.routes import from_iso
from common.mqtt import Delivery
from tests.e2e.overheard import broker_program, ear_at
from tests.rim.asyncapi_kit import Described

ROOT = Path(__file__).parents[2]
STORY_SECONDS_MAX = 90
END_SECONDS_MAX = 20

STORY = (
    ("controller", "opens its books, broker and pages"),
    ("operator", "makes the keys that sign packages, on a stick"),
    ("operator", "publishes a program's package and a module"),
    ("operator", "says what the licence allows"),
    ("operator", "makes a code"),
    ("terminal 1", "enrols with a one-time code"),
    ("terminal 1", "starts its agent, which starts its runner"),
    ("terminal 1", "says what it is"),
    ("customer", "holds a ticket up to terminal 1's scanner"),
    ("terminal 1", "opens nothing"),
    ("customer", "finds nothing of it on the page"),
    ("operator", "looks:  cloud-controller explain"),
    ("operator", "confirms it"),
    ("terminal 1", "opens its gate, and asks"),
    ("controller", "makes its service profile"),
    ("terminal 1", "stores it, and offers its seat"),
    ("controller", "puts booth 1 on the page"),
    ("terminal 2", "enrols with a one-time code"),
    ("operator", "confirms terminal 2"),
    ("controller", "puts booth 2 on the page"),
    ("terminal 2", "installs its program's own part"),
    ("controller", "takes a seat, and logs it"),
    ("terminal 2", "fetches the module and installs it"),
    ("customer", "books the nearest slot"),
    ("customer", "photographs the ticket"),
    ("customer", "holds it up to terminal 1's scanner"),
    ("terminal 1", "reads the ticket"),
    ("controller", "checks it and grants a session"),
    ("terminal 1", "writes the session into its journal"),
    ("terminal 1", "welcomes the customer"),
    ("program", "runs"),
    ("terminal 1", "warns the customer"),
    ("controller", "instructs the stop: time is up"),
    ("program", "is ended and gone"),
    ("terminal 1", "answers the stop"),
    ("controller", "completes the use"),
    ("customer", "sees what he was given"),
    ("customer", "shows the same ticket at terminal 1 again"),
    ("terminal 1", "opens nothing"),
    ("customer", "books the nearest slot"),
    ("customer", "shows a ticket for booth 1 at terminal 2"),
    ("terminal 2", "opens nothing"),
    ("customer", "shows a forged ticket at terminal 1"),
    ("terminal 1", "opens nothing"),
    ("customer", "books the nearest slot"),
    ("terminal 2", "takes the ticket over: it alone may redeem it now"),
    ("controller", "dies, and its broker with it"),
    ("terminal 2", "says so honestly"),
    ("customer", "holds it up to terminal 2's scanner"),
    ("terminal 2", "opens the device by itself"),
    ("controller", "is back"),
    ("terminal 2", "tells what it did meanwhile"),
    ("controller", "enters it, once: the ticket is spent"),
    ("controller", "completes the use"),
    ("operator", "suspends terminal 2"),
    ("customer", "finds its seat off the page"),
    ("terminal 2", "closes its gate"),
    ("operator", "resumes terminal 2"),
    ("customer", "finds its seat on the page again"),
    ("operator", "looks:  cloud-controller modules report"),
    ("operator", "wants the program off terminal 2"),
    ("controller", "finds the module in its log: it may go"),
    ("terminal 2", "takes ours off"),
    ("controller", "finds no line of this one: it stays"),
    ("controller", "has the seat free again"),
)

HEARD = frozenset(
    "command.state controller.state device.told events.acknowledged module.installed modules.ask "
    "modules.desired modules.offered offering.off offering.on offering.registered "
    "registration.specification registration.standing rights.announce rights.announced "
    "rights.complete rights.completed rights.refused rights.request rights.right scan.denied "
    "service.profile service.request session.admitted session.ended session.running session.stop "
    "session.warned sessions.desired terminal.heartbeat terminal.hello terminal.presence "
    "terminal.welcome tickets.hold".split()
)
"""What is said in the story, whatever else is."""


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Give the folder that a demo makes its own in; short, as sockets live below it."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def whole() -> tuple[list[dict[str, Any]], list[Delivery]]:
    """Return what one whole story has told, and all that crossed its broker."""
    with (
        tempfile.TemporaryDirectory(prefix="demo-") as folder,
        tempfile.TemporaryDirectory(prefix="ear-") as beside,
        ear_at(Path(folder)) as heard,
    ):
        broker = str(broker_program(Path(beside)))
        demo = _start(Path(folder), "--once", "--json", RUSUBAN_BROKER__PROGRAM=broker)
        out, said = demo.communicate(timeout=STORY_SECONDS_MAX)
        assert demo.returncode == 0, said
        assert said == ""
        assert _what_is_left(Path(folder)) == []
    return [json.loads(line) for line in out.splitlines()], heard


@pytest.fixture(scope="module")
def steps(whole: tuple[list[dict[str, Any]], list[Delivery]]) -> list[dict[str, Any]]:
    """Return what one whole story has told, once it has ended well and left nothing."""
    return whole[0]


def test_the_story_goes_as_told_and_every_step_is_in_it(steps: list[dict[str, Any]]):
    assert sorted((step["who"], step["what"]) for step in steps) == sorted(STORY)


def test_each_who_is_turned_away_is_told_why_in_both_languages(steps: list[dict[str, Any]]):
    refused = [step["facts"] for step in steps if step["what"] == "opens nothing"]
    reasons = [facts["reason"] for facts in refused]
    assert reasons == ["not_registered", "already_used", "wrong_device", "bad_signature"]
    assert all(facts["en"] and facts["ja"] for facts in refused)


def test_a_terminal_stays_closed_until_the_operator_has_looked_and_confirmed_it(
    steps: list[dict[str, Any]],
):
    by_deed = {step["what"]: step for step in reversed(steps)}
    way = (
        *("enrols with a one-time code", "says what it is", "opens nothing"),
        *("finds nothing of it on the page", "looks:  cloud-controller explain", "confirms it"),
        *("opens its gate, and asks", "makes its service profile"),
        *("stores it, and offers its seat", "puts booth 1 on the page"),
    )
    instants = [from_iso(by_deed[what]["at"]) for what in way]
    assert instants == sorted(instants)
    looked_at = by_deed["looks:  cloud-controller explain"]["facts"]["told"]
    assert looked_at[-1].split() == ["in", "booth-1", "Booth", "1", "racer"]
    assert len(by_deed["makes its service profile"]["facts"]["profile_digest"]) == 64


def test_a_ticket_that_is_held_opens_its_device_while_nobody_can_be_asked(
    steps: list[dict[str, Any]],
):
    at = {step["what"]: from_iso(step["at"]) for step in steps}
    way = (
        *("takes the ticket over: it alone may redeem it now", "dies, and its broker with it"),
        *("holds it up to terminal 2's scanner", "opens the device by itself"),
        *("is back", "tells what it did meanwhile", "enters it, once: the ticket is spent"),
    )
    instants = [at[what] for what in way]
    assert instants == sorted(instants)


def test_a_suspended_terminal_is_off_the_page_within_a_second(steps: list[dict[str, Any]]):
    at = {step["what"]: from_iso(step["at"]) for step in steps}
    assert 0 <= at["finds its seat off the page"] - at["suspends terminal 2"] <= 1_000


def test_what_is_licensed_is_counted_and_goes_and_what_was_there_before_stays(
    steps: list[dict[str, Any]],
):
    by_deed = {step["what"]: step for step in steps}
    way = (
        *("publishes a program's package and a module", "installs its program's own part"),
        *("takes a seat, and logs it", "fetches the module and installs it"),
        *("looks:  cloud-controller modules report", "wants the program off terminal 2"),
        *("finds the module in its log: it may go", "takes ours off"),
        "has the seat free again",
    )
    instants = [from_iso(by_deed[what]["at"]) for what in way]
    assert instants == sorted(instants)
    match = by_deed["looks:  cloud-controller modules report"]["facts"]
    assert [line.split()[-1] for line in match["told"]] == ["1", "1", "0", "0"]
    assert match["sources"] == {"physics": "ours", "sound": "elsewhere"}


def test_all_that_crossed_the_broker_is_as_its_description_says(
    whole: tuple[list[dict[str, Any]], list[Delivery]],
):
    """What an ear at the broker has heard of the whole story fits the AsyncAPI document."""
    described = Described(document_of("store.example:1883", is_secure=False))
    kinds = {described.kind_of(delivery) for delivery in whole[1]}
    assert kinds >= HEARD
    assert len(whole[1]) >= 150


def test_the_milliseconds_between_steps_are_those_of_their_instants(steps: list[dict[str, Any]]):
    for before, after in pairwise(steps):
        assert from_iso(after["at"]) - from_iso(before["at"]) == after["since_ms"]
    by_deed = {step["what"]: from_iso(step["at"]) for step in steps}
    order = ("reads the ticket", "checks it and grants a session", "runs", "is ended and gone")
    assert [by_deed[what] for what in order] == sorted(by_deed[what] for what in order)


def test_told_to_leave_in_the_middle_it_leaves_nothing_behind(temporary: Path):
    demo = _start(temporary, "--once", "--json")
    _read_until(demo, '"runs"')
    assert len(_what_is_left(temporary)) > 6, "controller, broker, agents, runners, program, folder"
    demo.send_signal(signal.SIGTERM)
    _, said = demo.communicate(timeout=END_SECONDS_MAX)
    assert demo.returncode == 130
    assert said == ""
    assert _what_is_left(temporary) == []


def test_after_the_story_it_stays_until_it_is_told_to_leave(temporary: Path):
    demo = _start(temporary)
    link = _read_until(demo, "/operator/join/").strip()
    assert 'name="again"' in _page(link), "the form of a first password"
    _read_until(demo, "Ctrl-C ends everything")
    assert demo.poll() is None
    demo.send_signal(signal.SIGINT)
    _, said = demo.communicate(timeout=END_SECONDS_MAX)
    assert demo.returncode == 0, said
    assert _what_is_left(temporary) == []


def test_without_a_broker_it_says_so_in_one_sentence(temporary: Path):
    demo = _start(temporary, "--once", "--json", RUSUBAN_BROKER__PROGRAM="no-such-broker")
    out, said = demo.communicate(timeout=END_SECONDS_MAX)
    assert demo.returncode == 2, said
    assert out == ""
    assert said.startswith("no-such-broker is not there: ")
    assert said.count("\n") == 1
    assert _what_is_left(temporary) == []


def test_a_step_that_does_not_happen_is_named_with_the_ends_of_the_logs(temporary: Path):
    demo = _start(temporary, "--once", "--json")
    _read_until(demo, '"runs"')
    program = next(int(name) for name in _what_is_left(temporary) if _is_program(name))
    os.kill(program, signal.SIGKILL)
    _, said = demo.communicate(timeout=STORY_SECONDS_MAX)
    assert demo.returncode == 1
    assert said.startswith("It did not go as told: ")
    assert "agent.log" in said
    assert _what_is_left(temporary) == []


def _start(temporary: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.demo", *words],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _read_until(demo: subprocess.Popen[str], words: str) -> str:
    """Read what the demo tells until it has told this, and return that line."""
    until = time.monotonic() + STORY_SECONDS_MAX
    assert demo.stdout is not None
    for line in demo.stdout:
        if words in line:
            return line
        assert time.monotonic() < until
    pytest.fail(f"it ended before it told {words!r}")


def _page(address: str) -> str:
    """Return a page as a browser in English is shown it."""
    asked = urllib.request.Request(address, headers={"Accept-Language": "en"})
    with urllib.request.urlopen(asked, timeout=END_SECONDS_MAX) as answer:
        return str(answer.read(), "utf-8")


def _what_is_left(temporary: Path) -> list[str]:
    """Return the files and the processes that belong to this folder."""
    mark = bytes(temporary)
    left: list[Any] = [path.name for path in temporary.iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = mark in (process / "environ").read_bytes()
        except OSError:
            continue
        if is_ours:
            left.append(process.name)
    return left


def _is_program(name: str) -> bool:
    return name.isdecimal() and b"program.py" in Path("/proc", name, "cmdline").read_bytes()
