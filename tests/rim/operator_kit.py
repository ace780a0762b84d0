"""A controller with a module that is issued, used and being installed, for the operator's eyes."""

from __future__ import annotations

from cloud_controller.flows import modules
from cloud_controller.flows.rights import pools
from cloud_controller.ports import Published, Transaction
from common.messages.modules import PackageKind, Release
from common.rules.modules import ModuleEvent, ModuleEventKind
from tests.rim.web_kit import TOKEN, WebKit

MEGABYTE = 1_000_000
MONTH_MS = 30 * 86_400_000
SIGNED_IN = {"Authorization": f"Bearer {TOKEN}"}
ISSUED, USED = ModuleEventKind.ISSUED, ModuleEventKind.USED


async def with_a_module(kit: WebKit, title: str = "Physics") -> str:
    """Let there be a module of ten seats; return the terminal that installs it."""
    opened = await kit.store.open()
    await kit.store.books.transact(_publish, title)
    await kit.store.books.transact(pools.own_seats, "physics", 10, "tests")
    await kit.store.books.transact(_use)
    kit.store.clock.move(1)
    return opened.terminal


async def told(
    kit: WebKit, terminal: str, state: str, done_bytes: int = 0, detail: str = ""
) -> None:
    """Let a terminal tell how far it is."""

    def keep(books: Transaction) -> None:
        books.modules.keep_progress(
            terminal_id=terminal,
            package="physics",
            version="2.1.0",
            state=state,
            detail=detail,
            done_bytes=done_bytes,
            all_bytes=80 * MEGABYTE,
            told_at=books.now,
        )

    await kit.store.books.transact(keep)


def _publish(books: Transaction, title: str) -> None:
    release = Release(
        package="physics",
        kind=PackageKind.MODULE,
        version="2.1.0",
        release_counter=1,
        title=title,
        vendor="Acme",
        royalty_cents=300,
        chunks=("0" * 64,),
        unpacked_bytes=1,
        files=1,
    )
    published = Published(release=release, target=release.target, sha256="0" * 64, length=1)
    modules.project(books, [published])


def _use(books: Transaction) -> None:
    books.rights.take_seats(module="physics", seats=7)
    last_month = books.now - MONTH_MS
    for kind, client, at in (
        *((ISSUED, "t-1", last_month), (ISSUED, "t-2", last_month), (ISSUED, "t-3", books.now)),
        *((USED, "t-1", last_month), (USED, "t-2", books.now), (USED, "t-4", books.now)),
    ):
        books.log_module(ModuleEvent(kind=kind, module="physics", client=client, at=at))
