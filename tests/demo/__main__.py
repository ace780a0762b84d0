"""A store as a story: a terminal is let in, a customer plays, three are turned away; your turn."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from types import FrameType
from typing import Final

from rich.console import Console
from rich.text import Text

from tests.demo.settings import PROGRAMS, SCREEN
from tests.demo.story import TERMS, ZONE, Story
from tests.demo.timeline import WIDTH, Columns, JsonLines, Timeline
from tests.demo.visitors import END, Visitors, invitation, way_into_the_console
from tests.demo.world import DidNotHappen, World, a_world

AS_TOLD: Final = 0
NOT_AS_TOLD: Final = 1
CANNOT_START: Final = 2
INTERRUPTED: Final = 130
"""Told to leave before the story's end."""

LEAVE_ON: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Play the demo and return its exit code."""
    asked = _asked()
    timeline = _timeline(as_json=asked.json)
    for number in LEAVE_ON:
        signal.signal(number, _leave)
    timeline.show(_title())
    try:
        with a_world(TERMS, policy="manual", programs=PROGRAMS, screen=SCREEN) as world:
            try:
                return _play(world, timeline, stays=not asked.once)
            finally:
                _hear_nothing()
    except KeyboardInterrupt:
        return INTERRUPTED
    except DidNotHappen as fault:
        return _cannot_start(fault)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="leave when the story is over")
    parser.add_argument("--json", action="store_true", help="print one JSON object a step")
    return parser.parse_args()


def _timeline(*, as_json: bool) -> Timeline:
    if as_json:
        return JsonLines(sys.stdout, _now())
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    return Columns(console, _now(), zone=ZONE, now=_now)


def _play(world: World, timeline: Timeline, *, stays: bool) -> int:
    """Play the story, and if asked stay for whoever wants to try it himself."""
    try:
        Story(world, timeline, _now).play()
    except Exception as fault:  # noqa: BLE001 - whatever it was, the story did not go as told
        return _not_as_told(world, fault)
    if not stays:
        return AS_TOLD
    try:
        timeline.chapter("Your turn")
        timeline.show(invitation(world), way_into_the_console(world), END, "")
        Visitors(world, timeline).follow()
    except KeyboardInterrupt:
        return AS_TOLD
    except Exception as fault:  # noqa: BLE001 - a program that ends by itself shows as many faults
        return _not_as_told(world, fault)


def _not_as_told(world: World, fault: Exception) -> int:
    said = (str(fault) or repr(fault)).splitlines()[0]
    sys.stderr.write(f"It did not go as told: {said}\n\n{world.ends_of_logs()}\n")
    return NOT_AS_TOLD


def _cannot_start(fault: DidNotHappen) -> int:
    """Say why there is no world: in one sentence, where the program that ended has one."""
    if fault.code == CANNOT_START:
        sys.stderr.write(f"{str(fault).splitlines()[-1]}\n")
        return CANNOT_START
    sys.stderr.write(f"The world did not start: {fault}\n")
    return NOT_AS_TOLD


def _leave(number: int, frame: FrameType | None) -> None:
    """Leave now, and do not be disturbed while everything is taken away."""
    del number, frame
    _hear_nothing()
    raise KeyboardInterrupt


def _hear_nothing() -> None:
    for number in LEAVE_ON:
        signal.signal(number, signal.SIG_IGN)


def _title() -> Text:
    return Text.assemble(
        ("\n Rusuban", "bold"),
        ("  the store that minds itself: real programs, a real broker, real databases", "italic"),
        (f"\n Times are the store's ({ZONE.key}), each written by the program that did it;", ""),
        ("\n + is how long after the step before.", ""),
    )


def _now() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
