"""A small chain of stores on this machine: real controller, broker, agents, runners, one folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from common.tls import fingerprint_of
from tests.demo import logs
from tests.demo.calls import Refused, call, fetch
from tests.demo.processes import WORLD, processes_of
from tests.demo.settings import SlotTerms, controller_settings
from tests.demo.terminal import Terminal, furnish

__all__ = ["DidNotHappen", "Refused", "SlotTerms", "Terminal", "World", "a_world", "expect"]

START_SECONDS_MAX: Final = 20.0
"""How long a program may take to be there."""

LOOK_SECONDS: Final = 0.02
"""Between two looks at a condition that is waited for."""

SLOTS_LOOKED_AT: Final = 20
"""How many slots ahead the nearest free one is looked for."""

COLUMNS: Final = 70
"""How wide the controller's commands print: as much as a timeline has room for."""

STORE: Final = "akihabara"

CONFLICT: Final = 409  # what the API answers when a time has passed or been taken meanwhile

SCRIPTS: Final = Path(sys.executable).parent


class DidNotHappen(AssertionError):
    """What was waited for did not come in time; `code` is what a program that ended left with."""

    code = 1


def expect(found: object, told: object, what: str) -> None:
    """See that it is as told.

    Raises:
        DidNotHappen: it is not.
    """
    if found != told:
        message = f"the {what} should be {told!r} and is {found!r}"
        raise DidNotHappen(message)


