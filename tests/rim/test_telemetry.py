"""What scanners count is told each minute, kept in memory, and shown to a watcher."""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

from prometheus_client import CollectorRegistry, generate_latest

from cloud_controller import telemetry
from cloud_controller.listener import FLOWS, SIGNS_OF_LIFE
from cloud_controller.ports import Received
from cloud_controller.telemetry import Telemetry
from common.codec import Envelope, read, write
from common.ids import TerminalId
from common.messages.scanners import SCANNERS_MAX, ScannerCounts, ScannersCounted
from common.topics import Channel
from edge_agent.scanners import counting
from edge_agent.scanners.counting import counted, tell_counts
from edge_agent.scanners.intake import Intake, LiveScanner
from edge_agent.scanners.reading import Reading
from edge_agent.settings import AgentSettings

NOBODY = cast("Any", None)


def take(kept: Telemetry, terminal: str, *counts: ScannerCounts) -> None:
    (flow,) = kept.flows.values()
    said = Received(
        terminal=TerminalId(terminal),
        epoch="e",
        seq=0,
        corr="",
        message=ScannersCounted(scanners=counts),
    )
    flow(NOBODY, said)


def figures(kept: Telemetry) -> str:
    registry = CollectorRegistry()
    registry.register(kept)
    return generate_latest(registry).decode()


def a_scanner(name: str = "camera 0") -> LiveScanner:
    intake = Intake(name, seconds=time.monotonic)
    intake.opened()
    for text in ("A", "A", "B"):
        intake.take(Reading(text=text, decoder="test", milliseconds=0.0))
    return LiveScanner(intake)


def test_what_a_scanner_counts_crosses_the_wire():
    told = counted([a_scanner()])
    (counts,) = told.scanners
    assert (counts.scanner, counts.is_there, counts.opened) == ("camera 0", True, 1)
    assert (counts.decoded, counts.same_again, counts.busy) == (1, 1, 1)
    envelope = Envelope(id="m", terminal="t-1", epoch="e", sent_at=0, message=told)
    assert read(write(envelope)).message == told


def test_the_watcher_sees_the_latest_word_of_each_terminal():
    kept = Telemetry()
    take(kept, "t-1", ScannerCounts(scanner="camera 0", is_there=True, frames=600, decoded=3))
    take(kept, "t-2", ScannerCounts(scanner="serial x", is_there=False))
    take(kept, "t-1", ScannerCounts(scanner="camera 0", is_there=True, frames=1200, decoded=4))
    lines = figures(kept)
    assert 'rusuban_scanner_frames_total{scanner="camera 0",terminal="t-1"} 1200.0' in lines
    assert 'rusuban_scanner_decoded_total{scanner="camera 0",terminal="t-1"} 4.0' in lines
    assert 'rusuban_scanner_there{scanner="serial x",terminal="t-2"} 0.0' in lines


def test_a_scanner_that_is_told_twice_is_one_figure():
    """A watcher drops every figure of ours when two have one name."""
    kept, there = Telemetry(), ScannerCounts(scanner="camera 0", is_there=True)
    take(kept, "t-1", there, there)
    assert figures(kept).count("\nrusuban_scanner_there{") == 1


def test_of_more_terminals_than_are_kept_the_oldest_are_forgotten(monkeypatch):
    monkeypatch.setattr(telemetry, "TERMINALS_MAX", 3)
    kept = Telemetry()
    for number in (1, 2, 3, 1, 4):
        take(kept, f"t-{number}")
    assert list(kept.latest) == ["t-3", "t-1", "t-4"]


def test_telemetry_is_no_matter_of_the_books_and_a_sign_of_life():
    kind = (Channel.TELEMETRY, ScannersCounted.type)
    assert kind in SIGNS_OF_LIFE
    assert kind not in FLOWS


async def test_each_minute_is_told_and_a_terminal_without_scanners_sleeps(monkeypatch):
    monkeypatch.setattr(counting, "TOLD_EACH_SECONDS", 0.001)
    told: asyncio.Queue[ScannersCounted] = asyncio.Queue()
    telling = asyncio.create_task(tell_counts([a_scanner()], told.put_nowait))
    assert (await told.get()).scanners[0].scanner == "camera 0"
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    await tell_counts([], told.put_nowait)


def test_no_terminal_has_more_scanners_than_it_can_tell_of():
    field = AgentSettings.model_fields["scanners"]
    (limit,) = [each.max_length for each in field.metadata if hasattr(each, "max_length")]
    assert limit == SCANNERS_MAX
