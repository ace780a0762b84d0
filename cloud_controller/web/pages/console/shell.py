"""What stands around every page of the console: where one is, which store, what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from cloud_controller.ports import NotFound, Row, Transaction
from cloud_controller.web.routes import Call
from common.rules.accounts import EVERY_STORE, Permission

NAV: Final = (
    ("now", "/operator"),
    ("day", "/operator/day"),
    ("problems", "/operator/problems"),
    ("terminals", "/operator/terminals"),
    ("modules", "/operator/modules"),
    ("reports", "/operator/reports"),
    ("setup", "/operator/setup"),
    ("people", "/operator/people"),
)
"""The console's pages, in the order of how often they are looked at."""

OWNERS: Final = frozenset({"people"})
"""Pages that open for whoever owns a store."""

QUICK: Final = ("now", "day", "problems")
"""What a thumb reaches on a phone without the menu."""


class OfStore(BaseModel):
    """Which store's a page shows; empty: all that its reader may see."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    store: str = Field("", max_length=64)
    said: str = Field("", max_length=64, pattern=r"^[a-z_]*$")
    """What has just been done, by one of the page's own words; one it knows not is not told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shell:
    """What the shell shows.

    Attributes:
        here: which page of `NAV` this is, or stands under.
        stores: those that the reader may see, each with id, title and zone.
        store: the chosen one's id; empty: all of them.
        problems: how many are open in these.
        name: what the reader is called.
        owns, owns_all: whether he owns a store, and whether all of them.
    """

    here: str
    stores: Sequence[Row]
    store: str
    problems: int
    name: str
    owns: bool
    owns_all: bool

    @property
    def nav(self) -> tuple[tuple[str, str], ...]:
        """Return each page with its address in the chosen store; `OWNERS` only for owners."""
        return tuple((name, self.at(path)) for name, path in NAV if self.owns or name not in OWNERS)

    @property
    def quick(self) -> tuple[tuple[str, str], ...]:
        """Return the pages that are always within reach."""
        return tuple(each for each in self.nav if each[0] in QUICK)

    @property
    def title(self) -> str:
        """Return what the chosen or only store is called; empty where it is all of many."""
        shown = [row["title"] for row in self.stores if self.store in ("", row["store_id"])]
        return str(shown[0]) if len(shown) == 1 else ""

    @property
    def zone(self) -> str:
        """Return the chosen store's zone, else the first one's; UTC where there is none."""
        chosen = [row for row in self.stores if self.store in ("", row["store_id"])]
        return str(chosen[0]["time_zone"]) if chosen else "UTC"

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the stores whose things the page shows."""
        return (self.store,) if self.store else tuple(row["store_id"] for row in self.stores)

    def at(self, path: str) -> str:
        """Return the address of a page in the chosen store."""
        return f"{path}?store={self.store}" if self.store else path


def shell_of(books: Transaction, call: Call[Any], here: str) -> Shell:
    """Return the shell around a page; `asked.store` says which store, where the page asks one.

    Raises:
        NotFound: there is no such store, or it is not its reader's to see.
    """
    may = call.operator.stores(Permission.LOOK)
    rows = [row for row in books.console.stores() if EVERY_STORE in may or row["store_id"] in may]
    chosen = getattr(call.asked, "store", "")
    if chosen and chosen not in {row["store_id"] for row in rows}:
        raise NotFound(what="store")
    shell = Shell(
        here=here,
        stores=rows,
        store=chosen,
        problems=0,
        name=call.operator.name,
        owns=bool(call.operator.stores(Permission.OWN)),
        owns_all=call.operator.may(Permission.OWN),
    )
    shown = set(shell.ids)
    is_all = not chosen and EVERY_STORE in may
    counted = sum(
        row["open_count"]
        for row in books.console.open_problems()
        if is_all or row["store_id"] in shown
    )
    return replace(shell, problems=counted)
