"""The agent's composition root and its commands: the only place that knows everything."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import structlog
import typer

from common.errors import CannotStart, RusubanError
from common.logs import set_up_logs
from common.messages.registration import DeviceFound, ServiceProfile, Specification
from common.mqtt import (
    Delivery,
    Link,
    LinkCallbacks,
    LinkSettings,
    LossReason,
    RetrySettings,
    Will,
)
from common.rules.tickets import DenialReason
from common.system import SystemClock, SystemNames
from common.topics import terminal_subscriptions
from common.watchdog import Notifier, keep_watch
from common.words import words_for
from edge_agent.courier import Courier
from edge_agent.enrolment import enrol as ask_to_enrol, kept_public_key
from edge_agent.flows import offerings, registration, rights
from edge_agent.inventory import specification
from edge_agent.journal import SqliteJournal
from edge_agent.listener import Hearing, Listener
from edge_agent.ports import Identity, Verdict
from edge_agent.reconciler import Reconciler
from edge_agent.runner.beside import RunnerBeside, seen
from edge_agent.runner.catalogue import read_catalogue
from edge_agent.runner.link import RunnerLink, RunnerStarter
from edge_agent.runner.main import run as run_runner
from edge_agent.runner.settings import RunnerSettings
from edge_agent.runner.wire import EventKind, RunnerEvent
from edge_agent.scanners.hygiene import NotATicket, hygiene
from edge_agent.scanners.image import ImageFolder
from edge_agent.scanners.read_ticket import load_keys, read_tickets
from edge_agent.scanners.reading import Reading, Scanner
from edge_agent.settings import AgentSettings
from edge_agent.timers import Timers

EXIT_CANNOT_START: Final = 2
"""The exit code that says: read the sentence, put it right, start again."""

BOOT_ID_FILE: Final = Path("/proc/sys/kernel/random/boot_id")

SettingsFile = Annotated[Path, typer.Option("--settings", help="The agent's TOML file.")]

command_line = typer.Typer(
    help="Rusuban's edge agent: reads tickets and runs the devices of one store PC.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@command_line.command()
def run(settings: SettingsFile) -> None:
    """Run the agent until it is told to stop."""
    _leave(lambda: asyncio.run(_run(_load(settings), settings)))


@command_line.command()
def runner(settings: SettingsFile) -> None:
    """Run the runner, which holds the programs and their deadlines."""

    def go() -> int:
        notifier = Notifier.from_environ(os.environ)
        return run_runner(
            _runner_settings(_load(settings)), clock=SystemClock(), on_ready=notifier.ready
        )

    _leave(go)


@command_line.command()
def enrol(
    settings: SettingsFile,
    url: Annotated[str, typer.Option(prompt="Controller's address")],
    code: Annotated[str, typer.Option(prompt="Enrolment code")],
) -> None:
    """Give this terminal its identity, with the one-time code that the operator made."""

    def go() -> int:
        loaded = _load(settings)
        names = SystemNames()
        public_key = kept_public_key(loaded.state_folder, names.secret_bytes)
        answer = ask_to_enrol(url, code, public_key, os.uname().nodename)
        journal = _open_journal(loaded, SystemClock(), names)
        journal.transact(registration.keep_identity, answer)
        journal.close()
        typer.echo(f"Enrolled as {answer['terminal']} of store {answer['store']}.")
        typer.echo("Start the agent now; an operator may have to confirm it.")
        return 0

    _leave(go)


@command_line.command(name="read-ticket")
def read_ticket(
    files: Annotated[list[Path], typer.Argument(help="Pictures of codes.")],
    keys: Annotated[
        Path | None, typer.Option(help="Public keys as JSON, to check signatures too.")
    ] = None,
) -> None:
    """Read the ticket in each picture and print one JSON line a file."""

    def go() -> int:
        known = load_keys(keys) if keys is not None else None
        return read_tickets(files, known, typer.echo, SystemClock().steady_seconds)

    _leave(go)


def _leave(go: Callable[[], int]) -> None:
    """Leave with an exit code; what stops a start is one sentence, never a traceback."""
    try:
        code = go()
    except RusubanError as fault:
        sys.stderr.write(f"{fault}\n")
        code = EXIT_CANNOT_START
    raise typer.Exit(code)


def _load(file: Path) -> AgentSettings:
    settings = AgentSettings.load(file)
    set_up_logs(level=settings.log_level)
    return settings


async def _run(settings: AgentSettings, settings_file: Path) -> int:
    clock, names = SystemClock(), SystemNames()
    log = structlog.get_logger("agent")
    notifier = Notifier.from_environ(os.environ)
    catalogue = read_catalogue(settings.runner.catalogue)
    what = specification(
        [
            DeviceFound(key=device.key, title=device.title, program=device.program)
            for device in settings.devices
        ],
        {name: program.argv for name, program in catalogue.items()},
    )
    journal = _open_journal(settings, clock, names)
    who = journal.transact(registration.identity)
    if who is None:
        raise CannotStart(why="this terminal is not enrolled; run `edge-agent enrol` first")
    terminal = _Terminal(settings, settings_file, who, what, journal, clock, names)
    try:
        async with asyncio.TaskGroup() as tasks:
            stop = _until_told(tasks)
            for name, loop in terminal.loops().items():
                tasks.create_task(loop, name=name)
            tasks.create_task(keep_watch(notifier, terminal.is_alive), name="watchdog")
            await terminal.link.start()
            notifier.ready(f"terminal {who.terminal}")
            log.info("started", terminal=who.terminal, epoch=who.epoch)
            await stop.wait()
            notifier.stopping()
            terminal.withdraw()
            await terminal.link.stop()
            raise _Told
    except* _Told:
        log.info("stopped", terminal=who.terminal)
    finally:
        journal.close()
    return 0


class _Told(Exception):  # noqa: N818 - not an error: how the task group is ended
    """The agent was told to stop."""


class _Terminal:
    """The agent's parts, each given what it speaks to; nothing runs before `loops` are awaited."""

    def __init__(  # noqa: PLR0913, PLR0917 - a composition root takes everything
        self,
        settings: AgentSettings,
        settings_file: Path,
        who: Identity,
        what: Specification,
        journal: SqliteJournal,
        clock: SystemClock,
        names: SystemNames,
    ) -> None:
        self._who, self._what, self._journal, self._clock = who, what, journal, clock
        self._log = structlog.get_logger("agent")
        self._drafts: Mapping[str, Mapping[str, Any]] = {
            device.key: device.offering.model_dump()
            for device in settings.devices
            if device.offering is not None
        }
        self._profile: ServiceProfile | None = None
        self.courier = Courier(
            who, journal, what, publish=self._publish, clock=clock, names=names
        )
        self.listener = Listener(
            who,
            journal,
            what.gate_digest,
            hearing=Hearing(
                on_gate=self._on_gate,
                on_profile=self._on_profile,
                on_free=self._prepare,
                on_sessions=lambda: self.reconciler.nudge(),
                on_acknowledged=self.courier.acknowledged,
            ),
            acknowledge=lambda delivery: self.link.acknowledge(delivery),
        )
        self.link = _link(settings, who, self.courier.will(), self._callbacks(), names, self._log)
        starter = RunnerStarter(_runner_argv(settings_file))
        runner_link = RunnerLink(
            settings.runner.socket,
            on_event=self._on_runner_event,
            on_connected=lambda: self.reconciler.on_connected(),
            when_away=starter.start if settings.runner.is_started_by_agent else None,
        )
        self.reconciler = Reconciler(journal, RunnerBeside(runner_link))
        self.timers = Timers(journal, self.courier, clock)
        self._runner_link = runner_link
        self.scanners: list[Scanner] = [
            ImageFolder(
                scanner.folder,
                seconds=clock.steady_seconds,
                report=lambda what: self._log.warning("picture not read", why=str(what)),
            )
            for scanner in settings.scanners
        ]
        journal.on_said = self.courier.pump
        journal.on_asked = self._on_asked
        journal.on_shown = self._show
        self._set_gate(is_open=journal.transact(registration.is_open, what.gate_digest))
        self._profile = journal.transact(registration.profile, what.gate_digest)

    def loops(self) -> Mapping[str, Any]:
        """Return everything that runs beside each other, by name."""
        readers = {
            f"{verb} {scanner.name}": loop
            for scanner in self.scanners
            for verb, loop in (("watch", scanner.watch()), ("take", self._take_readings(scanner)))
        }
        return {
            "runner link": self._runner_link.run(),
            "reconciler": self.reconciler.run(),
            "timers": self.timers.run(),
            **readers,
        }

    def is_alive(self) -> bool:
        """Say whether the agent does its work: its loop turns, or nobody would ask."""
        return True

    def withdraw(self) -> None:
        """Take what we offer off the page: nobody will be here for a while."""
        if self._profile is not None:
            self._journal.transact(
                offerings.withdraw, self._profile.devices, self._drafts, "stopping"
            )

    def read(self, reading: Reading) -> None:
        """Take one reading of a scanner to the device it is for."""
        cleaned = hygiene(reading.text)
        if isinstance(cleaned, NotATicket):
            reason = DenialReason(cleaned.reason)
            self._journal.transact(rights.deny, reason, cleaned.why, reading.text)
            return
        device = self._device_for(cleaned.read.token.device_number)
        if device is None:
            self._journal.transact(
                rights.deny, DenialReason.NOT_REGISTERED, "the gate is closed", ""
            )
            return
        self._journal.transact(rights.scan, self._who, device, cleaned.text)

    async def _take_readings(self, scanner: Scanner) -> None:
        async for reading in scanner.readings():
            self.read(reading)

    def _device_for(self, number: int) -> str | None:
        """Return the device a ticket is for, or the first that is free: the controller says if it may."""
        if self._profile is None or not self._profile.devices or not self.courier.gate_is_open:
            return None
        for device in self._profile.devices:
            if device.number == number:
                return device.device
        return self._journal.transact(
            rights.first_ready, [device.device for device in self._profile.devices]
        )

    def _callbacks(self) -> LinkCallbacks:
        return LinkCallbacks(
            on_message=self._on_message,
            on_connected=self._on_connected,
            on_lost=self._on_lost,
        )

    def _on_message(self, delivery: Delivery) -> None:
        self.listener.take(delivery)

    def _on_connected(self, _session_present: bool) -> None:  # noqa: FBT001 - the link calls it so
        topics = terminal_subscriptions(
            self._who.terminal, gate_is_open=self.listener.gate_is_open
        )
        self.link.subscribe(topics)
        self.courier.on_connected()
        self._prepare_all()
        self.timers.nudge()
        self._log.info("connected", gate_is_open=self.listener.gate_is_open)

    def _on_lost(self, reason: LossReason) -> None:
        self.courier.on_lost()
        self._log.warning("connection lost", reason=reason.value)

    def _on_asked(self, asked: Any) -> None:  # noqa: ANN401 - a sequence of ports.Asked
        self.courier.post(asked)
        self.timers.nudge()

    def _on_gate(self, is_open: bool) -> None:  # noqa: FBT001 - the listener calls it so
        self._log.info("gate", is_open=is_open)
        self._set_gate(is_open=is_open)
        if is_open:
            self._on_connected(True)  # noqa: FBT003 - the connection is there; the role may still come
        else:
            self._profile = None

    def _set_gate(self, *, is_open: bool) -> None:
        self.listener.gate_is_open = is_open
        self.courier.gate_is_open = is_open

    def _on_profile(self, profile: ServiceProfile) -> None:
        self._profile = profile
        self._journal.transact(offerings.offer, profile, self._drafts)
        self._prepare_all()
        self._log.info("service profile taken", devices=len(profile.devices))

    def _prepare_all(self) -> None:
        if self._profile is not None:
            for device in self._profile.devices:
                self._prepare(device.device)

    def _prepare(self, device: str) -> None:
        if self.courier.gate_is_open:
            self._journal.transact(rights.prepare, self._who, device)

    def _on_runner_event(self, event: RunnerEvent) -> None:
        if event.kind is EventKind.WARNED:
            self.reconciler.on_warned(event.record.session, float(event.seconds_left or 0))
        else:
            self.reconciler.on_seen(seen(event.record))

    def _publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> Any:  # noqa: ANN401, FBT001 - a token or None
        return self.link.publish(topic, payload, qos, retain=retain)

    def _show(self, verdict: Verdict) -> None:
        """Tell the customer; until there is a screen, the log is where it shows."""
        if verdict.reason is None:
            self._log.info("verdict", scan=verdict.scan, device=verdict.device, opens=True)
            return
        words = words_for(verdict.reason, "en")
        self._log.info(
            "verdict",
            scan=verdict.scan,
            device=verdict.device,
            opens=False,
            reason=verdict.reason,
            what=words.what,
            next=words.next,
        )


