"""mosquitto as our child: it never outlives us, comes back when it dies, knows whom we know."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import socket
import threading
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cloud_controller.broker.security import BrokerAccount, security_document
from cloud_controller.settings import EVERY_NETWORK
from common.errors import CannotStart, RusubanError
from common.files import replace
from common.rules.enrolment import Ladder

START_SECONDS = 10.0
"""mosquitto listens after some 10 ms; with a large session store on a slow disk after seconds."""

START_LOOKS_SECONDS = 0.005
"""How often we look whether it listens yet."""

STOP_SECONDS = 5.0
"""It saves its sessions when asked to end; then it is killed."""

PAUSE_SECONDS_MIN = 0.1
PAUSE_SECONDS_MAX = 5.0
"""The wait before it is started again doubles from the one to the other."""

STABLE_SECONDS = 60.0
"""A child that lived this long starts the waits over."""

LOG_BYTES_MAX = 1_000_000
"""Size at which the log is set aside as `mosquitto.log.1`, replacing the one before."""

LOG_CHUNK_BYTES = 16_384

PACKET_BYTES_MAX = 65_536 + 8_192
"""A payload of 64 KiB with its topic and properties."""

QUEUED_MESSAGES_MAX = 100_000
QUEUED_BYTES_MAX = 67_108_864
"""What waits for one who is away; above mosquitto's 1 000 the newest are lost without a word."""

IN_FLIGHT_MAX = 1_000
"""QoS 1 messages on their way to or from one client; mosquitto's own 20 makes bursts wait."""

KEEPALIVE_SECONDS_MAX = 120

SESSION_DAYS_MAX = 14
"""A terminal that stays away for longer has its queue forgotten."""

SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
"""Where mosquitto is installed; a user's PATH may lack them."""

PLUGIN_NAME = "mosquitto_dynamic_security.so"
PLUGIN_PLACES = tuple(
    f"{folder}/{PLUGIN_NAME}"
    for folder in ("usr/lib/*-linux-*", "usr/lib", "usr/lib64", "usr/local/lib")
)

_MANAGERS_WORDS = frozenset({"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"})
"""What the service manager tells us and not our child, which would answer for us."""


class BrokerIsMissing(CannotStart):
    """{program} is not there: install the Debian packages mosquitto and util-linux."""


class BrokerPortIsTaken(CannotStart):
    """Port {port} on {host} is in use: end the program that holds it or give the broker another."""


class BrokerIsAnothers(CannotStart):
    """Another controller runs on {folder}: of two, each would know half of what was decided."""


class BrokerDoesNotStart(CannotStart):
    """The broker does not start: {why}."""


