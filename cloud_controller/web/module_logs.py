"""The download log and the user log of a module over HTTP, page by page (D4, D5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from cloud_controller.flows import modules
from cloud_controller.ports import Row, Transaction
from cloud_controller.web.routes import Call, InstantText, Shape
from common.ids import NAME_PATTERN

LOGGED: Final = 100
LOGGED_MAX: Final = 200
"""Rows of one page, where nobody says and at most; what follows is another call."""


class LogWanted(Shape):
    """Which rows: those after the page that told this cursor."""

    cursor: Annotated[str, Field(pattern=rf"{NAME_PATTERN}|^$")] = ""
    limit: Annotated[int, Field(ge=1, le=LOGGED_MAX)] = LOGGED


class Download(Shape):
    """A client that got the module from one of our controllers.

    Attributes:
        registered_at: when it was issued first.
        updated_at: when it was issued last: a client that comes again moves only this.
        deliveries: how often it was issued.
    """

    client: str
    registered_at: InstantText
    updated_at: InstantText
    deliveries: int


class DownloadLog(Shape):
    """The first record: as many rows as modules were issued.

    Attributes:
        issued: the number of rows, on all pages together.
        known_up_to: everything that any of our controllers had issued before this instant is here;
            None: some of them has not been heard yet.
        next: the cursor of the page that follows; None: there is none.
    """

    module: str
    issued: int
    known_up_to: InstantText | None
    downloads: tuple[Download, ...]
    next: str | None


class User(Shape):
    """A client that uses the module, wherever it has it from.

    Attributes:
        reports: how often it has said so; once a day, and at each start of a program.
    """

    client: str
    first_used_at: InstantText
    last_used_at: InstantText
    reports: int


class UserLog(Shape):
    """The second record: who uses the module; see `DownloadLog`."""

    module: str
    used_by: int
    known_up_to: InstantText | None
    users: tuple[User, ...]
    next: str | None


async def list_downloads(call: Call[LogWanted]) -> DownloadLog:
    """Return a page of the download log, in the order of the clients' names."""
    page = await call.parts.books.read(_page, call, modules.downloads, modules.downloads_count)
    return DownloadLog(
        module=call.names["module"],
        issued=page.count,
        known_up_to=page.known_up_to,
        downloads=tuple(Download(**row) for row in page.rows),
        next=page.next,
    )


async def list_users(call: Call[LogWanted]) -> UserLog:
    """Return a page of the user log, in the order of the clients' names."""
    page = await call.parts.books.read(_page, call, modules.users, modules.users_count)
    return UserLog(
        module=call.names["module"],
        used_by=page.count,
        known_up_to=page.known_up_to,
        users=tuple(User(**row) for row in page.rows),
        next=page.next,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """The rows of one page, of `count` on all pages, and the cursor of the page that follows."""

    rows: list[Row]
    count: int
    known_up_to: int | None
    next: str | None


def _page(
    books: Transaction,
    call: Call[LogWanted],
    list_rows: Callable[[Transaction, str, str, int], list[Row]],
    count: Callable[[Transaction, str], int],
) -> _Page:
    module, asked = call.names["module"], call.asked
    rows = list_rows(books, module, asked.cursor, asked.limit + 1)
    is_more = len(rows) > asked.limit
    return _Page(
        rows=rows[: asked.limit],
        count=count(books, module),
        known_up_to=modules.known_up_to(books) or None,
        next=str(rows[asked.limit - 1]["client"]) if is_more else None,
    )
