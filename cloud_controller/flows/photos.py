"""Photos by which cleaners confirm a turnover: one is asked for, taken once, and kept for a while.

Its law: a photo belongs to one turnover, the one after one session; it is taken by whoever has the
link of its task, or that of the store's cleaners, and confirms nothing else.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cloud_controller.ports import NotFound, Received, Row, Transaction
from common.ids import StoreId, TerminalId
from common.messages.devices import DeviceTold
from common.rules.devices import ConfirmBy, DeviceState

LINK_DIGITS: Final = 32
"""Hex digits of a link: 128 bits, as those of tickets."""

TASK_SECONDS: Final = 86_400
"""How long a photo can be taken: no terminal waits longer, and an old link opens nothing."""

PHOTOS_KEPT_SECONDS: Final = 30 * 86_400
"""How long a photo is kept: whoever complains of a dirty device does so within the month."""

PHOTOS_MAX: Final = 60
"""Photos that are kept of one device: a busy one's last days, some twenty megabytes."""

TASKS_MAX: Final = 200
"""Tasks that are listed at once: of each device of a store one is open."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A photo that was taken in; `terminal` has to be told, unless it was taken in before."""

    terminal: TerminalId | None


def note_told(books: Transaction, said: Received) -> None:
    """Ask for a photo where a terminal waits for one; where it waits no more, for none."""
    message: DeviceTold = said.message
    known = books.devices.device(device_id=message.device)
    if known is None or known["terminal_id"] != said.terminal:
        return
    is_waiting = message.state == DeviceState.TURNOVER and message.session is not None
    session = (message.session or "") if is_waiting else ""
    books.devices.forget_unphotographed(device_id=message.device, session_id=session)
    books.devices.close_photographed(device_id=message.device, session_id=session)
    if is_waiting and message.waits_for == ConfirmBy.PHOTO:
        books.devices.add_photo_task(
            task_id=books.names.new("f"),
            device_id=message.device,
            session_id=session,
            link=books.names.hex_digits(LINK_DIGITS),
            made_at=books.now,
            expires_at=books.now + TASK_SECONDS * 1000,
        )


def is_lacking(books: Transaction, said: Received) -> bool:
    """Say whether a terminal waits for a photo that was taken: it has not heard of it."""
    message: DeviceTold = said.message
    if message.waits_for != ConfirmBy.PHOTO or message.session is None:
        return False
    task = books.devices.photo_task_of(device_id=message.device, session_id=message.session)
    return task is not None and task["photographed_at"] is not None


def tasks(books: Transaction, link: str) -> list[Row]:
    """Return what a link opens: the task of its own, or those of the store of its cleaners.

    Raises:
        NotFound: it is no such link, or its time is over.
    """
    digest = link_digest(link)
    found = list(books.devices.photo_tasks(link=link, digest=digest, now=books.now, most=TASKS_MAX))
    if not found and not books.devices.is_cleaner_link(digest=digest):
        raise NotFound(what="page")
    return found


def take(books: Transaction, link: str, task: str, photo: bytes) -> Taken:
    """Take a photo in, once: a second one of the same turnover changes nothing.

    Raises:
        NotFound: the link does not open this task, or nobody waits for it any more.
    """
    row = next((each for each in tasks(books, link) if each["task_id"] == task), None)
    if row is None:
        raise NotFound(what="page")
    digest = sha256(photo).hexdigest()
    if not books.devices.keep_photo(
        task_id=task,
        photo=b64encode(photo).decode(),
        digest=digest,
        photographed_at=books.now,
    ):
        return Taken(terminal=None)
    books.devices.forget_photos_before_the_last(device_id=row["device_id"], most=PHOTOS_MAX)
    terminal = TerminalId(row["terminal_id"])
    books.enter(
        "turnover.photographed",
        {"device": row["device_id"], "photo": task, "digest": digest, "bytes": len(photo)},
        terminal=terminal,
        reservation=books.devices.reservation_of(
            session_id=row["session_id"], terminal_id=terminal
        ),
        session=row["session_id"],
    )
    return Taken(terminal=terminal)


def photo(books: Transaction, device: str, task: str) -> bytes:
    """Return a photo as JPEG.

    Raises:
        NotFound: there is none, or none any more.
    """
    kept = books.devices.photo(device_id=device, task_id=task)
    if kept is None:
        raise NotFound(what="photo")
    return b64decode(kept)


def tasks_of_store(books: Transaction, store: StoreId) -> list[Row]:
    """Return what is to be photographed in a store, and what was, the latest first.

    Raises:
        NotFound: there is no such store.
    """
    if not books.devices.has_store(store_id=store):
        raise NotFound(what="store")
    return list(books.devices.photo_tasks_of_store(store_id=store, most=TASKS_MAX))


def make_link(books: Transaction, store: StoreId, actor: str) -> str:
    """Return a new link of a store's cleaners, kept nowhere; the one before opens nothing more.

    Raises:
        NotFound: there is no such store.
    """
    if not books.devices.has_store(store_id=store):
        raise NotFound(what="store")
    link = books.names.hex_digits(LINK_DIGITS)
    books.devices.keep_cleaner_link(store_id=store, digest=link_digest(link), made_at=books.now)
    books.audit(actor, "cleaner_link.made", store)
    return link


def forget_link(books: Transaction, store: StoreId, actor: str) -> None:
    """Have a store's cleaners' link open nothing any more.

    Raises:
        NotFound: there is no such store, or it has no link.
    """
    if not books.devices.forget_cleaner_link(store_id=store):
        raise NotFound(what="cleaners' link of this store")
    books.audit(actor, "cleaner_link.forgotten", store)


def forget_old(books: Transaction) -> None:
    """Forget photos whose time is over, and tasks that nobody has seen to."""
    books.devices.forget_photos(before=books.now - PHOTOS_KEPT_SECONDS * 1000, now=books.now)


def link_digest(link: str) -> str:
    """Return by what a standing link is known; a random one needs no salt."""
    return sha256(link.encode(errors="replace")).hexdigest()
