"""Seats between two real controllers, killed in the middle: at the end the totals are right."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from tests.e2e.two_controllers import OSAKA, PHYSICS, ROOT, TwoControllers, two_controllers

OWNED = 20
IN_THE_MIDDLE = ("announcing", "requesting", "completing")


def catch(two: TwoControllers, state: str, before: tuple[int, int]) -> None:
    """Return as soon as the exchange is seen in this state, or is over already."""
    two.wait_for(
        f"the exchange to be {state}",
        lambda: two.state() == state or (two.state() == "idle" and two.counts() != before),
        pause_seconds=0.0,
    )


def test_d11_b11_whoever_is_killed_in_the_middle_no_seat_is_lost_or_made(tmp_path: Path):
    """D11, B11: kill -9 of root, branch or both, at each step of takes and returns."""
    dice = random.Random(os.environ.get("RUSUBAN_SEED", "1"))
    were_open = 0
    with two_controllers(tmp_path, OWNED) as two:
        expected = 0
        for victims in ((OSAKA,), (ROOT,), (ROOT, OSAKA), (OSAKA,), (ROOT,)):
            seats = dice.choice([3, 4, -2]) if expected > 2 else 5
            before = two.counts()
            word = "take" if seats > 0 else "return"
            two.say("seats", word, PHYSICS, str(abs(seats)), of=OSAKA)
            catch(two, dice.choice(IN_THE_MIDDLE), before)
            two.kill(*victims)
            were_open += two.state() != "idle"
            owned, given = two.counts()
            assert owned <= given <= OWNED
            two.start(*victims)
            two.settle()
            expected += seats
            assert two.counts() == (expected, expected)
        assert were_open, "at least one was caught in the middle"
        rights = two.rows(ROOT, "SELECT amount FROM rights")
        assert len(rights) == 5
        table = two.say("seats", "list", of=ROOT).splitlines()
        assert table[1].split() == [PHYSICS, "20", str(expected), str(expected), str(20 - expected)]


def test_d10_d11_what_is_refused_stays_whole_and_a_branch_set_back_knows_its_clients_again(
    tmp_path: Path,
):
    """D10, D11: more than the root owns; a branch revoked, set back, and let in again."""
    with two_controllers(tmp_path, 3) as two:
        two.say("seats", "take", PHYSICS, "4", of=OSAKA)
        two.settle()
        two.wait_for("the refusal", lambda: two.rows(OSAKA, "SELECT 1 FROM ledger"))
        assert two.counts() == (0, 0)
        two.issue("t-1", of=OSAKA)
        backup = two.back_up(OSAKA)
        two.issue("t-2", of=OSAKA)
        two.wait_for("the root to know", lambda: two.clients(ROOT) == {"t-1", "t-2"}, 0.2)
        two.say("peers", "revoke", OSAKA, of=ROOT)
        two.say("seats", "take", PHYSICS, "2", of=OSAKA)
        two.wait_for("the branch to be turned away", lambda: "peer_not_admitted" in two.log(OSAKA))
        assert two.counts() == (0, 0)
        with pytest.raises(subprocess.CalledProcessError) as wrong:
            two.say("seats", "own", PHYSICS, "9", of=OSAKA)
        assert wrong.value.returncode == 2
        assert "come from the root" in wrong.value.stderr
        two.say("peers", "add", OSAKA, "--out", str(tmp_path / "osaka.json"), of=ROOT)
        two.kill(OSAKA)
        two.put_back(OSAKA, backup)
        two.start(OSAKA)
        two.issue("t-3", of=OSAKA)
        two.say("seats", "take", PHYSICS, "3", of=OSAKA)
        two.wait_for("the seats", lambda: two.counts() == (3, 3))
        two.wait_for("the root to know", lambda: len(two.clients(ROOT)) == 3, 0.2)
        two.wait_for("all to be known", lambda: two.clients(OSAKA) == two.clients(ROOT), 0.2)
        assert "let in" in two.say("peers", "list", of=ROOT)
