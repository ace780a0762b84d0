"""Every device as it is now: what runs, until when, what comes next, since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field

from cloud_controller.flows import board
from cloud_controller.flows.board import DeviceNow
from cloud_controller.ports import Row, Transaction
from cloud_controller.web import acts
from cloud_controller.web.live.opening import Heard
from cloud_controller.web.pages.console.shell import OfStore, Shell, shell_of
from cloud_controller.web.routes import Call, Page, Watch
from common.messages.devices import MESSAGE_TEXT_MAX
from common.rules.accounts import EVERY_STORE, Permission
from common.rules.acts import Purpose
from common.rules.devices import HELD, OFFLINE, RESERVED, DeviceState
from common.words import SENTENCES

LOOK_SECONDS: Final = 30
"""Between two looks of a page that hears of nothing: what is left is told in minutes."""

TONES: Final[Mapping[str, str]] = {
    DeviceState.AVAILABLE: "free",
    RESERVED: "soon",
    DeviceState.PREPARING: "busy",
    DeviceState.IN_USE: "busy",
    DeviceState.FINISHING: "busy",
    DeviceState.TURNOVER: "warn",
    DeviceState.OUT_OF_ORDER: "bad",
    OFFLINE: "gone",
}
"""By its tone a state has its sign and its ground; two of one tone have words that differ."""

ORDER: Final = ("busy", "soon", "free", "warn", "care", "bad", "gone")
"""In which order the tones are counted at the head."""


class Watched(Heard):
    """Of which store a page of the console hears; empty: of all that its reader may see."""

    store: str = Field("", max_length=64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One device as it is drawn.

    Attributes:
        left_seconds: until its session is over; None: it has none.
        gone_permille: how much of its session is over; nought where it has none.
    """

    now: DeviceNow
    left_seconds: int | None
    gone_permille: int

    @property
    def row(self) -> Row:
        """Return what the books say of it."""
        return self.now.row

    @property
    def tone(self) -> str:
        """Return by what its state is drawn."""
        if self.is_maintenance and self.now.state != OFFLINE:
            return "care"
        return TONES.get(self.now.state, "warn")

    @property
    def rank(self) -> int:
        """Return where it stands among those that somebody may be moved to: what is free first."""
        return {"free": 0, "soon": 1}.get(self.tone, 2)

    @property
    def state(self) -> str:
        """Return how it stands."""
        return self.now.state

    @property
    def is_maintenance(self) -> bool:
        """Say whether it is open for whoever looks after it: nobody is served."""
        return bool(self.row["purpose"] == Purpose.MAINTENANCE)

    @property
    def is_held(self) -> bool:
        """Say whether somebody has it, as far as we know; also while its terminal is silent."""
        return self.now.state in HELD or self.row["session_id"] is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Floor:
    """A store and what stands in it; `may_serve`: whether its reader may do anything to it."""

    store: Row
    devices: Sequence[Shown]
    may_serve: bool

    @property
    def counts(self) -> list[tuple[str, int]]:
        """Return how many are of each tone that there is."""
        found = Counter(each.tone for each in self.devices)
        return [(tone, found[tone]) for tone in ORDER if found[tone]]


async def show_board(call: Call[OfStore]) -> Page:
    """Show every device of a store, or of all that the reader may see."""
    facts = await call.parts.books.read(_board, call)
    return Page(template="console/board.html", facts=facts, refresh_seconds=LOOK_SECONDS)


async def watch(call: Call[Watched]) -> Watch:
    """Tell when a page of the console is to be looked at again.

    Raises:
        NotFound: there is no such store, or it is not the caller's to see.
    """
    shell = await call.parts.books.read(shell_of, call, "now")
    sees_all = EVERY_STORE in call.operator.stores(Permission.LOOK)
    name = EVERY_STORE if sees_all and not shell.store else ",".join(sorted(shell.ids))
    return Watch(topic=f"console:{name}", since=call.asked.since)


def events_of(shell: Shell) -> str:
    """Return the address at which a page of the console hears of what is new."""
    return shell.at("/operator/events")


def _board(books: Transaction, call: Call[OfStore]) -> dict[str, Any]:
    shell = shell_of(books, call, "now")
    floors = [
        Floor(
            store=store,
            devices=[
                _shown(each, books.now) for each in board.devices_now(books, store["store_id"])
            ],
            may_serve=call.operator.may(Permission.SERVE, store["store_id"]),
        )
        for store in shell.stores
        if store["store_id"] in shell.ids
    ]
    return {
        "shell": shell,
        "floors": floors,
        "events": events_of(shell),
        "now": books.now,
        "said": call.asked.said,
        "acts_said": acts.SAID,
        "text_max": MESSAGE_TEXT_MAX,
        "sentences": SENTENCES[call.language.code],
    }


def _shown(device: DeviceNow, now: int) -> Shown:
    ends_at = device.row["deadline_at"]
    if ends_at is None:
        return Shown(now=device, left_seconds=None, gone_permille=0)
    began_at = device.row["running_at"] or device.row["granted_at"]
    whole = max(ends_at - began_at, 1)
    return Shown(
        now=device,
        left_seconds=max(ends_at - now, 0) // 1000,
        gone_permille=min(max(1000 * (now - began_at) // whole, 0), 1000),
    )
