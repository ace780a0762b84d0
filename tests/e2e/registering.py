"""A PC and its store while it registers: who is killed, and what has to be true afterwards."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, Final

from tests.demo.world import SCRIPTS, Terminal, World
from tests.e2e.customer import kill
from tests.e2e.line import Line

ENDS_SECONDS_MAX: Final = 20.0
"""How long a command may take to end once nothing holds it."""

REACHED_SECONDS_MAX: Final = 15.0
"""How long it may take until the word is said at which the line stops."""

STARTS_A_RUNNER: Final = "is_started_by_agent = true\n"

AGENT: Final = "agent"
CONTROLLER: Final = "controller"


@dataclass(kw_only=True)
class Store:
    """A store whose operator confirms, and the line to it."""

    world: World
    line: Line

    def new_pc(self) -> Pc:
        """Return one more PC; it needs no runner, since nobody plays here."""
        terminal = self.world.new_terminal()
        told = terminal.settings.read_text("utf-8")
        terminal.settings.write_text(told.replace(STARTS_A_RUNNER, ""), "utf-8")
        return Pc(terminal=terminal, store=self)

    def count(self, table: str) -> int:
        """Return how many rows a table of the books has."""
        return len(self.world.books(f"SELECT 1 FROM {table}"))  # noqa: S608 - a test names its own table

    def kill_controller(self) -> None:
        """Kill the controller, and its broker with it."""
        controller = self.world.controller
        assert controller is not None
        kill([controller.pid])
        controller.wait()

    def is_at_work(self) -> bool:
        """Say whether the controller is there."""
        controller = self.world.controller
        return controller is not None and controller.poll() is None


@dataclass(kw_only=True)
class Pc:
    """A PC of the store: what it runs, and what it and the controller know of each other."""

    terminal: Terminal
    store: Store

    def enrol(self, code: str) -> subprocess.Popen[str]:
        """Begin to enrol, with nobody there to answer a question."""
        command = [str(SCRIPTS / "edge-agent"), "enrol", "--settings", str(self.terminal.settings)]
        return subprocess.Popen(
            [*command, "--url", self.store.line.url, "--code", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def has_enrolled(self, code: str) -> str:
        """Enrol, which must succeed, and return what was said."""
        return ended(self.enrol(code), 0)

    def start(self) -> None:
        """Start the agent."""
        self.store.world.start_agent(self.terminal)

    def kill_agent(self) -> None:
        """Kill the agent; its runner stays."""
        agent = self.terminal.agent
        assert agent is not None
        kill([agent.pid])
        agent.wait()

    def leave(self) -> None:
        """End whatever runs here."""
        agent = self.terminal.agent
        if agent is not None and agent.poll() is None:
            agent.terminate()
            agent.wait(ENDS_SECONDS_MAX)
        with contextlib.suppress(AssertionError):
            kill(self.store.world.processes(str(self.terminal.folder)), signal.SIGTERM)

    def journal(self, table: str) -> sqlite3.Row | None:
        """Return the one row of a table of the journal, if there is one."""
        file = self.terminal.folder / "agent" / "journal.db"
        if not file.exists():
            return None
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as journal:
            journal.row_factory = sqlite3.Row
            try:
                row: sqlite3.Row | None = journal.execute(f"SELECT * FROM {table}").fetchone()  # noqa: S608 - a test names its own table
            except sqlite3.OperationalError:  # it has just been made, and has no tables yet
                return None
            return row

    def name(self) -> str:
        """Return who it is."""
        row = self.journal("identity")
        assert row is not None
        return str(row["terminal"])

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return what the books have of this terminal in a table."""
        query = f"SELECT * FROM {table} WHERE terminal_id = ?"  # noqa: S608 - a test names its own table
        return [dict(row) for row in self.store.world.books(query, self.name())]

    def standing(self) -> str:
        """Return where its registration stands in the books."""
        return str(self.rows("terminals")[0]["standing"])

    def standing_known(self) -> str | None:
        """Return where it believes to stand itself."""
        row = self.journal("registration")
        return None if row is None else str(row["standing"])

    def wait_until_told(self, standing: str) -> None:
        """Wait until the books and its own journal say that it stands so."""
        self.store.world.wait_for(
            f"{self.terminal.name} to be {standing}",
            lambda: self.standing() == standing == self.standing_known(),
        )

    def confirm(self) -> None:
        """Say the operator's word."""
        path = f"/api/v1/terminals/{self.name()}/standing"
        self.store.world.operator("POST", path, {"event": "confirm", "reason": "seen"})