def _open_journal(settings: AgentSettings, clock: SystemClock, names: SystemNames) -> SqliteJournal:
    boot_id = BOOT_ID_FILE.read_text("ascii").strip()
    return SqliteJournal(
        settings.state_folder / "journal.db", clock=clock, names=names, boot_id=boot_id
    )


def _link(  # noqa: PLR0913, PLR0917 - a composition root takes everything
    settings: AgentSettings,
    who: Identity,
    will: tuple[str, bytes],
    callbacks: LinkCallbacks,
    names: SystemNames,
    log: Any,  # noqa: ANN401 - a structlog logger
) -> Link:
    topic, payload = will
    return Link(
        LinkSettings(
            host=who.broker_host,
            port=who.broker_port,
            name=who.terminal,
            password=who.secret,
            will=Will(topic=topic, payload=payload),
            retry=RetrySettings(
                shortest_seconds=settings.retry.shortest_seconds,
                longest_seconds=settings.retry.longest_seconds,
                refused_seconds=settings.retry.refused_seconds,
            ),
        ),
        callbacks,
        random=names.fraction,
        report=lambda where, fault: log.error("a callback failed", where=where, exc_info=fault),
    )


def _runner_settings(settings: AgentSettings) -> RunnerSettings:
    part = settings.runner
    return RunnerSettings(
        socket=part.socket,
        state_folder=part.state_folder,
        catalogue=part.catalogue,
        warn_before_seconds=part.warn_before_seconds,
        allowed_uids=frozenset({os.getuid(), *map(_uid_of, part.allowed_users)}),
    )


def _uid_of(user: str) -> int:
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise CannotStart(why=f"there is no user {user} on this PC") from None


def _runner_argv(settings_file: Path) -> list[str]:
    program = Path(sys.argv[0]).absolute()
    return [sys.executable, str(program), "runner", "--settings", str(settings_file.absolute())]


def _until_told(_tasks: asyncio.TaskGroup) -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
