"""The screen sees what the scanners see, and pictures are made only while somebody looks."""

from __future__ import annotations

from common.rules.scanners import ScannerHint
from edge_agent.ports import ScannerSeen
from edge_agent.scanners.reading import Viewfinder

FAR = ScannerSeen(scanner="camera", hint=ScannerHint.TOO_FAR)


def test_whoever_looks_is_told_what_is_seen_by_now_and_from_then_on():
    viewfinder = Viewfinder()
    told: list[ScannerSeen] = []
    viewfinder.show(FAR)
    looked_at = []
    with viewfinder.looking(told.append):
        looked_at.append(viewfinder.is_looked_at)
        viewfinder.show(ScannerSeen(scanner="camera", hint=ScannerHint.READS))
    assert [seen.hint for seen in told] == [ScannerHint.TOO_FAR, ScannerHint.READS]
    viewfinder.show(FAR)
    assert len(told) == 2
    assert [*looked_at, viewfinder.is_looked_at] == [True, False]
    assert viewfinder.seen == {"camera": FAR}


def test_a_hint_that_stays_is_told_once_and_each_picture_is_told():
    viewfinder = Viewfinder()
    told: list[ScannerSeen] = []
    picture = ScannerSeen(scanner="camera", hint=ScannerHint.TOO_FAR, picture=b"\xff\xd8")
    with viewfinder.looking(told.append):
        for seen in (FAR, FAR, picture, picture, FAR):
            viewfinder.show(seen)
    assert told == [FAR, picture, picture]