@contextlib.contextmanager
def one_more_terminal(store: Store) -> Iterator[None]:
    """See that exactly one terminal and one spent code come of it."""
    terminals, spent = store.count("terminals"), spent_codes(store)
    yield
    assert store.count("terminals") == terminals + 1
    assert spent_codes(store) == spent + 1


def hold_journal(pc: Pc, held: ExitStack) -> None:
    """Keep everybody else from storing anything in a journal."""
    file = pc.terminal.folder / "agent" / "journal.db"
    journal = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    held.enter_context(closing(journal))
    journal.execute("BEGIN IMMEDIATE")


def killed(
    asking: subprocess.Popen[str], reached: threading.Event, *, after_seconds: float = 0.0
) -> None:
    """Kill a command when the line has stopped, or that much later."""
    assert reached.wait(REACHED_SECONDS_MAX)
    time.sleep(after_seconds)
    asking.kill()
    asking.communicate()


def ended(asking: subprocess.Popen[str], exit_code: int) -> str:
    """Return what a command has said that ended with this exit code."""
    told, _ = asking.communicate(timeout=ENDS_SECONDS_MAX)
    assert asking.returncode == exit_code, told
    assert "Traceback" not in told
    return told


def spent_codes(store: Store) -> int:
    query = "SELECT 1 FROM enrolment_codes WHERE spent_at IS NOT NULL"
    return len(store.world.books(query))


def age(world: World, milliseconds: int) -> None:
    """Let every code be older by this much."""
    with closing(sqlite3.connect(world.folder / "controller" / "books.db", timeout=10)) as books:
        books.execute(
            "UPDATE enrolment_codes SET made_at = made_at - :by, expires_at = expires_at - :by",
            {"by": milliseconds},
        )
        books.commit()


def kill_side(pc: Pc, side: str) -> None:
    if side == AGENT:
        pc.kill_agent()
    else:
        pc.store.kill_controller()


def start_side(pc: Pc, side: str) -> None:
    if side == AGENT:
        pc.start()
    else:
        pc.store.world.start_controller()


def service_of(pc: Pc) -> dict[str, Any]:
    """Return the service information there is of a terminal; what is there once, has to stay."""
    devices = {row["key"]: (row["device_id"], row["number"]) for row in pc.rows("devices")}
    return devices | {row["gate_digest"]: row["body"] for row in pc.rows("profiles")}


def is_closed(pc: Pc) -> None:
    """See that a terminal has no service information, and nobody has made any."""
    assert service_of(pc) == {}
    assert pc.journal("profile") is None
    assert pc.rows("terminals")[0]["broker_role"] == "gate"


def comes_into_service(pc: Pc) -> None:
    """See a terminal to its service, by the operator's word if it waits for that."""
    world, agent = pc.store.world, pc.terminal.agent
    if agent is None:
        pc.start()
    world.wait_for("its specification", lambda: pc.standing() != "claimed")
    if pc.standing() == "pending":
        pc.confirm()
    pc.wait_until_told("confirmed")
    title = pc.terminal.name.replace("terminal", "Racing seat")

    def is_on_offer() -> bool:
        found = world.api("GET", "/api/v1/offerings")["offerings"]
        return title in {each["title"] for each in found}

    world.wait_for(f"{title} to be on offer", is_on_offer)
    is_one_terminal(pc)
    is_served_once(pc)


def is_one_terminal(pc: Pc) -> None:
    """See that both sides know it by one epoch, for which one code was spent."""
    (known,) = pc.rows("terminals")
    identity = pc.journal("identity")
    assert identity is not None
    assert identity["epoch"] == known["epoch"]
    (code,) = pc.rows("enrolment_codes")
    assert (code["spent_at"], code["public_key"]) == (known["enrolled_at"], known["public_key"])
    query = "SELECT act FROM audit WHERE subject = ? AND act LIKE 'terminal.enrolled%'"
    acts = [row["act"] for row in pc.store.world.books(query, pc.name())]
    assert acts == ["terminal.enrolled"]


def is_served_once(pc: Pc) -> None:
    """See that both sides have the same profile, and that no device number was given in vain."""
    (known,) = pc.rows("terminals")
    assert (known["standing"], known["broker_role"]) == ("confirmed", "service")
    problems = [row["kind"] for row in pc.rows("problems") if row["solved_at"] is None]
    assert not problems, problems
    (profile,) = pc.rows("profiles")
    stored = pc.journal("profile")
    assert stored is not None
    assert stored["body"] == profile["body"]
    (device,) = json.loads(profile["body"])["devices"]
    (row,) = pc.rows("devices")
    assert (device["device"], device["number"]) == (row["device_id"], row["number"])
    numbers = [row["number"] for row in pc.store.world.books("SELECT number FROM devices")]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