class BrokerEnded(RusubanError):
    """The broker ended with code {code} and is started again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerFiles:
    """What the broker proves itself with, and whom it believes; PEM, each replaced whole."""

    certificate: Path
    key: Path
    authority: Path
    """Only whom it has certified may speak, from `Ladder.CERTIFICATE` on."""
    revoked: Path
    """And of them nobody on this list, which must be there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerSettings:
    """Where the embedded broker lives."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 0
    """0: any free one, kept for as long as this controller runs."""
    ladder: Ladder = Ladder.LOOPBACK
    tls: BrokerFiles | None = None
    """Needed from `Ladder.PASSWORD` on."""
    program: str = "mosquitto"
    saves_each_change: bool = False
    """False: up to a second of what the broker acknowledged is lost by a kill, for the outboxes to
    send again, at some 8 000 messages a second; True: nothing is, at some 1 000."""


class EmbeddedBroker:
    """One mosquitto process at a time, on one port.

    `start` it, run `keep` as a task beside everything else, `stop` it last.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        accounts: Callable[[], Awaitable[Sequence[BrokerAccount]]],
        report: Callable[[str, BaseException], None],
    ) -> None:
        assert (settings.ladder is Ladder.LOOPBACK) == (settings.tls is None)
        self.host = settings.host
        self.port = settings.port
        self.restarts = 0
        self._ladder = settings.ladder
        self._tls = settings.tls
        self._folder = settings.folder
        self._program = settings.program
        self._saves_each_change = settings.saves_each_change
        self._accounts = accounts
        self._report = report
        self._child: Process | None = None
        self._lock: IO[bytes] | None = None
        self._launching = asyncio.Lock()
        self._is_stopping = False
        self._is_reloading = False
        self._is_up = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process id of the child, None before the first start."""
        return None if self._child is None else self._child.pid

    @property
    def own_host(self) -> str:
        """Where we ourselves reach it, under a name its certificate must have."""
        return "127.0.0.1" if self.host in EVERY_NETWORK else self.host

    async def start(self) -> None:
        """Start mosquitto and return when it listens.

        Raises:
            BrokerIsMissing: a program or the plugin is not installed.
            BrokerPortIsTaken: another program listens there.
            BrokerIsAnothers: another controller has the folder.
            BrokerDoesNotStart: mosquitto says why, or its folder cannot be written.
        """
        self.port = _free_port(self.host, self.port)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(self._folder)
            async with self._launching:
                await self._launch()
        except OSError as fault:
            raise BrokerDoesNotStart(why=f"{self._folder}: {fault.strerror}") from fault
        finally:
            if not self._is_up.is_set():
                self._unlock()

    async def keep(self) -> None:
        """Start mosquitto again whenever it ends, until `stop`."""
        loop, pause_seconds = asyncio.get_running_loop(), PAUSE_SECONDS_MIN
        while True:
            started_at = loop.time()
            code = await self._outlive()
            if self._is_stopping:
                return
            if self._is_reloading:
                self._is_reloading = False
                await self._launch_again()
                continue
            self.restarts += 1
            self._report("broker", BrokerEnded(code=code))
            if loop.time() - started_at >= STABLE_SECONDS:
                pause_seconds = PAUSE_SECONDS_MIN
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, PAUSE_SECONDS_MAX)
            await self._launch_again()

    async def reload(self) -> None:
        """Have mosquitto read its certificates anew: it is started again, and all come back.

        On SIGHUP it would read them and keep everybody, but Debian's 2.0.11 was seen to die of it
        some time later, as it does of sessions listed twice (eclipse-mosquitto, request 3341).
        Returns when it listens again; `keep` starts it.
        """
        async with self._launching:
            if self._child is None or self._child.returncode is not None:
                return  # whoever starts it has it read what is there by then
            self._is_reloading = True
            self._is_up.clear()
            self._child.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS + START_SECONDS):
                await self._is_up.wait()

    async def stop(self) -> None:
        """End mosquitto, its sessions saved."""
        self._is_stopping = True
        self._is_up.set()
        child = self._child
        if child is not None and child.returncode is None:
            await _end(child)
        self._unlock()

    def _unlock(self) -> None:
        """Let another controller have the folder."""
        if self._lock is not None:
            self._lock.close()

    async def _launch(self) -> None:
        # The kernel's signal on a parent's death is bound to the thread that forked.
        assert threading.current_thread() is threading.main_thread()
        settings_file = self._folder / "mosquitto.conf"
        settings_file.write_text(self._settings_text(), "utf-8")
        replace(self._security_file, security_document(await self._accounts()))
        if self._is_stopping:
            return
        self._child = await asyncio.create_subprocess_exec(
            *(_found("setpriv"), "--pdeathsig", "KILL"),
            *(_found(self._program), "-c", settings_file),
            stdin=DEVNULL,
            env={name: value for name, value in os.environ.items() if name not in _MANAGERS_WORDS},
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,  # Ctrl-C is for the controller, which ends the broker last
        )
        await self._until_it_listens(self._child)
        self._is_up.set()

    async def _launch_again(self) -> None:
        try:
            async with self._launching:
                await self._launch()
        except Exception as fault:  # noqa: BLE001 - whatever it is, the next attempt may succeed
            self._report("broker", fault)

    async def _until_it_listens(self, child: Process) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                while child.returncode is None and not _listens(self.host, self.port):  # noqa: ASYNC110 - a port calls nobody
                    await asyncio.sleep(START_LOOKS_SECONDS)
        except TimeoutError:
            child.kill()
            await child.wait()
        if child.returncode is not None:
            assert child.stdout is not None
            said = (await child.stdout.read(LOG_CHUNK_BYTES)).decode(errors="replace")
            raise BrokerDoesNotStart(why=" / ".join(said.split("\n")).strip(" /") or "no answer")

    async def _outlive(self) -> int:
        """Keep the child's log for as long as it speaks; return its exit code."""
        assert self._child is not None
        assert self._child.stdout is not None
        while chunk := await self._child.stdout.read(LOG_CHUNK_BYTES):
            _append(self._folder / "mosquitto.log", chunk)
        return await self._child.wait()

    @property
    def _security_file(self) -> Path:
        return self._folder / "dynamic-security.json"

    def _settings_text(self) -> str:
        """Return mosquitto.conf; its defaults lose messages on a kill and delay each by 44 ms."""
        lines = (
            f"listener {self.port} {self.host}",
            "allow_anonymous false",
            f"plugin {_plugin()}",
            f"plugin_opt_config_file {self._security_file}",
            *self._tls_lines(),
            "set_tcp_nodelay true",
            "persistence true",
            f"persistence_location {self._folder}/",
            f"autosave_on_changes {str(self._saves_each_change).lower()}",
            "autosave_interval 1",
            f"max_queued_messages {QUEUED_MESSAGES_MAX}",
            f"max_queued_bytes {QUEUED_BYTES_MAX}",
            f"max_inflight_messages {IN_FLIGHT_MAX}",
            f"max_packet_size {PACKET_BYTES_MAX}",
            f"max_keepalive {KEEPALIVE_SECONDS_MAX}",
            f"persistent_client_expiration {SESSION_DAYS_MAX}d",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "log_type notice",
            "connection_messages false",
            *(["user root"] if os.geteuid() == 0 else []),  # else it drops to a user without rights
        )
        return "\n".join(lines) + "\n"

    def _tls_lines(self) -> Iterator[str]:
        """Yield what the listener asks for; on the highest step the certificate is the account."""
        if self._tls is None:
            return
        yield "tls_version tlsv1.3"
        yield f"certfile {self._tls.certificate}"
        yield f"keyfile {self._tls.key}"
        if self._ladder is Ladder.CERTIFICATE:
            yield f"cafile {self._tls.authority}"
            yield f"crlfile {self._tls.revoked}"
            yield "require_certificate true"
            yield "use_identity_as_username true"
            yield "use_username_as_clientid true"


