"""The download log and the user log of a module over HTTP, page by page (D4, D5)."""

from __future__ import annotations

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
    module, asked = call.names["module"], call.asked

    def read(books: Transaction) -> tuple[list[Row], int, int]:
        rows = modules.downloads(books, module, asked.cursor, asked.limit + 1)
        return rows, modules.downloads_count(books, module), modules.known_up_to(books)

    rows, issued, known_up_to = await call.parts.books.read(read)
    return DownloadLog(
        module=module,
        issued=issued,
        known_up_to=known_up_to or None,
        downloads=tuple(Download(**row) for row in rows[: asked.limit]),
        next=_next(rows, asked.limit),
    )


async def list_users(call: Call[LogWanted]) -> UserLog:
    """Return a page of the user log, in the order of the clients' names."""
    module, asked = call.names["module"], call.asked

    def read(books: Transaction) -> tuple[list[Row], int, int]:
        rows = modules.users(books, module, asked.cursor, asked.limit + 1)
        return rows, modules.users_count(books, module), modules.known_up_to(books)

    rows, used_by, known_up_to = await call.parts.books.read(read)
    return UserLog(
        module=module,
        used_by=used_by,
        known_up_to=known_up_to or None,
        users=tuple(User(**row) for row in rows[: asked.limit]),
        next=_next(rows, asked.limit),
    )


def _next(rows: list[Row], limit: int) -> str | None:
    return str(rows[limit - 1]["client"]) if len(rows) > limit else None
