"""A real mail server on a free port, whose every answer is in the test's hand."""

from __future__ import annotations

import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from cloud_controller.certificates import Authority
from cloud_controller.postman import Postman
from cloud_controller.settings import MailSettings, MailTls
from cloud_controller.smtp import MailServer
from cloud_controller.web.letters import LetterWriter
from common.system import SystemClock, SystemNames
from common.tls import serving
from tests.fakes.store import StoreKit

URL = "https://play.example"
SENDER = "tickets@play.example"
USER, PASSWORD = "rusuban", "a password of the tests"


@dataclass
class Mailbox:
    """What the server has taken, and what it answers: a list is used up, answer by answer."""

    taken: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    rcpt_answers: list[str] = field(default_factory=list)
    on_taken: Callable[[], None] = lambda: None

    async def handle_RCPT(  # noqa: N802 - as the server calls it
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.rcpt_answers:
            return self.rcpt_answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - as the server calls it
        self, _server: Any, _session: Any, envelope: Envelope
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.on_taken()
        return "250 OK"


@contextmanager
def mail_server(mailbox: Mailbox, *, port: int = 0, **how: Any) -> Iterator[int]:
    """Run a mail server; give its port."""
    port = port or free_port()
    server = Controller(mailbox, hostname="127.0.0.1", port=port, **how)
    server.start()
    try:
        yield port
    finally:
        server.stop()


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        port: int = door.getsockname()[1]
        return port


def settings_for(port: int, **changed: Any) -> MailSettings:
    """Return settings for a server of this machine."""
    facts = {"host": "127.0.0.1", "port": port, "tls": MailTls.NONE, "sender": SENDER}
    return MailSettings(**{**facts, "timeout_seconds": 5, **changed})


def postman(store: StoreKit, settings: MailSettings | None) -> Postman:
    """Return a postman of this store."""
    server = None if settings is None else MailServer(settings)
    writer = LetterWriter(lambda: URL)
    return Postman(store.books, store.clock, server=server, writer=writer)


def certified(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return an authority's certificate, and what a server shows that it certified."""
    authority = Authority(folder / "authority", SystemClock(), SystemNames())
    files = authority.server_files(["localhost", "127.0.0.1"])
    file = folder / "trusted.pem"
    file.write_text(authority.pem)
    return file, serving(files.certificate, files.key)


def lets_in(_server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
    """Let in who says the one name and the one password."""
    assert isinstance(data, LoginPassword)
    is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


def rows(folder: Path) -> list[dict[str, Any]]:
    """Return all letters, the oldest first."""
    with closing(sqlite3.connect(folder / "books.sqlite")) as books:
        books.row_factory = sqlite3.Row
        return [dict(row) for row in books.execute("SELECT * FROM letters ORDER BY made_at, kind")]


def problems(folder: Path) -> list[tuple[str, str]]:
    """Return the open problems."""
    with closing(sqlite3.connect(folder / "books.sqlite")) as books:
        return list(
            books.execute("SELECT kind, subject FROM problems WHERE solved_at IS NULL").fetchall()
        )


def order_for(folder: Path, link: str, mail: str, order: str = "o-1") -> str:
    """Make an order of a reservation, booked with this address; return its id."""
    with closing(sqlite3.connect(folder / "books.sqlite")) as books, books:
        books.execute(
            "INSERT INTO orders (order_id, store_id, link, holder, mail, language, made_at)"
            " SELECT ?, store_id, ?, 'h', ?, 'ja', 0 FROM reservations WHERE link = ?",
            (order, f"{order}-link", mail, link),
        )
        books.execute("UPDATE reservations SET order_id = ? WHERE link = ?", (order, link))
    return order


def change(folder: Path, sql: str, *values: object) -> None:
    """Write into the books as another flow leaves them."""
    with closing(sqlite3.connect(folder / "books.sqlite")) as books, books:
        books.execute(sql, values)
