"""Says when each byte comes out of a FIFO: a process of its own, so that nothing delays it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def main(fifo: Path) -> None:
    """Print the monotonic clock for each byte, until nobody listens any more."""
    opened = os.open(fifo, os.O_RDWR)
    while os.read(opened, 1):
        print(time.monotonic_ns(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
