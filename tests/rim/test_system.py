"""The machine's own clocks, and who says that one of them is kept."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from common import system
from common.system import SystemClock

SYNCHRONISED, NOT_SYNCHRONISED, NOT_ALLOWED = 0, 5, -1


@pytest.mark.parametrize(
    ("kernel", "is_marked", "kept"),
    [
        (SYNCHRONISED, False, True),
        (NOT_SYNCHRONISED, False, False),
        (NOT_ALLOWED, False, False),
        (NOT_ALLOWED, True, True),
        (NOT_SYNCHRONISED, True, True),
    ],
)
def test_a_wall_clock_is_kept_by_the_word_of_the_kernel_or_of_timesyncd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel, is_marked, kept
):
    mark = tmp_path / "synchronized"
    if is_marked:
        mark.touch()
    monkeypatch.setattr(system, "_adjtimex", lambda _buffer: kernel)
    monkeypatch.setattr(system, "_TIMESYNCD_MARK", mark)
    assert SystemClock().is_synchronised() is kept


def test_the_kernel_is_only_asked_and_says_one_of_its_six_words():
    before = SystemClock().now_ms()
    buffer = ctypes.create_string_buffer(system._TIMEX_BYTES)
    assert system._adjtimex(buffer) in {*range(6), NOT_ALLOWED}
    assert SystemClock().now_ms() - before < 60_000
