"""Where each switch stands, the controller's own and those of terminals, for the operator."""

from __future__ import annotations

from cloud_controller.flows.actions import CONTROLLER
from cloud_controller.ports import Row, Transaction
from cloud_controller.web.routes import Call, InstantText, Shape


class Switch(Shape):
    """A door, a light or a socket as it last stood otherwise than before.

    Attributes:
        terminal: who moves it; None: the controller itself.
        wanted: what it should be: `on` or `off`.
        standing: `confirmed`, or `unanswered`: somebody must look.
        trouble: what the last try met; empty where it is confirmed.
        tries: how often it was told in vain.
        heard: what it last said of itself.
    """

    switch: str
    title: str
    terminal: str | None
    wanted: str
    standing: str
    trouble: str
    tries: int
    heard: str
    told_at: InstantText


class Switches(Shape):
    """Every switch that has ever answered or failed to, the controller's own first."""

    switches: tuple[Switch, ...]


async def list_switches(call: Call[None]) -> Switches:
    """Return where each switch stands."""
    rows = await call.parts.books.read(_all)
    return Switches(switches=tuple(map(_switch_of, rows)))


def counts(books: Transaction) -> dict[str, int]:
    """Return how many switches stand how."""
    return {row["standing"]: row["number"] for row in books.actions.counts()}


def _all(books: Transaction) -> list[Row]:
    return sorted(books.actions.switches(), key=lambda row: row["owner"] != CONTROLLER)


def _switch_of(row: Row) -> Switch:
    return Switch(
        switch=row["switch"],
        title=row["title"],
        terminal=row["terminal_id"],
        wanted=row["wanted"],
        standing=row["standing"],
        trouble=row["trouble"],
        tries=row["tries"],
        heard=row["heard"],
        told_at=row["told_at"],
    )
