"""The terminal put together: every part of the agent, each given what it speaks to."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, Final

import structlog

from common.messages.offerings import OffReason
from common.messages.rights import Complete
from common.messages.scanners import ScannersCounted
from common.messages.service import ProfileDevice, ServiceProfile
from common.mqtt import Delivery, LossReason, Token
from common.rules.problems import ProblemKind
from common.topics import Channel, filters_for
from common.words import Here
from edge_agent.actions import Switches
from edge_agent.afterwards import Afterwards
from edge_agent.connection import Connection, Ends
from edge_agent.courier import Courier
from edge_agent.display.screen import Screen
from edge_agent.drafts import drafts_of
from edge_agent.enrolment import Credentials
from edge_agent.enrolment.trust import tls_to_pages
from edge_agent.entrance import Entrance, Surroundings
from edge_agent.extensions import Extensions
from edge_agent.flows import help as calls, registration
from edge_agent.gate import Gate
from edge_agent.heartbeats import Heartbeats
from edge_agent.inspector import Inspector
from edge_agent.listener import Hearing, Listener
from edge_agent.modules.installer import Installer
from edge_agent.modules.making import installer_of
from edge_agent.modules.needs import packages_of, starts_of
from edge_agent.modules.starts import Starts
from edge_agent.offers import Offers
from edge_agent.opened import Opened
from edge_agent.ports import Asked, Shown, Transaction, Verdict
from edge_agent.reconciler import Reconciler
from edge_agent.runner.beside import RunnerBeside, seen
from edge_agent.runner.link import RunnerLink, RunnerStarter
from edge_agent.runner.wire import EventKind, RunnerEvent
from edge_agent.scanners.counting import tell_counts
from edge_agent.scanners.making import scanners_of
from edge_agent.scanners.reading import Scanner, Viewfinder
from edge_agent.settings import AgentSettings
from edge_agent.timers import Timers
from edge_agent.turnover import begun

TAKEN_OVER_EACH_MS: Final = 3_600_000
"""An hour: how often an operator is told that another speaks under our name."""

SHUT_OUT: Final = (
    "ask the operator whether this terminal was retired; if it shall serve again, run "
    "`edge-agent enrol` with a new code"
)
"""What to do when the broker knows us no more."""

QUARANTINED: Final = (
    "this PC's disk is a copy, or has one; run `edge-agent enrol` with a new code on the right one"
)
"""What to do when the controller has proof that two disks speak under our name."""


class Terminal:
    """The agent's parts, each given what it speaks to; nothing runs before its loops do."""

    def __init__(
        self,
        settings: AgentSettings,
        runner_argv: Sequence[str],
        opened: Opened,
        scanners: Sequence[Scanner] | None = None,
    ) -> None:
        """Make the parts and join them.

        Args:
            settings: what the agent was told.
            runner_argv: how the runner is started, where the agent is to start it.
            opened: who and what this terminal is.
            scanners: where tickets are read; by default those of the settings.
        """
        self._settings, self._opened = settings, opened
        self._who, self._journal = opened.who, opened.journal
        self._log = structlog.get_logger("agent")
        self._is_shut_out = False
        self._afterwards, self._gate = Afterwards(), Gate(opened.journal)
        self._inspector = Inspector(opened.journal, opened.look, self._on_looked)
        self._offers = self._new_offers()
        self.viewfinder = Viewfinder()
        self._screen = Screen(settings, opened, self._offers, self.viewfinder, self._here)
        self._display = self._screen.display
        self._entrance = self._new_entrance(scanners)
        self._credentials = self._new_credentials()
        self.runner_link = self._new_runner_link(runner_argv)
        runner, warnings = RunnerBeside(self.runner_link), settings.runner.warn_before_seconds
        self.installer = self._new_installer()
        self.starts = self._new_starts()
        self.reconciler = Reconciler(opened.journal, runner, self.starts)
        self._heartbeats = Heartbeats(opened.journal, runner)
        self.turnovers = begun(settings, opened, runner, self._offers)
        self.courier = self._new_courier()
        self.extensions = Extensions(self._who, opened.journal, self.courier, warnings)
        self.packages, self.removals = packages_of(
            settings, opened, self.courier, self.installer, self._offers
        )
        self.switches = Switches(settings, opened, runner, lambda: self.courier.is_connected)
        self.timers = Timers(opened.journal, self.courier, self._entrance, opened.clock)
        self.listener = self._new_listener()
        self.connection = self._new_connection()
        self._hear_journal(opened)
        self._review()

    def loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return everything that runs beside each other, by name."""
        return {
            "runner link": self.runner_link.run(),
            "reconciler": self.reconciler.run(),
            "heartbeats": self._heartbeats.run(),
            "turnover": self.turnovers.run(),
            "timers": self.timers.run(),
            "switches": self.switches.run(),
            "installs": self.installer.run(),
            **self.packages.loops(),
            "removals": self.removals.run(),
            "starts": self.starts.run(),
            "inspector": self._inspector.run(),
            "credentials": self._credentials.run(),
            "new credentials": self.connection.run(),
            "extensions": self.extensions.run(),
            "telemetry": tell_counts(self._entrance.scanners, self._tell_counts),
            **self._entrance.loops(),
            **self._screen.loops(
                self.reconciler.nudge, self.extensions, self.turnovers.confirm, self.courier
            ),
        }

    def _hear_journal(self, opened: Opened) -> None:
        opened.journal.on_said = self._on_said
        opened.journal.on_asked = self._on_asked
        opened.journal.on_shown = self._on_shown

    def is_alive(self) -> bool:
        """Say that the agent does its work: all of it is done by the loop that asks."""
        return True

    async def say_goodbye(self) -> None:
        """Take what we offer off the page, since nobody will be here, and leave the broker."""
        self._offers.withdraw(OffReason.STOPPING)
        self._afterwards.wait_no_more()
        self.courier.leave()
        await self.connection.stop()

    def _review(self) -> None:
        """Take the role that goes with what the journal says now, and act accordingly (A4, A8)."""
        is_changed = self._gate.review()
        if is_changed:
            self._log.info("role", role=self._gate.role.value)
        self._offers.review()
        if is_changed and self.courier.is_connected:
            self._come()

    def _come(self) -> None:
        """Ask the broker for what our role may hear, and say what it may say."""
        self.connection.subscribe(filters_for(self._who.terminal, self._gate.role).subscribe)
        self.courier.come()
        self._offers.prepare_all()
        self.extensions.look()
        self.packages.on_connected()
        self._entrance.show_mode()
        self.timers.nudge()

    def _on_looked(self) -> None:
        """Go by what this PC is now; while the gate is closed, ask again where we stand."""
        self._gate.has_looked = True
        self._review()
        if not self._gate.is_open and self.courier.is_connected:
            self.courier.ask_standing()

    def _on_standing(self) -> None:
        self.courier.on_standing()
        self._review()

    def _on_acknowledged(self, up_to: int) -> None:
        """Go on telling; whoever only settles goes back to the gate when all is told."""
        self.courier.acknowledged(up_to)
        self._display.show_anew()
        if not self._gate.is_open:
            self._review()

    def _on_quarantined(self) -> None:
        """Serve nobody: our journal is a copy or has one, and only an operator can say which."""
        self._log.error("quarantined", next=QUARANTINED)
        self._offers.withdraw(OffReason.QUARANTINED)

    def _on_connected(self, _session_present: object) -> None:
        self._is_shut_out = False
        self._credentials.on_connected()
        self.listener.on_connected()
        self.courier.on_connected()
        self._journal.transact(calls.forget_there)
        self._come()
        self.courier.ask_standing()
        self._log.info("connected", role=self._gate.role.value)

    def _on_lost(self, reason: LossReason) -> None:
        self.courier.on_lost()
        self._entrance.show_mode()
        self._credentials.on_lost(reason)
        self._log.warning("connection lost", reason=reason.value)
        if reason is LossReason.NOT_AUTHORISED:
            self._on_shut_out()
        elif reason is LossReason.TAKEN_OVER:
            self._journal.transact(_tell_taken_over)

    def _on_shut_out(self) -> None:
        """Go back to the gate: who is not let in is not confirmed, whatever was told before."""
        if not self._is_shut_out:
            self._is_shut_out = True
            self._log.error("the broker does not let us in", next=SHUT_OUT)
        self._journal.transact(registration.doubt, "the broker does not let us in")
        self._review()

    def _on_said(self) -> None:
        self._display.show_anew()
        self._afterwards.do(self.turnovers.review)
        self._afterwards.do(self.courier.pump)
        self.timers.nudge()
        self.starts.nudge()
        self.switches.nudge()

    def _on_asked(self, asked: Sequence[Asked]) -> None:
        """Ask at once; only the word that a right is stored comes after the start it permits."""
        if all(isinstance(each.message, Complete) for each in asked):
            self._afterwards.do(partial(self.courier.post, asked))
        else:
            self.courier.post(asked)
        self.timers.nudge()

    def _on_shown(self, shown: Shown) -> None:
        """Tell a no at once; a yes shows itself by what it starts, and is told after that."""
        if isinstance(shown, Verdict) and shown.reason is None:
            self._afterwards.do(partial(self._entrance.show, shown))
        else:
            self._entrance.show(shown)

    def _on_runner_connected(self) -> None:
        self.reconciler.on_connected()
        self.turnovers.on_connected()

    def _on_runner_event(self, event: RunnerEvent) -> None:
        self._display.show_seen(seen(event.record), event.seconds_left)
        if event.kind is EventKind.WARNED:
            self.reconciler.on_warned(event.record.session, float(event.seconds_left or 0))
            self.extensions.on_warned(event.record.session, float(event.seconds_left or 0))
        else:
            self.reconciler.on_seen(seen(event.record))

    def _is_connected(self) -> bool:
        return self.courier.is_connected

    def _on_profile(self, profile: ServiceProfile, gone: Sequence[ProfileDevice]) -> None:
        self._offers.take(profile, gone)
        self._on_modules()

    def _on_modules(self) -> None:
        self.packages.nudge()
        self.removals.nudge()
        self.starts.on_installed()

    def _tell_counts(self, counted: ScannersCounted) -> None:
        self.courier.post([Asked(channel=Channel.TELEMETRY, message=counted)])

    def _acknowledge(self, delivery: Delivery) -> None:
        self.connection.acknowledge(delivery)

    def _publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Token | None:
        return self.connection.publish(topic, payload, qos, retain=retain)

    # --- how each part is made --------------------------------------------------------------------

    def _new_entrance(self, scanners: Sequence[Scanner] | None) -> Entrance:
        if scanners is None:
            folder, seconds = self._settings.state_folder, self._opened.clock.steady_seconds
            scanners = scanners_of(self._settings.scanners, folder, seconds, self.viewfinder)
        around = Surroundings(
            profile=lambda: self._offers.profile,
            line_is_up=lambda: self.courier.is_connected,
            report=lambda report: self.courier.post(
                [Asked(channel=Channel.REQUESTS, message=report)]
            ),
            take_code=lambda text: self.turnovers.take_code(text),  # noqa: PLW0108 - made later
            on_begun=lambda: self.reconciler.nudge(),  # noqa: PLW0108 - it is made later
            names=self._opened.names,
            clock=self._opened.clock,
        )
        return Entrance(self._who, self._journal, scanners, self._display, around)

    def _here(self) -> Here:
        """Return in which zone a customer of this store reads a clock, and what it shows."""
        profile = self._offers.profile
        zone = Here().time_zone if profile is None else profile.time_zone
        return Here(time_zone=zone, now=self._opened.clock.now_ms())

    def _new_offers(self) -> Offers:
        drafts = drafts_of(self._settings.devices, self._settings.state_folder / "pictures")
        return Offers(self._who, self._journal, self._gate, drafts)

    def _new_installer(self) -> Installer:
        clock, names, who = self._opened.clock, self._opened.names, self._who
        settings, journal = self._settings, self._journal
        return installer_of(settings, journal, who, tls_to_pages, clock=clock, names=names)

    def _new_credentials(self) -> Credentials:
        return Credentials(
            self._who,
            self._settings.state_folder,
            self._journal,
            clock=self._opened.clock,
            names=self._opened.names,
            on_renewed=lambda who: self.connection.renew(who),  # noqa: PLW0108 - it is made later
        )

    def _new_runner_link(self, argv: Sequence[str]) -> RunnerLink:
        starter = RunnerStarter(argv)
        return RunnerLink(
            self._settings.runner.socket,
            on_event=self._on_runner_event,
            on_connected=self._on_runner_connected,
            when_away=starter.start if self._settings.runner.is_started_by_agent else None,
        )

    def _new_starts(self) -> Starts:
        settings, opened, offers = self._settings, self._opened, self._offers
        made = starts_of(settings, opened, offers, self.installer, self._is_connected)
        made.on_ended = lambda: self.reconciler.nudge()  # noqa: PLW0108 - it is made later
        return made

    def _new_courier(self) -> Courier:
        return Courier(
            self._who,
            self._journal,
            self._gate,
            publish=self._publish,
            clock=self._opened.clock,
            names=self._opened.names,
        )

    def _new_listener(self) -> Listener:
        hearing = Hearing(
            on_standing=self._on_standing,
            on_profile=self._on_profile,
            on_free=self._offers.on_free,
            on_sessions=self.reconciler.nudge,
            on_acknowledged=self._on_acknowledged,
            on_quarantined=self._on_quarantined,
            on_scan=self._entrance.take_scan,
            on_told=self._entrance.note_told,
            on_devices=self.turnovers.take_desired,
            on_strange_keys=self._credentials.want,
            on_offer=self.extensions.take_offer,
            on_extensions=self.extensions.look,
            on_modules=self._on_modules,
            on_help=self._display.show_anew,
            on_around=self._screen.take_around,
        )
        return Listener(
            self._who,
            self._journal,
            self._gate,
            hearing=hearing,
            acknowledge=self._acknowledge,
            questions=self.courier,
        )

    def _new_connection(self) -> Connection:
        ends = Ends(
            will=self.courier.will,
            on_message=self.listener.take,
            on_connected=self._on_connected,
            on_lost=self._on_lost,
            on_left=self.courier.on_lost,
        )
        return Connection(self._who, self._settings, ends, self._opened.names.fraction)


def _tell_taken_over(journal: Transaction) -> None:
    kind, hour = ProblemKind.IDENTITY_TAKEN_OVER, journal.now // TAKEN_OVER_EACH_MS
    detail = "another connected to the broker under this terminal's name"
    registration.tell_problem(journal, kind, f"hour {hour}", detail)
