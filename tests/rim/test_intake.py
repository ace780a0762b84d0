"""A live scanner's way in: the same code once, one customer at a time, everything counted."""

from __future__ import annotations

import pytest

from common.rules.scanners import ScannerHint
from edge_agent.scanners.counting import counted
from edge_agent.scanners.intake import (
    AGAIN_SECONDS,
    GONE_SECONDS,
    NAME_LENGTH_MAX,
    VERDICT_SECONDS_MAX,
    Intake,
    LiveScanner,
    bounded,
)
from edge_agent.scanners.lines import LINE_LENGTH_MAX, PAUSE_SECONDS_MAX, Lines
from edge_agent.scanners.reading import Reading, Viewfinder
from edge_agent.scanners.turns import TURNS_MAX, Turns


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def intake(clock) -> Intake:
    return Intake("serial x", seconds=clock)


def shown(intake: Intake, text: str) -> bool:
    """Show a code; what is taken goes to the flows at once."""
    is_taken = intake.take(Reading(text=text, decoder="test", milliseconds=0.0))
    if is_taken:
        assert intake._waiting._waiting.get_nowait().text == text
    return is_taken


def stays(intake: Intake, clock: Clock, text: str, seconds: float) -> int:
    """Show a code ten times a second for so long; return how many scans that was."""
    scans = 0
    for _ in range(round(seconds * 10)):
        clock.now += 0.1
        if shown(intake, text):
            scans += 1
            intake.settled()
    return scans


# --- The same code ----------------------------------------------------------------------------


def test_a_code_that_stays_before_the_lens_is_one_scan(intake, clock):
    assert shown(intake, "A")
    intake.settled()
    assert stays(intake, clock, "A", AGAIN_SECONDS - 0.2) == 0
    assert intake.counts.same_again == 28
    assert intake.counts.decoded == 1


def test_three_seconds_after_its_verdict_it_is_another_scan(intake, clock):
    """The verdict may have come late; only then do the three seconds begin."""
    assert shown(intake, "A")
    assert stays(intake, clock, "A", VERDICT_SECONDS_MAX - 1) == 0
    intake.settled()
    assert stays(intake, clock, "A", AGAIN_SECONDS - 0.2) == 0
    assert stays(intake, clock, "A", 0.4) == 1


def test_a_code_that_was_left_lying_is_scanned_ever_more_rarely(intake, clock):
    assert shown(intake, "A")
    intake.settled()
    assert stays(intake, clock, "A", 600) <= 14
    assert stays(intake, clock, "A", 600) == 10


def test_a_code_that_was_taken_away_for_a_moment_is_another_scan(intake, clock):
    assert shown(intake, "A")
    intake.settled()
    clock.now += GONE_SECONDS - 0.1
    assert not shown(intake, "A")
    clock.now += GONE_SECONDS
    assert shown(intake, "A")


def test_a_code_that_flickers_while_it_is_held_is_one_scan(intake, clock):
    assert shown(intake, "A")
    intake.settled()
    for _ in range(2):
        clock.now += GONE_SECONDS - 0.1
        assert not shown(intake, "A")


# --- One at a time ----------------------------------------------------------------------------


def test_a_code_that_comes_while_busy_is_dropped_and_not_remembered(intake):
    assert shown(intake, "A")
    assert not shown(intake, "B")
    intake.settled()
    assert shown(intake, "B")
    assert intake.counts.busy == 1


def test_what_is_dropped_does_not_make_the_code_before_it_another_scan(intake):
    assert shown(intake, "A")
    assert not shown(intake, "B")
    intake.settled()
    assert not shown(intake, "A")


def test_a_verdict_that_never_comes_keeps_nobody_for_good(intake, clock):
    assert shown(intake, "A")
    clock.now += VERDICT_SECONDS_MAX - 0.1
    assert not shown(intake, "B")
    clock.now += 0.1
    assert shown(intake, "B")


