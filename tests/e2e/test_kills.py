"""A small `./dev prove kills`: everything is killed while customers come, and all comes right."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.prove.kills import Scope, run
from tests.prove.kills_disasters import Pace

SECONDS_MAX: Final = 15.0
"""How long everything is killed at most; on a machine at rest it has its redemptions before."""

REDEMPTIONS_MIN: Final = 20
"""Fewer than these prove nothing, however busy the machine is."""

SMALL: Final = Scope(
    redemptions=60,
    terminals=2,
    devices=12,
    lengths_seconds=(2,),
    pace=Pace(pause_redemptions=(6, 14), away_seconds_max=0.5, long_part=0.0),
)


def test_whatever_is_killed_every_ticket_runs_once_and_the_ledger_adds_up(seed: int):
    """Promises 2, 7, 13: real processes, kill -9 of each; each law is shown to see its breach."""
    found = asyncio.run(run(SMALL, SECONDS_MAX, seed))
    print(*found.told, sep="\n")
    assert found.violations == []
    assert found.blind == []
    assert found.redemptions >= REDEMPTIONS_MIN
    assert sum(found.kills.values()) > 0
