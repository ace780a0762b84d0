"""A world whose controller a test can make say anything, and hear what no broker lets through."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from cloud_controller.broker import AccountRole, create_account
from common.messages.specification import Specification
from common.seals import public_bytes
from common.topics import Channel
from tests.demo.world import STORE, Refused, World
from tests.e2e.outspoken import HEARD
from tests.e2e.rogue import Account, Pc, Rogue, topic

CREATED: Final = 201
"""What the API answers when a terminal has enrolled."""

LOOPBACK: Final = "127.0.0.1"


@dataclass(kw_only=True)
class OpenWorld(World):
    """A world with a controller that is told by the test what to say and what to hear."""

    numbers: Iterator[int] = field(default_factory=count)

    def makes_it_say(self, topic: str, payload: bytes) -> None:
        """Have the controller publish something."""
        self._tell(topic, payload, takes=False)

    def makes_it_take(self, topic: str, payload: bytes) -> None:
        """Hand the controller what the broker would not; return when its books are closed again."""
        self._tell(topic, payload, takes=True)

    def word(self, terminal: str, event: str) -> None:
        """Say the operator's word on a registration; return when the broker goes by it."""
        path = f"/api/v1/terminals/{terminal}/standing"
        self.operator("POST", path, {"event": event, "reason": "a test"})
        self.settle()

    def known(self, terminal: str) -> dict[str, Any]:
        """Return what the controller knows of a terminal."""
        found: dict[str, Any] = self.operator("GET", f"/api/v1/terminals/{terminal}")
        return found

    def wait_for_standing(self, terminal: str, standing: str) -> None:
        """Return when a registration stands there."""
        self.wait_for(
            f"{terminal} to be {standing}", lambda: self.known(terminal)["standing"] == standing
        )

    def problems(self, kind: str, *, is_open: bool = True) -> list[dict[str, Any]]:
        """Return the problems of a kind that wait for somebody to look, or that are solved."""
        found = self.operator("GET", "/api/v1/problems")["problems"]
        return [
            each
            for each in found
            if each["kind"] == kind and (each["solved_at"] is None) is is_open
        ]

    def settle(self) -> None:
        """Return when all that terminals have said until now is in the books."""
        self.makes_it_say(topic("t-nobody", Channel.REGISTRATION), b"settle")

    def auditor(self, name: str = "auditor") -> Account:
        """Return an account that may hear and say at the broker whatever the controller may."""
        account = Account(
            host=LOOPBACK, port=self.broker_port, name=name, secret=os.urandom(16).hex()
        )
        command = create_account(account.name, AccountRole.CONTROLLER, account.secret)
        self.makes_it_say(command.topic, command.payload)
        self._wait_until_let_in(account)
        return account

    def tables(self) -> dict[str, list[Any]]:
        """Return all there is in the books but what is on its way out."""
        books = self.folder / "controller" / "books.db"
        with closing(sqlite3.connect(f"file:{books}?mode=ro", uri=True)) as seen:
            seen.row_factory = lambda cursor, row: dict(
                zip((column for column, *_ in cursor.description), row, strict=True)
            )
            names = seen.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return {
                name: seen.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608 - its own tables
                for name in (each["name"] for each in names)
                if name not in {"outbox", "sqlite_sequence"}
            }

    def enrol_by_hand(
        self,
        *,
        store: str = STORE,
        again: Pc | None = None,
        address: str = LOOPBACK,
    ) -> Pc:
        """Enrol a PC that is none of ours; `address` is where it calls from."""
        asked = {"store": store, **({"terminal": again.terminal} if again else {})}
        code = self.operator("POST", "/api/v1/enrolment-codes", asked)["code"]
        key = Ed25519PrivateKey.generate()
        body = {"code": code, "public_key": public_bytes(key).hex(), "hostname": "rogue"}
        status, text = self.ask("POST", "/api/v1/enrolments", body, address=address)
        told = json.loads(text)
        if status != CREATED:
            raise Refused(status, told)
        account = Account(
            host=told["broker"]["host"],
            port=told["broker"]["port"],
            name=told["terminal"],
            secret=told["secret"],
        )
        self._wait_until_let_in(account)
        who = {"terminal": told["terminal"], "epoch": told["epoch"], "code": code}
        return Pc(key=key, account=account, **who)

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        address: str = LOOPBACK,
    ) -> tuple[int, str]:
        """Call a route from an address of this machine; return the status and the text."""
        whole = {"Content-Type": "application/json", **(headers or {})}
        host = urllib.parse.urlsplit(self.url).netloc
        with closing(HTTPConnection(host, timeout=10, source_address=(address, 0))) as line:
            line.request(method, path, None if body is None else json.dumps(body), whole)
            answer = line.getresponse()
            return answer.status, answer.read().decode(errors="replace")

    def specify(self, pc: Pc, specification: Specification) -> Rogue:
        """Say what a PC is, wait until that is in the books, and return what it was told."""
        with Rogue(pc.account) as rogue:
            rogue.hears(topic(pc.terminal, Channel.REGISTRATION))
            rogue.says(topic(pc.terminal, Channel.SPECIFICATION), pc.says(specification))
            self.wait_for("the standing", lambda: rogue.heard or rogue.is_lost.is_set())
        return rogue

    def _wait_until_let_in(self, account: Account) -> None:
        def is_let_in() -> bool:
            with Rogue(account) as visitor:
                return visitor.is_in

        self.wait_for(f"{account.name} to be let in", is_let_in)

    def _tell(self, topic: str, payload: bytes, *, takes: bool) -> None:
        number = next(self.numbers)
        told = {"number": number, "topic": topic, "payload": payload.decode(), "takes": takes}
        assert self.controller is not None
        assert self.controller.stdin is not None
        self.controller.stdin.write(json.dumps(told).encode() + b"\n")
        self.controller.stdin.flush()
        self.wait_for(f"line {number} to be heard", lambda: self._has_heard(number))

    def _has_heard(self, number: int) -> bool:
        log = (self.folder / "controller.log").read_text("utf-8").splitlines()
        lines = (json.loads(line) for line in reversed(log) if HEARD in line)
        return any(line["number"] == number for line in lines)

    @override
    def end(self) -> None:
        super().end()
        if self.controller is not None and self.controller.stdin is not None:
            self.controller.stdin.close()

    @override
    def _serve(self, settings: Path, log: Path, roles: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.e2e.outspoken", "serve", "--settings"]
        with log.open("ab") as out:
            return subprocess.Popen(
                [*command, str(settings)],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, "RUSUBAN_WORLD": str(self.folder)},
            )


@contextmanager
def an_open_world(**settings: Any) -> Iterator[OpenWorld]:
    """Give such a world, and take all of it away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="rusuban-"))
    world = OpenWorld(folder=folder, **settings)
    try:
        world.start_controller()
        yield world
    finally:
        world.end()
        shutil.rmtree(folder, ignore_errors=True)
