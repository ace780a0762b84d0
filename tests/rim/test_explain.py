"""An explanation is read by a person: whole, narrow, and deaf to what a terminal may have said."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from cloud_controller.explain import WIDTH_MAX, show, show_proof, show_talks
from cloud_controller.flows.help import CallLine, Talk
from cloud_controller.flows.service import Explanation
from cloud_controller.flows.sessions import Proof
from common.ids import TerminalId
from common.messages.specification import (
    DeviceFound,
    Display,
    Gpu,
    MachineFound,
    Part,
    ProgramFound,
)
from common.rules.registration import Policy, Standing
from common.rules.service import Explained
from common.rules.sessions import Given, Line, timeline_of
from common.rules.specification import differences, new_specification

BOOTH = DeviceFound(key="booth", title="Booth 1", program="racer")
WALL = DeviceFound(key="wall", title="Wall", program="heavy")


def a_machine(**facts: object) -> MachineFound:
    known = {
        "vendor": "Someone",
        "cores": 8,
        "memory_bytes": 16 << 30,
        "gpus": (Gpu(name="10de:2684", model="Fast", memory_bytes=24 << 30),),
        "displays": (Display(name="DP-1", width_pixels=1920, height_pixels=1080),),
        "cameras": (Part(name="Front", is_here=False),),
        "scanners": (),
    }
    return MachineFound.model_validate(known | facts)


def an_explanation(machine: MachineFound) -> Explanation:
    now = new_specification(
        agent_version="1",
        machine=machine,
        devices=(BOOTH, WALL),
        programs=(ProgramFound(program="racer"), ProgramFound(program="heavy")),
    )
    return Explanation(
        terminal=TerminalId("t-1"),
        store="akihabara",
        hostname="pc-1",
        standing=Standing.PENDING,
        reason="an operator has to look",
        policy=Policy.RULES,
        specification=now,
        unmet=("it has no camera",),
        programs=(
            Explained(program="heavy", is_in=False, why=("it has no scanner",)),
            Explained(
                program="racer", is_in=True, why=("fits",), level="low", modules=("physics",)
            ),
        ),
        devices=((BOOTH, ("racer",)), (WALL, ())),
    )


def shown(explanation: Explanation, *, width: int = 200) -> list[str]:
    """Return the lines that a person reads."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    show(explanation, console)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def words_of(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


def test_what_it_is_and_what_confirming_would_allow_stand_there():
    assert words_of(shown(an_explanation(a_machine()))) == [
        "t-1 pc-1, store akihabara",
        "pending: an operator has to look",
        "",
        "What it is",
        "machine Someone",
        "system unknown",
        "processor 8 cores",
        "memory 16.0 GiB",
        "GPUs 10de:2684, Fast, 24.0 GiB",
        "displays DP-1, 1920 x 1080",
        "cameras Front, not seen lately",
        "scanners none",
        "agent 1",
        "",
        "What the rules of its store ask for and it does not have",
        "it has no camera",
        "",
        "Programs",
        "out heavy it has no scanner",
        "in racer level low fits",
        "needs physics",
        "",
        "What confirming it would allow",
        "in booth Booth 1 racer",
        "out wall Wall its program heavy is out",
    ]


def test_a_change_stands_beside_what_was_confirmed():
    before = an_explanation(a_machine(memory_bytes=32 << 30))
    now = an_explanation(a_machine())
    assert before.specification is not None
    assert now.specification is not None
    changed = replace(now, differences=differences(before.specification, now.specification))
    (line,) = [line for line in words_of(shown(changed)) if "machine.memory_bytes" in line]
    assert line.index("32.0 GiB") < line.index("16.0 GiB") < line.index("closes the gate")


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_longer_than_a_person_reads_or_the_screen_has(width: int):
    long = a_machine(
        vendor="v" * 200, displays=tuple(Display(name=f"{n:x<200}") for n in range(32))
    )
    lines = shown(an_explanation(long), width=width)
    assert max(map(len, lines)) <= min(width, WIDTH_MAX)


