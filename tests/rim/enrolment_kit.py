"""A controller's pages over real HTTPS, honest or lying, and what a PC brings along."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from typing_extensions import override

from cloud_controller.certificates import Authority
from common.system import SystemClock, SystemNames
from common.tls import serving
from edge_agent.enrolment import kept_key
from edge_agent.enrolment.keys import TerminalKey
from edge_agent.journal import SqliteJournal

TERMINAL = "t-1"
CODE = "ABCDEFGHJK"
HERE = "127.0.0.1"

Lie = Callable[[BaseHTTPRequestHandler], None]
"""Answers a request in a way of its own."""


class Pages:
    """What a controller serves; each part of it can be exchanged for a lie."""

    def __init__(self, authority: Authority, answer: dict[str, Any]) -> None:
        self.authority = authority.pem
        self.answer: Any = answer
        self.status = 200
        self.lie: Lie | None = None
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    def take(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        self.heard.append((request.path, json.loads(body)))
        if self.lie is not None:
            self.lie(request)
        else:
            told = (
                self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
            )
            send(request, self.status, told)


def send(request: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """Answer as an honest server does."""
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@contextmanager
def serve(pages: Pages, speaks: Authority | None) -> Iterator[Pages]:
    """Serve pages on a free port; `speaks` certifies the server, None is in the clear."""

    class Request(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            send(self, 200, pages.authority.encode())

        def do_POST(self) -> None:
            pages.take(self, self.rfile.read(int(self.headers["Content-Length"])))

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = _Server((HERE, 0), Request)
    if speaks is not None:
        files = speaks.server_files([HERE])
        context = serving(files.certificate, files.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    pages.url = f"{'http' if speaks is None else 'https'}://{HERE}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    @override
    def handle_error(self, *_: object) -> None:
        """Say nothing: callers that leave in the middle are what is tested."""


def an_authority(folder: Path, clock: Any = None) -> Authority:
    folder.mkdir(parents=True, exist_ok=True)
    return Authority(folder, clock or SystemClock(), SystemNames())


def a_key(folder: Path) -> TerminalKey:
    return kept_key(folder, SystemNames().secret_bytes)


def a_journal(folder: Path) -> SqliteJournal:
    return SqliteJournal(
        folder / "journal.db", clock=SystemClock(), names=SystemNames(), boot_id="b"
    )


def an_answer(authority: Authority, key: TerminalKey, /, **changed: Any) -> dict[str, Any]:
    """Return what a controller on the highest step answers this key."""
    return {
        "terminal": TERMINAL,
        "store": "shinjuku",
        "epoch": "e0" * 8,
        "secret": "5e" * 32,
        "ladder": 2,
        "broker": {"host": "broker.example", "port": 18830},
        "authority": authority.pem,
        "certificate": authority.certify_terminal(TERMINAL, key.public).pem,
        "public_keys": {"1": key.public},
        **changed,
    }
