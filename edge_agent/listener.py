"""MQTT in: a table from message type to flow; a closed gate takes nothing but the standing (A4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import structlog

from common.codec import Envelope, read
from common.errors import MessageIsMalformed, RusubanError, StorageIsFull
from common.messages.base import Message
from common.messages.devices import DeviceAround, DeviceMessage, DevicesDesired
from common.messages.extensions import ExtensionOffer
from common.messages.help import HelpThere, HelpTold
from common.messages.modules import ModulesDesired, ModulesOffered
from common.messages.registration import Acknowledged, KeysTold, StandingTold, Welcome
from common.messages.rights import (
    FROM_THE_SERVER,
    Aborted,
    Announced,
    Completed,
    HoldTickets,
    Refused,
    ReleaseTicket,
    Right,
    TakeScan,
    Troubled,
)
from common.messages.service import ProfileDevice, ServiceProfile, ServiceRefused
from common.messages.sessions import CustomerTold, Desired, StopSession
from common.mqtt import Delivery
from common.rules.problems import ProblemKind
from common.rules.registration import Standing
from common.rules.rights import RightKind, class_in, kind_in
from common.topics import CONTROLLER_STATE, Channel, address_of
from edge_agent.flows import (
    enrolment,
    help as calls,
    modules,
    registration,
    rights,
    service,
    sessions,
)
from edge_agent.gate import Gate
from edge_agent.ports import Identity, Journal, Transaction

ON_CHANNEL: Final[Mapping[Channel, tuple[type[Message], ...]]] = {
    Channel.REGISTRATION: (StandingTold,),
    Channel.WELCOME: (Welcome,),
    Channel.ACKS: (Acknowledged,),
    Channel.REPLIES: (
        *(ServiceProfile, ServiceRefused, ExtensionOffer, DeviceAround, ModulesOffered),
        *FROM_THE_SERVER,
    ),
    Channel.DESIRED: (Desired, KeysTold, DevicesDesired, ModulesDesired, HelpThere, HelpTold),
    Channel.COMMANDS: (
        *(StopSession, HoldTickets, ReleaseTicket, TakeScan),
        *(CustomerTold, DeviceMessage),
    ),
}
"""What may come on each channel; anything else is dropped."""


ABOUT_MODULES: Final = frozenset({RightKind.MODULE, RightKind.RUN, RightKind.UNINSTALL})
"""Kinds of right whose exchanges the packages of this terminal wait for."""

WELCOME_WITHIN_SECONDS: Final = 5.0
"""After our hello: the time in a later welcome is not close enough to open a window by."""


class NotTaken(RusubanError):
    """A message is not taken, {why}: {detail}."""


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """Whom the listener tells that something has changed; each does its part after the commit.

    Attributes:
        on_standing: where we stand was told.
        on_profile: a profile was taken; with it come the devices that are no longer ours.
        on_free: an exchange is over; the next one of its class may begin.
        on_sessions: what should run may have changed.
        on_acknowledged: the controller has our events up to this number.
        on_quarantined: our journal is a copy, or has one.
        on_scan: a reader elsewhere has read a ticket for a device of ours.
        on_told: the controller has word for a customer here.
        on_devices: an operator wants something of our devices.
        on_strange_keys: the controller's keys were told, and none that we know has signed that.
        on_offer: by how much a session could be extended was answered.
        on_extensions: a wish for more time may have got further, or been granted elsewhere.
        on_modules: what is on offer or wished of packages, or a right about one, has changed.
        on_help: who can be written with, or what was written, has changed.
        on_around: what stands around a device was answered.
    """

    on_standing: Callable[[], object]
    on_profile: Callable[[ServiceProfile, Sequence[ProfileDevice]], None]
    on_free: Callable[[str], None]
    on_sessions: Callable[[], None]
    on_acknowledged: Callable[[int], object]
    on_quarantined: Callable[[], None]
    on_scan: Callable[[TakeScan], None]
    on_told: Callable[[CustomerTold | DeviceMessage], None]
    on_devices: Callable[[DevicesDesired], None]
    on_strange_keys: Callable[[], None]
    on_offer: Callable[[ExtensionOffer], None]
    on_extensions: Callable[[], None]
    on_modules: Callable[[], object]
    on_help: Callable[[], object]
    on_around: Callable[[DeviceAround], None]


class OwnQuestions(Protocol):
    """What we have asked lately, by the `corr` that an answer carries."""

    def answers_us(self, corr: str) -> bool:
        """Say of a word on our standing, once, whether it answers the last time that we asked."""
        ...

    def greeted_seconds_ago(self, corr: str) -> float | None:
        """Return how long ago we said the hello that this answers, or None: it answers another."""
        ...


class Listener:
    """Takes what the broker delivers; acknowledges it when it is in the journal or not for it."""

    def __init__(
        self,
        who: Identity,
        journal: Journal,
        gate: Gate,
        *,
        hearing: Hearing,
        acknowledge: Callable[[Delivery], None],
        questions: OwnQuestions,
    ) -> None:
        """Take the parts it speaks to.

        Args:
            who: whose words are heard.
            journal: where they go.
            gate: says which channels it may hear now.
            hearing: whom it tells of what has changed.
            acknowledge: tells the broker that a delivery is safe.
            questions: says which of our own questions a word answers.
        """
        self.dropped: Counter[str] = Counter()
        self._who, self._journal, self._gate = who, journal, gate
        self._hearing = hearing
        self._acknowledge = acknowledge
        self._questions = questions
        self._tells_too_early = True
        self._log = structlog.get_logger("listener")
        self._hears: Mapping[type[Message], Callable[[Any], None]] = {
            ServiceProfile: self._hear_profile,
            ServiceRefused: self._hear_service_refused,
            Acknowledged: self._hear_acknowledged,
            Announced: self._hear_announced,
            Right: self._hear_right,
            Refused: self._hear_refused,
            **dict.fromkeys((Completed, Aborted), self._hear_completed),
            Troubled: self._hear_trouble,
            StopSession: self._hear_stop,
            Desired: self._hear_desired,
            KeysTold: self._hear_keys,
            HoldTickets: self._hear_hold,
            ReleaseTicket: self._hear_release,
            ExtensionOffer: hearing.on_offer,
            DeviceAround: hearing.on_around,
            TakeScan: hearing.on_scan,
            **dict.fromkeys((CustomerTold, DeviceMessage), hearing.on_told),
            DevicesDesired: hearing.on_devices,
            ModulesOffered: self._hear_modules,
            ModulesDesired: self._hear_wishes,
            **dict.fromkeys((HelpThere, HelpTold), self._hear_help),
        }

    @property
    def gate_is_open(self) -> bool:
        """Say whether anything of service is taken."""
        return self._gate.is_open

    def on_connected(self) -> None:
        """Begin a connection: with the gate shut nothing of service has any business in it."""
        self._tells_too_early = self._gate.is_shut

    def take(self, delivery: Delivery) -> None:
        """Read one delivery and hand it to its flow; what fails is asked for or said again."""
        if delivery.topic != CONTROLLER_STATE:
            try:
                self._hear(self._envelope_in(delivery))
            except NotTaken as refusal:
                self.dropped[str(refusal.facts["why"])] += 1
                self._log.warning("message dropped", **refusal.facts)
            except Exception:  # noqa: BLE001 - unacknowledged, it would stop all that come behind it
                self.dropped["failed"] += 1
                self._log.exception("a message failed", topic=delivery.topic)
        self._acknowledge(delivery)
        if self._gate.is_open:  # what is under way when it closes is nobody's fault
            self._tells_too_early = False

    def _hear(self, envelope: Envelope) -> None:
        """Hand a message to its flow; of some it matters whether we have asked, and when."""
        message = envelope.message
        if isinstance(message, StandingTold):
            self._hear_standing(message, is_answer=self._questions.answers_us(envelope.corr))
        elif isinstance(message, Welcome):
            self._hear_welcome(message, self._questions.greeted_seconds_ago(envelope.corr))
        else:
            self._hears[type(message)](message)

    def _envelope_in(self, delivery: Delivery) -> Envelope:
        """Return a delivery's message in its envelope; what the gate keeps out is not even read.

        Raises:
            NotTaken: it is none of ours, cannot be read, or the gate is closed to it.
        """
        address = address_of(delivery.topic)
        if address is None or address.terminal != self._who.terminal:
            raise NotTaken(why="unknown_topic", detail=delivery.topic)
        if not self._gate.lets(address.channel):
            self._note_too_early(address.channel)
            raise NotTaken(why="gate_is_closed", detail=address.channel.value)
        if delivery.retain:
            raise NotTaken(why="retained", detail=address.channel.value)
        try:
            envelope = read(delivery.payload)
        except MessageIsMalformed as fault:
            raise NotTaken(why="malformed", detail=str(fault)) from fault
        if not isinstance(envelope.message, ON_CHANNEL.get(address.channel, ())):
            raise NotTaken(why="wrong_channel", detail=envelope.message.type)
        return envelope

    def _note_too_early(self, channel: Channel) -> None:
        """Have an operator look at who sends service through a closed gate, once a connection."""
        if self._tells_too_early:
            self._tells_too_early = False
            with suppress(StorageIsFull):  # the message is kept out all the same
                self._journal.transact(_tell_too_early, channel)

    def _hear_standing(self, told: StandingTold, *, is_answer: bool) -> None:
        take = partial(registration.take_standing, is_answer=is_answer)
        refusal = self._journal.transact(take, self._who, told)
        if refusal is None and told.standing != Standing.CONFIRMED:
            self._journal.transact(rights.release_all)
        if refusal is not registration.NotHeard.ANOTHER_EPOCH:
            self._hearing.on_standing()
        if refusal is not None:
            raise NotTaken(why=refusal.value, detail=f"{told.standing}, revision {told.revision}")

    def _hear_profile(self, told: ServiceProfile) -> None:
        gone = self._journal.transact(service.take_profile, told)
        if gone is None:
            raise NotTaken(why="another_specification", detail=told.type)
        self._hearing.on_profile(told, gone)

    def _hear_service_refused(self, told: ServiceRefused) -> None:
        self._journal.transact(service.take_refusal, told)
        self._hearing.on_standing()

    def _hear_welcome(self, told: Welcome, greeted_seconds_ago: float | None) -> None:
        """Take in what the controller has of us; what time it says counts only fresh.

        A welcome may have waited at the broker for an hour, and says what time it was then.
        """
        if told.epoch != self._who.epoch:
            return
        if greeted_seconds_ago is not None and greeted_seconds_ago <= WELCOME_WITHIN_SECONDS:
            self._journal.transact(rights.take_time, told.server_at)
        self._note_acknowledged(told.acknowledged_up_to)

    def _hear_acknowledged(self, told: Acknowledged) -> None:
        if told.epoch == self._who.epoch:
            self._note_acknowledged(told.up_to)

    def _hear_modules(self, told: ModulesOffered) -> None:
        if not self._journal.transact(modules.take_offered, self._who, told):
            raise NotTaken(why="not_our_offer", detail=told.type)
        self._hearing.on_modules()

    def _hear_wishes(self, told: ModulesDesired) -> None:
        self._journal.transact(modules.take_desired, told)
        self._hearing.on_modules()

    def _hear_help(self, told: HelpThere | HelpTold) -> None:
        if isinstance(told, HelpThere):
            self._journal.transact(calls.take_there, told)
        else:
            self._journal.transact(calls.take_told, told)
        self._hearing.on_help()

    def _hear_announced(self, told: Announced) -> None:
        self._journal.transact(rights.take_announced, self._who, told)

    def _hear_right(self, told: Right) -> None:
        right = self._journal.transact(rights.right_in, self._who, told)
        if right is None:
            raise NotTaken(why="not_our_right", detail=told.comm_id)
        if self._journal.transact(rights.take_right, self._who, told, right):
            self._hearing.on_sessions()
        self._look_again(class_in(told.comm_id))

    def _hear_refused(self, told: Refused) -> None:
        self._journal.transact(rights.take_refused, self._who, told)
        self._look_again(class_in(told.comm_id))

    def _hear_completed(self, told: Completed | Aborted) -> None:
        kind = self._journal.transact(rights.take_closed, self._who, told)
        if kind is not None:
            self._hearing.on_free(kind)
            self._look_again(kind)

    def _look_again(self, kind: str | None) -> None:
        """Go on with what an exchange was about, where somebody waits for that."""
        about = kind_in(kind) if kind is not None else None
        if about is RightKind.EXTENSION:
            self._hearing.on_extensions()
        elif about in ABOUT_MODULES:
            self._hearing.on_modules()

    def _hear_trouble(self, told: Troubled) -> None:
        self._log.warning("exchange in trouble", trouble=told.trouble, comm_id=told.comm_id)
        if self._journal.transact(rights.take_trouble, self._who, told):
            self._hearing.on_quarantined()

    def _hear_hold(self, told: HoldTickets) -> None:
        self._journal.transact(rights.hold, self._who, told.device)

    def _hear_release(self, told: ReleaseTicket) -> None:
        self._journal.transact(rights.release, told)

    def _hear_stop(self, told: StopSession) -> None:
        self._journal.transact(sessions.take_stop, told)
        self._hearing.on_sessions()

    def _hear_desired(self, told: Desired) -> None:
        self._journal.transact(sessions.take_desired, told)
        self._hearing.on_sessions()
        self._hearing.on_extensions()

    def _hear_keys(self, told: KeysTold) -> None:
        refusal = self._journal.transact(enrolment.take_keys, told)
        if refusal is enrolment.KeysNotHeard.STRANGE:
            self._hearing.on_strange_keys()
        if refusal is not None:
            raise NotTaken(why=refusal.value, detail=told.type)

    def _note_acknowledged(self, up_to: int) -> None:
        if not self._journal.transact(registration.take_acknowledged, up_to):
            raise NotTaken(why="never_said", detail=str(up_to))
        self._hearing.on_acknowledged(up_to)


def _tell_too_early(journal: Transaction, channel: Channel) -> None:
    kind, about = ProblemKind.SERVICE_TOO_EARLY, str(journal.now)
    registration.tell_problem(journal, kind, about, f"on {channel}, before it was confirmed")
