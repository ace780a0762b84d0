"""The real clock and the real dice, looked at here alone; and the pauses of Python's own memory."""

from __future__ import annotations

import ctypes
import gc
import secrets
import time
from pathlib import Path

_TIMEX_BYTES = 512  # struct timex has 208; all zeros asks and changes nothing
_TIME_ERROR = 5  # the clock is not synchronised
_adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
_TIMESYNCD_MARK = Path("/run/systemd/timesync/synchronized")
_SHORT_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class SystemClock:
    """The computer's clocks."""

    def now_ms(self) -> int:
        """Return the wall clock, in milliseconds since 1970 UTC; it may jump."""
        return time.time_ns() // 1_000_000

    def boot_seconds(self) -> float:
        """Return seconds since boot, counting suspend; it never jumps and cannot be set."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def steady_seconds(self) -> float:
        """Return seconds that only ever grow, for measuring how long something took."""
        return time.monotonic()

    def is_synchronised(self) -> bool:
        """Say whether a time server keeps the wall clock: by the kernel, or by systemd-timesyncd.

        A hardened unit may not ask the kernel (adjtimex(2)); timesyncd leaves a mark in `/run`.
        """
        by_the_kernel = _adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
        return by_the_kernel not in {_TIME_ERROR, -1} or _TIMESYNCD_MARK.exists()


class SystemNames:
    """New names and secrets from the system's random numbers."""

    def new(self, prefix: str) -> str:
        """Return a new name such as `s-4f02…`: 80 random bits in hex."""
        return f"{prefix}-{secrets.token_hex(10)}"

    def hex_digits(self, count: int) -> str:
        """Return `count` random hex digits."""
        return secrets.token_hex((count + 1) // 2)[:count]

    def secret_bytes(self, count: int) -> bytes:
        """Return `count` random bytes."""
        return secrets.token_bytes(count)

    def short_code(self, length: int) -> str:
        """Return a code a person can type: no letters that look like digits, 4.9 bits each."""
        return "".join(secrets.choice(_SHORT_CODE_ALPHABET) for _ in range(length))

    def fraction(self) -> float:
        """Return a random number from 0 up to 1, for jitter."""
        return secrets.randbelow(1 << 53) / (1 << 53)


def look_for_no_garbage() -> None:
    """Load first: what is loaded stays, and Python's search for garbage costs a sixth of it."""
    gc.disable()


def look_for_garbage() -> None:
    """Work now: what is there stays, and what comes is searched."""
    gc.freeze()
    gc.enable()


def spare_what_stays() -> None:
    """Take all that is there now out of Python's search for what has become garbage.

    Programs and their libraries stay for as long as the process; each full search through them
    stops it for some 50 ms.
    """
    gc.collect()
    gc.freeze()