@pytest.mark.parametrize("sign", ["\x1b", "\x9b", "\n", "\r", "\b", "\x00", "\u202e"])
def test_what_a_terminal_says_cannot_steer_the_screen(sign: str):
    text = f"{sign}[2Jin"
    explanation = an_explanation(a_machine(vendor=text, gpus=(Gpu(name=text, model=text),)))
    evil = replace(
        explanation,
        hostname=text,
        reason=text,
        devices=((BOOTH.model_copy(update={"title": text}), ("racer",)),),
    )
    lines = shown(evil)
    assert len(lines) == len(shown(explanation)) - 1
    assert not any(sign in line for line in lines)


def test_what_looks_like_markup_is_a_word():
    explanation = an_explanation(a_machine(vendor="[red]No[/red] [/x]"))
    assert "machine [red]No[/red] [/x]" in words_of(shown(explanation))


def test_a_terminal_that_has_said_nothing_yet_is_shown_without_what_follows():
    nothing = Explanation(
        terminal=TerminalId("t-1"),
        store="akihabara",
        hostname="pc-1",
        standing=Standing.CLAIMED,
        reason="",
        policy=Policy.MANUAL,
    )
    assert words_of(shown(nothing)) == [
        *("t-1 pc-1, store akihabara", "claimed", "", "What it is", "It has not said so yet."),
    ]


def a_proof(state: str = "accepted") -> Proof:
    lines = (
        Line(entry=7, at=0, type="right.issued", facts={"read_at": 0, "seconds": 1800.0}),
        Line(entry=9, at=1000, type="command.state", facts={"state": state}, session="s-1"),
        Line(entry=12, at=1_800_000, type="reservation.compensated", facts={"cents": 35}),
    )
    given = Given(
        promised_seconds=1800.0, delivered_seconds=1758.0, left_seconds=0.0, is_known=True
    )
    return Proof(
        reservation="r-1",
        time_zone="Asia/Tokyo",
        starts_at=0,
        ends_at=1_800_000,
        moments=timeline_of(lines),
        given=given,
        has_sessions=True,
        price_cents=1500,
        compensated_cents=35,
        currency="JPY",
    )


def test_what_became_of_a_reservation_is_shown_with_its_evidence():
    out = io.StringIO()
    show_proof(a_proof(), Console(file=out, width=100))
    lines = words_of(out.getvalue().splitlines())
    assert lines[0] == "r-1"
    assert "lost 42 s" in lines
    assert "paid back 35 JPY" in lines
    assert "1970-01-01 09:00:00 The ticket was read. 7" in lines
    assert lines[-1].endswith("were not given: 35 JPY. 12")


def test_what_a_terminal_says_of_a_reservation_cannot_steer_the_screen_either():
    out = io.StringIO()
    show_proof(a_proof(state="\x1b[2J\u202e"), Console(file=out, width=100))
    assert not any(sign in out.getvalue() for sign in "\x1b\u202e")


def test_what_was_said_to_a_helper_is_shown_and_steers_no_screen():
    row = {
        "call_id": "c-1",
        "helper_name": "Aoi\x1b[2J",
        "state": "ended",
        "why": "customer_left",
        "price_cents": 300,
        "currency": "JPY",
    }
    line = CallLine(number=1, by="customer", text="Which button?\u202e\x1b]0;x", at=0)
    out = io.StringIO()
    talk = Talk(row=row, lines=(line,), place=0, helper_is_there=False)
    show_talks([talk], "Asia/Tokyo", Console(file=out, width=100))
    said = out.getvalue()
    assert "ended, customer_left, 300 JPY" in said
    assert "1970-01-01 09:00:00 customer Which button?" in " ".join(said.split())
    assert not any(sign in said for sign in "\x1b\u202e")
