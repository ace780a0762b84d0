"""The main job as a story: a store opens, a customer plays, three are turned away, and then it is your turn."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from types import FrameType

from rich.console import Console

from tests.demo.story import TERMS, ZONE, Story
from tests.demo.timeline import WIDTH, Columns, JsonLines, Timeline
from tests.demo.visitors import Visitors, invitation
from tests.demo.world import DidNotHappen, World, a_world

AS_TOLD, NOT_AS_TOLD, CANNOT_START, INTERRUPTED = 0, 1, 2, 130
"""What it leaves with; 130 is a Ctrl-C before the story's end."""

LEAVE_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Play the demo and return the exit code."""
    asked = _asked()
    timeline = _timeline(as_json=asked.json)
    for number in LEAVE_ON:
        signal.signal(number, _leave)
    code = INTERRUPTED
    try:
        with timeline.waiting("the controller starts its broker"):
            store = a_world(TERMS)
            world = store.__enter__()
    except KeyboardInterrupt:
        return code
    return code


if __name__ == "__main__":
    sys.exit(main())
