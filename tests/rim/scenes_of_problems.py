"""What somebody must look at, in every state; and who is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cloud_controller.flows import problems
from cloud_controller.ports import Problem, Row, Transaction
from common.rules.problems import ProblemKind
from tests.fakes.store import HOUR_MS, MORNING_AT, SHINJUKU, Offer
from tests.rim.operator_kit import SIGNED_IN
from tests.rim.views import Views, see
from tests.rim.web_kit import WebKit, web_kit

PAGE: Final = "/operator/problems"
ALERTS: Final = "/operator/setup/alerts"


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Three problems of one store, and the ticket that one is about."""

    link: str
    reservation: str
    devices: tuple[str, ...]
    lost: str
    called: str
    paid_back: str


async def planted(kit: WebKit) -> Planted:
    """Sell a time whose device is broken by now, have somebody call, and something paid back."""
    opened = await kit.store.open(Offer(devices=2))
    link = await kit.store.book(opened, MORNING_AT + HOUR_MS)
    row = await kit.store.books.read(_ticket, link)
    reservation, device = row["reservation_id"], row["device_id"]
    other = next(each for each in opened.devices if each != device)
    lost = Problem(
        kind=ProblemKind.RESERVATION_WITHOUT_DEVICE,
        subject=reservation,
        terminal=opened.terminal,
        reservation=reservation,
        why="Booth 1 is sold for this time, and is out of order.",
        evidence={"device": device, "starts_at": MORNING_AT + HOUR_MS, "link": link, "odd": "<b>"},
        proposals=(
            {"do": "move", "device": other, "title": "Booth 2"},
            {"do": "refund"},
        ),
    )
    called = Problem(
        kind=ProblemKind.HELP_ASKED,
        subject=device,
        terminal=opened.terminal,
        why="Somebody at Booth 1 has called: a person is needed.",
        evidence={"about": "person", "at": MORNING_AT},
    )
    paid_back = Problem(
        kind=ProblemKind.COMPENSATION_MADE,
        subject=reservation,
        reservation=reservation,
        why="600 s were not delivered.",
        evidence={"seconds": 600.0, "cents": 500, "currency": "JPY"},
        proposals=({"do": "look_at_ticket"}, {"do": "close"}),
    )
    for each in (lost, called, paid_back):
        await kit.store.books.transact(_raise, each)
    found = {row["kind"]: row["problem_id"] for row in await kit.store.books.read(_all)}
    return Planted(
        link=link,
        reservation=reservation,
        devices=(device, other),
        lost=found[ProblemKind.RESERVATION_WITHOUT_DEVICE],
        called=found[ProblemKind.HELP_ASKED],
        paid_back=found[ProblemKind.COMPENSATION_MADE],
    )


async def troubles(folder: Path) -> Views:
    """The list and one problem, open, taken on and solved; the rule of alerts."""
    async with web_kit(folder) as kit:
        yield see(kit, "nothing wrong", PAGE, headers=SIGNED_IN)
        yield see(kit, "nothing solved", f"{PAGE}?solved=true", headers=SIGNED_IN)
        yield see(kit, "nobody is told", ALERTS, headers=SIGNED_IN)
        found = await planted(kit)
        yield see(kit, "three problems", PAGE, headers=SIGNED_IN)
        yield see(kit, "a lost device", f"{PAGE}/{found.lost}", headers=SIGNED_IN)
        yield see(kit, "a call", f"{PAGE}/{found.called}", headers=SIGNED_IN)
        transact = kit.store.books.transact
        await transact(problems.take_on, found.called, "Aiko")
        await transact(problems.solve_problem, found.paid_back, "Aiko", "Read.")
        yield see(kit, "taken on", PAGE, headers=SIGNED_IN)
        yield see(kit, "one settled", f"{PAGE}/{found.paid_back}", headers=SIGNED_IN)
        yield see(kit, "solved ones", f"{PAGE}?solved=true", headers=SIGNED_IN)
        yield see(kit, "a store's alerts", f"{ALERTS}?store={SHINJUKU}", headers=SIGNED_IN)


def _raise(books: Transaction, problem: Problem) -> None:
    books.raise_problem(problem)


def _all(books: Transaction) -> list[dict[str, str]]:
    return list(books.problems.open(most=10))


def _ticket(books: Transaction, link: str) -> Row:
    row: Row = books.reservations.by_link(link=link)
    return row