async def _end(child: Process) -> None:
    child.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


def _locked(folder: Path) -> IO[bytes]:
    """Return what keeps another controller out for as long as it is open; a kill closes it too."""
    lock = (folder / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise BrokerIsAnothers(folder=folder) from None
    return lock


def _found(program: str) -> str:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS))
    found = shutil.which(program, path=path)
    if found is None:
        raise BrokerIsMissing(program=program)
    return found


def _plugin() -> Path:
    """Return the dynamic security plugin; Debian keeps it in the folder of the architecture."""
    candidates = (file for folder in PLUGIN_PLACES for file in Path("/").glob(folder))
    found = next((file for file in candidates if file.is_file()), None)
    if found is None:
        raise BrokerIsMissing(program=PLUGIN_NAME)
    return found


def _free_port(host: str, port: int) -> int:
    """Return this port, or any free one for 0; a port in use is refused before we start."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise BrokerPortIsTaken(host=host, port=port) from None
        chosen: int = probe.getsockname()[1]
        return chosen


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(START_LOOKS_SECONDS)
        return probe.connect_ex((host, port)) == 0


def _append(log: Path, chunk: bytes) -> None:
    with log.open("ab") as file:
        file.write(chunk)
        is_full = file.tell() > LOG_BYTES_MAX
    if is_full:
        log.replace(log.with_suffix(".log.1"))