@dataclass(kw_only=True)
class World:
    """Everything that runs; leave it, and nothing is left."""

    folder: Path
    terms: SlotTerms = field(default_factory=SlotTerms)
    policy: str = "automatic"
    roles: str = ""
    programs: str = ""
    ladder: int = 0
    screen: str = ""
    web_port: int = 0
    broker_port: int = 0
    controller: subprocess.Popen[bytes] | None = None
    others: list[subprocess.Popen[bytes]] = field(default_factory=list)
    terminals: list[Terminal] = field(default_factory=list)
    url: str = ""

    @property
    def authority(self) -> str:
        """The controller's own authority as PEM text; empty where there is none."""
        file = self.folder / "controller" / "keys" / "authority.pem"
        return file.read_text("ascii") if self.ladder else ""

    @property
    def trust(self) -> ssl.SSLContext | None:
        """Whom a caller believes: where the pages speak TLS, the controller's own authority."""
        return ssl.create_default_context(cadata=self.authority) if self.ladder else None

    def start_controller(self) -> None:
        """Start the controller and wait until it answers."""
        settings = self.folder / "controller.toml"
        settings.write_text(self._controller_settings(), "utf-8")
        log = self.folder / "controller.log"
        started_from = log.stat().st_size if log.exists() else 0
        controller = self.controller = self._serve(settings, log, self.roles)
        line = self.wait_for(
            "the controller to start",
            lambda: _started(controller, log, since=started_from),
        )
        self.url = line["pages"]
        self.web_port = int(self.url.rsplit(":", 1)[1])
        self.broker_port = line["broker"]
        self.wait_for("the controller to be ready", self._is_ready)

    def start_beside(self, roles: str) -> str:
        """Start one more controller on the same database with these roles; return its address."""
        settings = self.folder / "beside.toml"
        text = self._controller_settings().replace(f"port = {self.web_port}", "port = 0", 1)
        settings.write_text(text, "utf-8")
        log = self.folder / "beside.log"
        self.others.append(self._serve(settings, log, roles))
        line = self.wait_for(
            f"a controller with the roles {roles}",
            lambda: _started(self.others[-1], log),
        )
        return str(line["pages"])

    def add_terminal(self, *, offering: str | None = None, devices: int = 1) -> Terminal:
        """Enrol one more terminal, whose devices share one offering, and start its agent."""
        terminal = self.new_terminal(offering=offering, devices=devices)
        self.enrol(terminal, self.new_code())
        self.start_agent(terminal)
        return terminal

    def new_terminal(self, *, offering: str | None = None, devices: int = 1) -> Terminal:
        """Give one more PC its folder and settings; nothing runs on it yet."""
        number = len(self.terminals) + 1
        terminal = furnish(self.folder, self.terms, number, offering, devices, self.screen)
        self.terminals.append(terminal)
        return terminal

    def new_code(self) -> str:
        """Return a code by which a terminal enrols, as the operator's API makes one."""
        return str(self.operator("POST", "/api/v1/enrolment-codes", {"store": STORE})["code"])

    def enrol(self, it: Terminal, code: str, *, again: bool = False, url: str = "") -> None:
        """Give a terminal its identity; `again` where it has one, `url` where it calls us by it."""
        command = [str(SCRIPTS / "edge-agent"), "enrol", "--settings", str(it.settings)]
        pin = ["--pin", fingerprint_of(self.authority)] if self.ladder else []
        where = ["--url", url or self.url]
        subprocess.run(
            [*command, *pin, *where, "--code", code, *(["--again"] if again else [])],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=START_SECONDS_MAX,
        )

    def ask_controller(self, command: str, *words: str) -> str:
        """Return what a command of the controller prints, run beside the one that serves."""
        asked = [str(SCRIPTS / "cloud-controller"), command, *words]
        settings = ["--settings", str(self.folder / "controller.toml")]
        width = {"COLUMNS": str(COLUMNS)}
        answer = subprocess.run(
            [*asked, *settings], check=True, capture_output=True, text=True, env=os.environ | width
        )
        return answer.stdout

    def books(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Return rows of the controller's database, which nobody asks the API for."""
        file = f"file:{self.folder / 'controller' / 'books.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(file, uri=True)) as books:
            books.row_factory = sqlite3.Row
            return list(books.execute(query, values))

    def start_agent(self, terminal: Terminal) -> None:
        """Start a terminal's agent, which starts the runner if nobody answers as one."""
        command = [str(SCRIPTS / "edge-agent"), "run", "--settings", str(terminal.settings)]
        terminal.agent = self._spawn(command, terminal.log)

    def wait_until_on_offer(self, count: int) -> list[dict[str, Any]]:
        """Return the offerings once so many devices are on offer."""

        def on_offer() -> list[dict[str, Any]] | None:
            found = self.api("GET", "/api/v1/offerings")["offerings"]
            return found if sum(each["devices_on"] for each in found) >= count else None

        return list(self.wait_for(f"{count} devices to be on offer", on_offer))

    def book(
        self, offering: str, *, device: str | None = None, length_seconds: int | None = None
    ) -> dict[str, Any]:
        """Book the nearest free slot, of the first length on sale or this, and return the ticket.

        A slot that begins, or is taken, between the look and the booking is passed over, as a
        customer would.

        Raises:
            Refused: none of the slots listed could be booked.
        """
        length = length_seconds or self.terms.lengths_seconds[0]
        reach_seconds = SLOTS_LOOKED_AT * (length + self.terms.grid_seconds)
        soon = datetime.now(UTC) + timedelta(seconds=reach_seconds)
        path = (
            f"/api/v1/offerings/{offering}/slots"
            f"?length_seconds={length}&to={soon:%Y-%m-%dT%H:%M:%SZ}"
        )
        slots = self.api("GET", path)["slots"]
        body = {"offering": offering, "length_seconds": length}
        if device is not None:
            slots = [each for each in slots if device in {one["device"] for one in each["devices"]}]
            body["device"] = device
        assert slots, f"{offering} has no free slot"
        for number, slot in enumerate(slots, start=1):
            headers = {"Idempotency-Key": os.urandom(12).hex()}
            wish = {**body, "starts_at": slot["starts_at"]}
            try:
                return dict(self.api("POST", "/api/v1/reservations", wish, headers=headers))
            except Refused as refusal:
                if refusal.status != CONFLICT or number == len(slots):
                    raise
        raise AssertionError

    def wait_until_open(self, link: str) -> None:
        """Wait until a ticket opens its device."""
        opens_at = datetime.fromisoformat(self.api("GET", f"/api/v1/tickets/{link}")["opens_at"])
        self.wait_for(f"{link[:8]} to open", lambda: datetime.now(UTC) >= opens_at, seconds=120.0)

    def story(self, link: str) -> list[dict[str, Any]]:
        """Return the ledger of a ticket."""
        found: list[dict[str, Any]] = self.api("GET", f"/api/v1/tickets/{link}/story")["lines"]
        return found

    def wait_for_line(self, link: str, kind: str, *, seconds: float = 30.0) -> dict[str, Any]:
        """Return the first line of this kind in a ticket's ledger, once it is there."""

        def line() -> dict[str, Any] | None:
            return next((each for each in self.story(link) if each["type"] == kind), None)

        return dict(self.wait_for(f"{kind} of {link[:8]}", line, seconds=seconds))

    def wait_for_log(self, log: Path, event: str, **having: object) -> dict[str, Any]:
        """Return the first line of a log that says this, once it is there."""
        look = partial(logs.first, log, event, having)
        return dict(self.wait_for(f"{event!r} in {log.name}", look))

    def verdicts(self, terminal: Terminal) -> list[dict[str, Any]]:
        """Return what a terminal has told the people in front of its scanner."""
        return list(logs.lines(terminal.log, "verdict"))

    def wait_for_verdict(self, terminal: Terminal, number: int) -> dict[str, Any]:
        """Return the verdict of this number, counted from 0, once it is there."""

        def verdict() -> dict[str, Any] | None:
            told = self.verdicts(terminal)
            return told[number] if len(told) > number else None

        return dict(self.wait_for(f"verdict {number} of {terminal.name}", verdict))

    def api(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call the API and return its JSON.

        Raises:
            Refused: it answered with a problem.
        """
        return call(self.url, method, path, body, headers=headers, trust=self.trust)

    def operator(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call the API as the operator."""
        return self.api(method, path, body, headers=self._shows_token())

    def figures(self) -> str:
        """Return what the controller counts, as the operator's watcher reads it."""
        return fetch(f"{self.url}/metrics", self.trust, headers=self._shows_token()).decode()

    def _shows_token(self) -> dict[str, str]:
        token = (self.folder / "controller" / "keys" / "operator-token").read_text("ascii")
        return {"Authorization": f"Bearer {token}"}

    def picture(self, path: str) -> bytes:
        """Return the bytes behind an address of ours."""
        return fetch(self.url + path, self.trust)

    def wait_for(
        self, what: str, look: Callable[[], Any], *, seconds: float = START_SECONDS_MAX
    ) -> Any:
        """Return what `look` returns once it is something.

        Raises:
            DidNotHappen: it stayed nothing; the message says what, and shows the logs' ends.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = look()
            if found:
                return found
            time.sleep(LOOK_SECONDS)
        message = f"waited {seconds:g} s for {what}\n{self.ends_of_logs()}"
        raise DidNotHappen(message)

    def ends_of_logs(self) -> str:
        """Return the last lines of every log."""
        return "\n".join(
            f"--- {log.relative_to(self.folder)}\n" + "\n".join(logs.text(log).splitlines()[-12:])
            for log in sorted(self.folder.rglob("*.log"))
        )

    def end(self) -> None:
        """End everything, runners and device programs included, and wait until it is gone."""
        mine = [
            self.controller,
            *self.others,
            *(terminal.agent for terminal in self.terminals),
        ]
        for process in mine:
            if process is not None and process.poll() is None:
                process.terminate()
        for process in mine:
            if process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(5)
        for _ in range(100):
            left = self.processes()
            if not left:
                return
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(LOOK_SECONDS)

    def processes(self, *words: str) -> list[int]:
        """Return the processes of this world whose command line has all of these words."""
        return processes_of(self.folder, *words)

    def _serve(self, settings: Path, log: Path, roles: str) -> subprocess.Popen[bytes]:
        command = [str(SCRIPTS / "cloud-controller"), "serve", "--settings", str(settings)]
        return self._spawn([*command, *(["--roles", roles] if roles else [])], log)

    def _spawn(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, WORLD: str(self.folder)},
            )

    def _is_ready(self) -> bool:
        try:
            self.api("GET", "/readyz")
        except (Refused, OSError, ValueError):
            return False
        return True

    def _controller_settings(self) -> str:
        return controller_settings(
            self.folder,
            store=STORE,
            policy=self.policy,
            ports=(self.web_port, self.broker_port),
            programs=self.programs,
            ladder=self.ladder,
        )


@contextlib.contextmanager
def a_world(
    terms: SlotTerms | None = None, kind: type[World] = World, **having: Any
) -> Iterator[World]:
    """Give a world with its controller running, and take all of it away afterwards.

    `having` are fields of it that are otherwise than by default.
    """
    folder = Path(tempfile.mkdtemp(prefix="rusuban-"))
    world = kind(folder=folder, terms=terms or SlotTerms(), **having)
    try:
        world.start_controller()
        yield world
    finally:
        world.end()
        shutil.rmtree(folder, ignore_errors=True)


def _started(
    process: subprocess.Popen[bytes], log: Path, *, since: int = 0
) -> dict[str, Any] | None:
    """Return the line that tells a start, None before it; raise for a program that has ended."""
    line = logs.first(log, "started", since=since)
    if line is None and process.poll() is not None:
        fault = DidNotHappen(f"it ended with code {process.returncode}\n{logs.text(log)[-2000:]}")
        fault.code = process.returncode
        raise fault
    return line
