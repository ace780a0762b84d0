"""Where devices stand, for whoever runs the store; and the code of those who clean them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cloud_controller.flows import devices
from cloud_controller.ports import Row, Transaction
from cloud_controller.web.routes import Call, InstantText, Shape
from common.ids import StoreId
from common.messages.base import Name


class BoardWanted(Shape):
    """Which devices: of one store, and after the one that was listed last."""

    store: Name | None = None
    after: Name | None = None


class Device(Shape):
    """A device and where it stands.

    Attributes:
        state: `available`, `reserved`, `preparing`, `in_use`, `finishing`, `turnover`,
            `out_of_order`, or `offline`: its terminal is gone.
        since: when its terminal has last said that its state changed.
        fault: why it is out of order, and `detail` what its terminal found.
        ends_at: when its session ends, while it is in use.
        next_starts_at: when the next claim to it begins, or began.
    """

    device: str
    store: str
    number: int
    title: str
    place: str
    program: str
    terminal: str
    state: str
    since: InstantText | None
    fault: str
    detail: str
    session: str | None
    ends_at: InstantText | None
    next_starts_at: InstantText | None


class Board(Shape):
    """Devices by store and number; `next` is what to say as `after` if there are more."""

    devices: tuple[Device, ...]
    next: str | None


class CodeMade(Shape):
    """A cleaners' code; it is told here and never again, and the one before counts no more."""

    store: str
    code: Annotated[str, Field(description="its terminals know it within ten seconds")]


class CodeForgotten(Shape):
    """A store whose terminals take no cleaner's code any more."""

    store: str


async def list_devices(call: Call[BoardWanted]) -> Board:
    """Return a page of devices with where each stands.

    Raises:
        NotFound: there is no such device as the one after which they are asked for.
    """
    rows = await call.parts.books.read(_board, call.asked)
    shown = rows[: devices.BOARD_MAX]
    return Board(
        devices=tuple(_device_of(row, state) for row, state in shown),
        next=shown[-1][0]["device_id"] if len(rows) > len(shown) else None,
    )


async def make_cleaner_code(call: Call[None]) -> CodeMade:
    """Make the code by which a store's cleaners confirm a turnover.

    Raises:
        NotFound: there is no such store.
    """
    store = StoreId(call.names["store"])
    code = await call.parts.books.transact(devices.make_cleaner_code, store, call.operator.name)
    return CodeMade(store=store, code=code)


async def forget_cleaner_code(call: Call[None]) -> CodeForgotten:
    """Take no cleaner's code in a store any more.

    Raises:
        NotFound: there is no such store, or it has no code.
    """
    store = StoreId(call.names["store"])
    await call.parts.books.transact(devices.forget_cleaner_code, store, call.operator.name)
    return CodeForgotten(store=store)


def _board(books: Transaction, asked: BoardWanted) -> list[tuple[Row, str]]:
    return devices.board(books, asked.store, after=asked.after, most=devices.BOARD_MAX + 1)


def _device_of(row: Row, state: str) -> Device:
    return Device(
        device=row["device_id"],
        store=row["store_id"],
        number=row["number"],
        title=row["title"],
        place=row["place"],
        program=row["program"],
        terminal=row["terminal_id"],
        state=state,
        since=row["state_at"],
        fault=row["fault"],
        detail=row["fault_detail"],
        session=row["session_id"],
        ends_at=row["deadline_at"],
        next_starts_at=row["next_starts_at"],
    )
