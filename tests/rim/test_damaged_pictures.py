"""The set of damaged pictures is read, whatever a camera or a messenger did to the ticket (C3)."""

from __future__ import annotations

import json
import time

from edge_agent.scanners.decoders import Frame, decode
from edge_agent.scanners.read_ticket import read_tickets
from tests.demo.photograph import as_png
from tests.rim.damaged import KINDS, OF_EACH, Damaged, damaged
from tests.rim.scanner_kit import KEY

EACH = 4
"""Of so many pictures a run reads one, its dice say which; `./dev bench pictures` reads all."""

PICTURES = [(kind, number) for kind in KINDS for number in range(OF_EACH)]


def is_read(each: Damaged) -> bool:
    picture = each.picture
    frame = Frame(width=picture.width, height=picture.height, pixels=picture.tobytes())
    reading = decode(frame, time.perf_counter)
    assert reading is None or reading.text == each.token, "no letter is ever wrong"
    return reading is not None


def test_c3_of_the_set_of_damaged_pictures_at_least_99_of_100_are_read(seed: int):
    chosen = PICTURES[seed % EACH :: EACH]
    missed = [each for each in chosen if not is_read(damaged(*each))]
    assert len(chosen) >= 100
    assert len(missed) <= len(chosen) * 0.01, missed


def test_c3_read_ticket_says_of_one_of_each_kind_that_it_is_a_ticket(tmp_path):
    files = []
    for kind in KINDS:
        files.append(tmp_path / f"{kind}.png")
        files[-1].write_bytes(as_png(damaged(kind, 1).picture))
    lines: list[str] = []
    assert read_tickets(files, {1: KEY.public_key()}, lines.append, time.perf_counter) == 0
    assert {json.loads(line)["verdict"] for line in lines} == {"ticket"}


def test_the_same_number_gives_the_same_picture():
    for kind in KINDS:
        assert damaged(kind, 3).picture.tobytes() == damaged(kind, 3).picture.tobytes()
        assert damaged(kind, 3).picture.tobytes() != damaged(kind, 4).picture.tobytes()
