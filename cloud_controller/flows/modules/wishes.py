"""What an operator wants of a terminal's modules: the latest word on each, until it is heard."""

from __future__ import annotations

from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from common.ids import TerminalId
from common.messages.modules import PACKAGES_MAX, DesiredModule, ModulesDesired
from common.rules.modules import PackageWish
from common.topics import BrokerRole, Channel


def wish(
    books: Transaction, terminal: TerminalId, package: str, what: PackageWish, actor: str
) -> int:
    """Say what is wanted of a program's package or a module at a terminal; return its number.

    The terminal is told now if it is in service, else at its next hello.

    Raises:
        NotFound: there is no such terminal, or no package or module of that name was heard of.
        NotAllowed: something is wanted of too many packages there.
    """
    if books.registration.terminal(terminal_id=terminal) is None:
        raise NotFound(what="terminal")
    if not books.modules.is_known_package(package=package):
        raise NotFound(what="module")
    wished = {row["module"] for row in books.modules.wishes(terminal_id=terminal)}
    if package not in wished and len(wished) >= PACKAGES_MAX:
        raise NotAllowed(why=f"something is wanted of {PACKAGES_MAX} packages there already")
    number = books.modules.wish(
        terminal_id=terminal, module=package, wish=what, wished_at=books.now
    )
    books.audit(actor, f"module.{what}_wished", terminal, package)
    known = books.registration.admission(terminal_id=terminal)
    if known is not None and known["broker_role"] == BrokerRole.SERVICE:
        tell_wishes(books, terminal, kept=True)
    return int(number)


def tell_wishes(
    books: Transaction, terminal: TerminalId, heard: int = 0, *, kept: bool = False
) -> None:
    """Tell a terminal all that is wanted of its modules, if it has not `heard` the latest word.

    `kept`: whoever says it need not be who speaks to terminals.
    """
    rows = wishes(books, terminal)
    if max((row["number"] for row in rows), default=0) > heard:
        wanted = tuple(
            DesiredModule(module=row["module"], number=row["number"], wish=row["wish"])
            for row in rows
        )
        books.say(terminal, Channel.DESIRED, ModulesDesired(wishes=wanted), kept=kept)


def wishes(books: Transaction, terminal: TerminalId) -> list[Row]:
    """Return the latest word on each module of a terminal of which there is one."""
    return list(books.modules.wishes(terminal_id=terminal))
