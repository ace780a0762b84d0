"""`python -m tests.prove.tickets_worker SECONDS SEED FOLDER`: fuzz in this process, then tell.

The fuzzer is Atheris: libFuzzer's mutations, led by what they reach in `common.seals`. It owns the
process, so the last line is said from within. Where Atheris has no build for this Python, plain
seeded dice do the same executions without being led, and that is told.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

try:
    import atheris
except ImportError:  # it comes as a built wheel, for some versions of Python only
    atheris = None

if atheris is not None:
    with atheris.instrument_imports(include=["common.seals"]):
        import common.seals  # noqa: F401 - imported here first, so that it is led by

from tests.prove.tickets_fuzz import Fuzz, drawn, seeds, vectors

TEXT_BYTES_MAX = 600
"""Bytes of one execution's input: a whole scanned text and some more."""

LOOKED_AT_EVERY = 256
"""Executions between two looks at the clock."""


def main(words: list[str]) -> None:
    seconds, seed, folder = float(words[0]), int(words[1]), Path(words[2])
    given = vectors()
    fuzz = Fuzz(given)
    began = time.monotonic()

    def execute(raw: bytes) -> None:
        fuzz(raw)
        if fuzz.tally.violations or fuzz.tally.executions % LOOKED_AT_EVERY == 0:
            lasted = time.monotonic() - began
            if fuzz.tally.violations or lasted >= seconds:
                _tell(fuzz, lasted)

    if atheris is None:
        dice = Random(seed)
        while True:
            execute(drawn(dice))
    for number, raw in enumerate(seeds(given)):
        (folder / f"{number:03}").write_bytes(raw)
    options = (f"-seed={seed + 1}", f"-max_len={TEXT_BYTES_MAX}", "-len_control=0")
    quiet: Any = ("-verbosity=0", "-print_final_stats=0", str(folder))
    atheris.Setup([sys.argv[0], *options, *quiet], execute)
    atheris.Fuzz()


def _tell(fuzz: Fuzz, lasted: float) -> None:
    """Say what was counted, and end: libFuzzer would not come back here."""
    tally = fuzz.tally
    line = {
        "fuzzer": "atheris" if atheris is not None else "dice",
        "seconds": lasted,
        "executions": tally.executions,
        "well_formed": tally.well_formed,
        "accepted": tally.accepted,
        "violations": tally.violations[:3],
    }
    print(json.dumps(line), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
