"""Royalty reports of controllers that share only what they say: counted by set algebra (D6)."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.flows import modules
from cloud_controller.ports import NotAllowed, NotFound, Published
from common.messages.modules import Release
from common.rules.modules import Match, ModuleEvent, ModuleEventKind
from common.seals import digest_of
from tests.fakes.controllers import PHYSICS
from tests.fakes.store import MORNING_AT, ClockInHand
from tests.flows.log_kit import ISSUED, USED, Log, settle

Make = Callable[[str], Log]
HISTORIES = 4
"""Histories of one run."""

STEPS = 60
CLIENTS = 7
DAY_MS = 86_400_000


@pytest.fixture
def make(tmp_path: Path, migrated: Path) -> Iterator[Make]:
    """Return what makes controllers that share a clock and nothing else."""
    clock, made = ClockInHand(), list[Log]()

    def make_one(name: str) -> Log:
        made.append(Log(tmp_path, migrated, clock, name))
        return made[-1]

    yield make_one
    for log in made:
        log.controller.books.close()


@pytest.fixture
def log(make: Make) -> Log:
    """Return a controller that has published the module."""
    made = make("root")
    publish(made)
    return made


@pytest.mark.parametrize("history", range(HISTORIES))
def test_d6_random_histories_on_three_controllers_are_matched_by_set_algebra(
    make: Make, seed: int, history: int
):
    Story(make, random.Random(f"{seed}/{history}"), is_mesh=bool(history % 2)).play()


class Story:
    """What terminals say to three controllers: to any, late, again, and in any order."""

    def __init__(self, make: Make, dice: random.Random, *, is_mesh: bool) -> None:
        self.dice = dice
        self.logs = root, osaka, nara = make("root"), make("osaka"), make("nara")
        osaka.mirrors(root, *([nara] if is_mesh else []))
        nara.mirrors(root)
        for each in self.logs:
            publish(each)
            each.start()
        settle(self.logs)
        self.all: set[tuple[str, str, int]] = set()
        self.closed: list[dict[str, Any]] = []

    def play(self) -> None:
        for _ in range(STEPS):
            self.dice.choice((self.tell, self.tell, self.exchange, self.exchange, self.look))()
            if self.dice.random() < 0.08:
                self.close()
        settle(self.logs)
        assert len({json.dumps(each.lines()) for each in self.logs}) == 1
        for each in self.logs:
            document = draft(each)
            assert document["match"] == algebra(self.all, document["ends_at"])
        self.close()

    def tell(self) -> None:
        """Have a terminal say something of some instant to one controller, or to several."""
        self.logs[0].controller.clock.move(3600)
        now = self.logs[0].controller.clock.now
        at = self.dice.choice((now, self.dice.randrange(MORNING_AT, now + 1)))
        kind, client = self.dice.choice((ISSUED, USED)), f"t-{self.dice.randrange(CLIENTS)}"
        for each in self.dice.choices(self.logs, k=self.dice.choice((1, 1, 2))):
            write(each, kind, client, at)
        self.all.add((kind, client, at))

    def exchange(self) -> None:
        one = self.dice.choice([each for each in self.logs if each.calls])
        one.call(self.dice.choice(one.calls), is_answer_lost=self.dice.random() < 0.3)

    def look(self) -> None:
        """What one controller says is set algebra over the lines that it has, whatever is late."""
        one = self.dice.choice(self.logs)
        rows = one.controller.books.rows("module_events")
        until = self.dice.randrange(MORNING_AT, one.controller.clock.now + 1)
        (match,) = one.do(modules.matches, PHYSICS, [until])
        known = {(row["kind"], row["client"], row["at"]) for row in rows}
        assert told(match) == algebra(known, until)

    def close(self) -> None:
        """Close a report: what all of them have counted is what is known of all their periods."""
        root = self.logs[0]
        root.controller.clock.move(3600)
        self.closed.append(close(root))
        document = self.closed[-1]
        counted = sum(line["counted"] for each in self.closed for line in each["lines"])
        assert counted == document["match"]["via_this_system"]
        kept = [json.loads(row["document"]) for row in root.do(modules.reports, PHYSICS)]
        assert kept == self.closed


def test_d6_each_client_is_in_one_of_three_groups_whatever_came_first(log):
    for client in ("both", "other order", "never used"):
        write(log, ISSUED, client)
    for client in ("both", "both", "elsewhere"):
        write(log, USED, client)
    write(log, USED, "other order", MORNING_AT - DAY_MS)
    assert draft(log)["match"] == {
        "issued": 3,
        "users": 3,
        "via_this_system": 2,
        "obtained_elsewhere": 1,
        "issued_never_used": 1,
    }


def test_d6_a_report_says_from_which_lines_it_was_computed_and_who_signed_it(log):
    write(log, ISSUED, "t-1")
    write(log, USED, "t-1")
    document = close(log)
    (row,) = log.do(modules.reports, PHYSICS)
    assert log.controller.keys.have_sealed(document, row["signature"])
    assert not log.controller.keys.have_sealed(document | {"number": 2}, row["signature"])
    (range_of_ours,) = document["events"]
    assert range_of_ours["origin"] == log.own_origin()
    assert [range_of_ours[name] for name in ("first_lseq", "last_lseq", "lines")] == [1, 2, 2]
    assert document["is_complete"]
    assert document["due_cents"] == {"JPY": 300}


def test_d6_a_closed_report_never_changes_and_what_comes_late_is_a_line_of_the_next(log):
    write(log, ISSUED, "t-1")
    first = close(log)
    log.controller.clock.move(3600)
    publish(log, version="2", royalty_cents=500)
    write(log, USED, "t-1", first["ends_at"] - 1_000)
    write(log, USED, "t-2")
    write(log, ISSUED, "t-2")
    second = close(log)
    assert [(line["report"], line["counted"], line["cents"]) for line in first["lines"]] == [
        (1, 0, 0)
    ]
    assert [(line["report"], line["counted"], line["cents"]) for line in second["lines"]] == [
        (2, 1, 500),
        (1, 1, 300),
    ]
    assert second["due_cents"] == {"JPY": 800}
    assert second["starts_at"] == first["ends_at"]
    assert second["follows"] == digest_of(first)
    kept = [json.loads(row["document"]) for row in log.do(modules.reports, PHYSICS)]
    assert kept == [first, second]
    for change in ("UPDATE royalty_reports SET document = '{}'", "DELETE FROM royalty_reports"):
        with pytest.raises(sqlite3.IntegrityError):
            log.controller.books.connection.execute(change)


def test_d6_each_basis_is_paid_by_its_own_number(make):
    for basis, counted in (("downloads_matched", 1), ("downloads", 2), ("users", 3)):
        log = make(basis)
        publish(log, royalty_basis=basis)
        for client in ("t-1", "t-2"):
            write(log, ISSUED, client)
        for client in ("t-1", "t-3", "t-4"):
            write(log, USED, client)
        assert close(log)["due_cents"] == {"JPY": 300 * counted}


def test_d6_a_report_is_not_whole_while_another_controller_has_said_nothing(make):
    root, osaka = make("root"), make("osaka")
    osaka.mirrors(root)
    for each in (root, osaka):
        publish(each)
        each.start()
    write(osaka, ISSUED, "t-1")
    assert not draft(root)["is_complete"]
    settle((osaka,))
    document = draft(root, osaka.controller.clock.now)
    assert document["is_complete"]
    (of_osaka,) = document["events"]
    assert (of_osaka["origin"], of_osaka["lines"]) == (osaka.own_origin(), 1)
    assert not draft(root)["is_complete"]


def test_d6_a_run_without_a_seat_is_counted_once_whoever_was_told_of_it(log):
    run = {"device": "d-1", "session": "s-1"}
    for facts in (run, run, run | {"session": "s-2"}):
        write(log, ModuleEventKind.RUN_OVER_LIMIT, "t-1", facts=facts)
    assert draft(log)["runs_over_limit"] == 2


def test_only_a_period_that_is_over_and_follows_the_last_can_be_closed(log):
    now = log.controller.clock.now
    for until in (0, now + DAY_MS):
        with pytest.raises(NotAllowed):
            draft(log, until)
    with pytest.raises(NotFound):
        log.do(modules.draft_report, "chemistry")
    one, other = draft(log, now - 1), draft(log, now)
    log.do(modules.close_report, one, "tests")
    log.do(modules.close_report, one, "tests")
    assert len(log.do(modules.reports, PHYSICS)) == 1
    with pytest.raises(NotAllowed):
        log.do(modules.close_report, other, "tests")
    with pytest.raises(NotAllowed):
        draft(log, now - 1)


def algebra(lines: set[tuple[str, str, int]], until: int) -> dict[str, int]:
    """Return the four numbers as the requirement puts them: two sets, and what is in which."""
    issued = {client for kind, client, at in lines if kind == ISSUED and at < until}
    users = {client for kind, client, at in lines if kind == USED and at < until}
    return {
        "issued": len(issued),
        "users": len(users),
        "via_this_system": len(issued & users),
        "obtained_elsewhere": len(users - issued),
        "issued_never_used": len(issued - users),
    }


def told(match: Match) -> dict[str, int]:
    return {
        name: getattr(match, name)
        for name in (
            *("issued", "users", "via_this_system", "obtained_elsewhere"),
            "issued_never_used",
        )
    }


def write(
    log: Log,
    kind: ModuleEventKind,
    client: str,
    at: int | None = None,
    facts: dict[str, str] | None = None,
) -> None:
    log.controller.clock.move(1)
    event = ModuleEvent(kind=kind, module=PHYSICS, client=client, at=at, facts=facts or {})
    log.do(lambda books: books.log_module(event))


def draft(log: Log, until: int | None = None) -> dict[str, Any]:
    log.controller.clock.move(1)
    document: dict[str, Any] = log.do(modules.draft_report, PHYSICS, until)
    return document


def close(log: Log) -> dict[str, Any]:
    row = log.do(modules.close_report, draft(log), "tests")
    document: dict[str, Any] = json.loads(row["document"])
    return document


def publish(log: Log, version: str = "1", **terms: Any) -> None:
    release = Release.model_validate(
        {
            "package": PHYSICS,
            "kind": "module",
            "version": version,
            "release_counter": int(version),
            "title": "Physics",
            "royalty_cents": 300,
            "chunks": ("0" * 64,),
            "unpacked_bytes": 1,
            "files": 1,
        }
        | terms
    )
    published = Published(release=release, target=release.target, sha256="0" * 64, length=1)
    log.do(modules.project, [published])
