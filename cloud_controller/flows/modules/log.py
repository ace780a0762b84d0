"""The download log and the user log: who got a module from one of us, and who uses it (D4, D5).

Both are views of the one log of modules: its rows are clients, so their number is the number issued
and a client that comes again moves only its last instant.
"""

from __future__ import annotations

from cloud_controller.ports import Row, Transaction


def downloads(books: Transaction, module: str, after: str, most: int) -> list[Row]:
    """Return clients that got a module, in the order of their names, after this one."""
    return list(books.provenance.downloads(module=module, after=after, most=most))


def downloads_count(books: Transaction, module: str) -> int:
    """Return how many clients got a module: the number issued."""
    return int(books.provenance.downloads_count(module=module))


def users(books: Transaction, module: str, after: str, most: int) -> list[Row]:
    """Return clients that use a module, wherever they have it from, after this one."""
    return list(books.provenance.users(module=module, after=after, most=most))


def users_count(books: Transaction, module: str) -> int:
    """Return how many clients use a module."""
    return int(books.provenance.users_count(module=module))


def modules_logged(books: Transaction) -> list[str]:
    """Return every module that the log has a line of."""
    return [row["module"] for row in books.provenance.logged_modules()]


def is_in_download_log(books: Transaction, module: str, client: str) -> bool:
    """Say whether a client got a module from one of us, by what we know now (D8)."""
    return bool(books.provenance.is_in_download_log(module=module, client=client))


def known_up_to(books: Transaction) -> int:
    """Return up to which instant we know every line of every controller; nought: not at all.

    It is the oldest of what each has said of its own log, by its own clock. Who is not in the
    download log was issued nothing before it; of what was issued since, nothing is known (D9).
    """
    return int(books.provenance.known_up_to(now=books.now))
