"""`python -m tests.bench.render_loop FRAMES PROCESSOR`: draw ninety times a second, count the late.

A game of a virtual-reality headset: each picture takes six milliseconds of a processor and has
eleven; one that is ready later is missed.
"""

from __future__ import annotations

import os
import sys
import time

FRAMES_SECOND = 90
WORK_SECONDS = 0.006


def missed(frames: int) -> int:
    """Return how many pictures came too late."""
    late, each = 0, 1 / FRAMES_SECOND
    due = time.perf_counter() + each
    for _ in range(frames):
        time.sleep(max(0.0, due - each - time.perf_counter()))
        busy_until = time.thread_time() + WORK_SECONDS
        while time.thread_time() < busy_until:
            pass
        now = time.perf_counter()
        late += now > due
        while due <= now:
            due += each
    return late


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[2])})
    print(missed(int(sys.argv[1])))