def test_of_a_hundred_codes_a_second_each_is_judged_or_counted(intake, clock):
    for number in range(1_000):
        clock.now += 0.01
        shown(intake, f"code {number}")
        if number % 10 == 9:
            intake.settled()
    assert intake.counts.busy > 0
    assert intake.counts.decoded + intake.counts.busy == 1_000


# --- What it says of itself -------------------------------------------------------------------


def test_the_screen_sees_that_a_scanner_comes_and_goes(clock):
    viewfinder = Viewfinder()
    intake = Intake("camera x", seconds=clock, viewfinder=viewfinder)
    hints = []
    with viewfinder.looking(lambda seen: hints.append(seen.hint)):
        intake.opened()
        intake.gone()
        intake.opened()
    assert hints == [ScannerHint.NOTHING, ScannerHint.AWAY, ScannerHint.NOTHING]
    assert counted([LiveScanner(intake)]).scanners[0].opened == 2


def test_a_name_is_printable_and_bounded():
    assert (
        bounded("serial \x1b[2J\n" + "x" * 500 + "end") == "…" + "x" * (NAME_LENGTH_MAX - 3) + "end"
    )
    assert bounded("camera 0") == "camera 0"


# --- Turns ------------------------------------------------------------------------------------


def test_a_turn_is_over_with_the_verdict_and_at_once_where_nobody_was_asked(clock):
    scanner, turns = LiveScanner(Intake("x", seconds=clock)), Turns()
    intake = scanner._intake
    assert shown(intake, "A")
    with turns.of(scanner):
        turns.wait_for("x-1")
    assert not shown(intake, "B")
    turns.pass_on("x-1", "x-2")
    turns.settle("x-1")
    assert not shown(intake, "B")
    turns.settle("x-2")
    assert shown(intake, "B")
    with turns.of(scanner):
        pass
    assert shown(intake, "C")


def test_verdicts_that_never_come_are_given_up_one_by_one(clock):
    scanners = [LiveScanner(Intake(f"{n}", seconds=clock)) for n in range(TURNS_MAX + 1)]
    turns = Turns()
    for scanner in scanners:
        assert shown(scanner._intake, "A")
        with turns.of(scanner):
            turns.wait_for(f"x-{scanner.name}")
    assert [shown(scanner._intake, "B") for scanner in scanners].index(True) == 0
    assert sum(scanner.counts.busy for scanner in scanners) == TURNS_MAX


# --- Lines ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "raw", "texts"),
    [
        (b"\r\n", b"one\r\ntwo\rthree\nfo", ["one", "two", "three"]),
        (b"\r", b"one\rtwo\nthree\r", ["one", "two\nthree"]),
        (b"\t", b"one\ttwo\t", ["one", "two"]),
        (b"\x03", b"\x02one\x03", ["\x02one"]),
        (b"\r\n", b"\r\n\n\r", []),
    ],
)
def test_a_line_ends_with_what_the_scanner_sends_behind_it(ends, raw, texts):
    assert Lines(ends).feed(raw, 0.0) == texts
    lines = Lines(ends)
    assert [text for byte in raw for text in lines.feed(bytes([byte]), 0.0)] == texts


def test_half_a_code_is_dropped_when_nothing_follows_it():
    lines = Lines()
    assert lines.feed(b"RSB1HALF", 0.0) == []
    assert lines.feed(b"whole\r", PAUSE_SECONDS_MAX + 0.1) == ["whole"]
    assert lines.broken == 1


def test_a_line_without_end_takes_no_memory_and_spoils_only_itself():
    lines = Lines()
    for _ in range(1_000):
        assert lines.feed(b"x" * 100, 0.0) == []
    assert len(lines._begun) <= LINE_LENGTH_MAX
    assert lines.feed(b"its end\rnext\r", 0.0) == ["next"]
    assert lines.broken == 1


def test_bytes_that_are_no_text_are_a_text_all_the_same():
    assert Lines().feed(b"\xff\xfe\x00A\r", 0.0) == ["\ufffd\ufffd\x00A"]
