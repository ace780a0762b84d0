"""A terminal in the test's hand: real journal, flows and listener; no network and no runner."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from common.codec import Envelope, write
from common.ids import TerminalId
from common.messages.base import Message
from common.messages.devices import DeviceAround, DeviceMessage, DevicesDesired
from common.messages.extensions import ExtensionOffer
from common.messages.help import HelperThere, HelpThere, HelpTold
from common.messages.modules import DesiredModule, ModulesDesired, ModulesOffered
from common.messages.registration import Acknowledged, KeysTold, StandingTold, Welcome
from common.messages.rights import (
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
from common.messages.service import OfferingDraft, ProfileDevice, ServiceProfile, ServiceRefused
from common.messages.sessions import CustomerTold, Desired, SessionWarned, StopSession
from common.messages.specification import Specification
from common.mqtt import Delivery, Token
from common.rules.registration import Standing
from common.rules.sessions import EndReason, SessionState
from common.seals import verifying_key
from common.system import SystemClock, SystemNames
from common.topics import Address, Channel, topic_of
from edge_agent.flows import enrolment, registration, rights, service
from edge_agent.gate import Gate
from edge_agent.journal import SqliteJournal
from edge_agent.listener import Hearing, Listener
from edge_agent.ports import Asked, Clock, Identity, Names, ProgramSeen

ASKED = "m-asked"
"""The `corr` of a word that answers the terminal's last question where it stands."""


@cache
def _new_journal() -> bytes:
    """Return a journal with all its tables and nothing in them, made once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "journal.sqlite"
        SqliteJournal(file, clock=SystemClock(), names=SystemNames(), boot_id="").close()
        return file.read_bytes()


class TerminalInHand:
    """Hears what it is handed and keeps what it asks, says and shows."""

    def __init__(self, folder: Path, *, clock: Clock, names: Names, answer: Identity) -> None:
        self.asked: list[Asked] = []
        self.shown: list[Any] = []
        self.free: list[str] = []
        self.gone: list[str] = []
        self.quarantined: list[str] = []
        self.strange: list[str] = []
        self.taken: list[TakeScan] = []
        self.offers: list[ExtensionOffer] = []
        self.around: list[DeviceAround] = []
        self.wanted: list[DevicesDesired] = []
        self.modules: list[str] = []
        self._file = folder / "journal.sqlite"
        self._clock = clock
        self._names = names
        self.boot_id = "boot-1"
        if not self._file.exists():
            self._file.write_bytes(_new_journal())
        self.open()
        self.journal.transact(enrolment.keep_identity, answer)
        self._listen()

    def open(self) -> None:
        """Open the journal as a start of the agent does."""
        self.journal = SqliteJournal(
            self._file, clock=self._clock, names=self._names, boot_id=self.boot_id
        )
        self.journal._connection.execute("PRAGMA synchronous=OFF")
        self.journal.on_asked = self.asked.extend
        self.journal.on_shown = self.shown.append
        if self.do(enrolment.identity) is not None:
            self._listen()

    def restart(self, *, boot_id: str | None = None) -> None:
        """End the agent where it stands and start it again; with a boot id, the whole PC."""
        self.journal.close()
        self.asked.clear()
        self.boot_id = boot_id or self.boot_id
        self.open()

    def do(self, flow: Callable[..., Any], *args: Any) -> Any:
        """Call a flow over the open journal."""
        return self.journal.transact(flow, *args)

    def is_now(self, specification: Specification) -> list[Message]:
        """Look at this PC, and find it to be this; return what is asked about that."""
        self.asks()
        self.do(registration.take_look, specification)
        self.gate.review()
        return self.asks()

    @property
    def gate_digest(self) -> str:
        """Return the gate digest of what this terminal is by its own journal."""
        (row,) = self.rows("inventory")
        digest: str = row["gate_digest"]
        return digest

    def hear(
        self,
        message: Message,
        channel: Channel = Channel.REPLIES,
        tail: str = "",
        *,
        is_retained: bool = False,
        corr: str = "",
    ) -> None:
        """Take in a message through the listener, as bytes on a topic."""
        address = Address(terminal=self.who.terminal, channel=channel, tail=tail)
        envelope = Envelope(
            id="m", terminal=self.who.terminal, epoch="", sent_at=0, message=message, corr=corr
        )
        self.listener.take(a_delivery(topic_of(address), write(envelope), is_retained=is_retained))

    def hear_standing(
        self, standing: Standing, revision: int, *, corr: str = "", **told: Any
    ) -> None:
        """Hear where it stands: by default for what it is now, in its epoch."""
        facts = {"gate_digest": self.gate_digest, "epoch": self.who.epoch, **told}
        message = StandingTold(standing=standing, revision=revision, **facts)
        self.hear(message, Channel.REGISTRATION, corr=corr)

    def answers_us(self, corr: str) -> bool:
        """Say whether a word answers our question, as the test has marked it."""
        return corr == ASKED

    def greeted_seconds_ago(self, corr: str) -> float | None:
        """Return how long ago we said hello, as the test has marked it: just now."""
        return 0.0 if corr == ASKED else None

    def asks(self) -> list[Message]:
        """Return what has been asked since the last look."""
        asked = [each.message for each in self.asked]
        self.asked.clear()
        return asked

    def tells(self) -> list[tuple[int, str, str]]:
        """Return the events still in the outbox: number, type and body."""
        rows = self.do(lambda journal: journal.rows.unsent(after=0, most=10_000))
        return [(row["seq"], row["type"], row["body"]) for row in rows]

    def told_types(self) -> list[str]:
        return [kind for _, kind, _ in self.tells()]

    def a_scan(self, device: str, token: str, **facts: Any) -> rights.Scan:
        """Return a reading of a ticket at one of the devices of our profile."""
        profile = self.do(service.profile)
        devices = profile.devices if profile is not None else ()
        (found,) = [each for each in devices if each.device == device] or [
            a_device(device.removeprefix("d-"))
        ]
        told = {"name": self._names.new("x"), "store_number": 1, **facts}
        return rights.Scan(token=token, device=found, **told)

    def scan(self, device: str, token: str, *, line_is_up: bool = True, **facts: Any) -> None:
        """Hold a ticket to the scanner of a device."""
        scan = self.a_scan(device, token, **facts)
        self.do(partial(rights.scan, line_is_up=line_is_up), self.who, scan)

    def ask_again(self) -> list[Message]:
        """Return what every open exchange repeats from the journal."""
        self.asked.clear()
        self.do(rights.ask_again, self.who)
        return self.asks()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return what a table of the journal holds, to look behind the curtain."""
        query = f"SELECT * FROM {table} ORDER BY rowid"  # noqa: S608 - named by tests
        return [dict(row) for row in self.journal._connection.execute(query)]

    def everything(self) -> list[str]:
        """Return all that the journal holds, so that two moments can be compared."""
        return list(self.journal._connection.iterdump())

    def _listen(self) -> None:
        who = self.do(enrolment.identity)
        assert who is not None
        self.who: Identity = who
        self.gate = Gate(self.journal)
        self.gate.has_looked = True
        hearing = Hearing(
            on_standing=self.gate.review,
            on_profile=lambda _, gone: self.gone.extend(device.device for device in gone),
            on_free=self.free.append,
            on_sessions=lambda: None,
            on_acknowledged=lambda _up_to: self.gate.review(),
            on_quarantined=lambda: self.quarantined.append(self.who.terminal),
            on_scan=self.taken.append,
            on_told=partial(self.do, rights.show_notice),
            on_devices=self.wanted.append,
            on_strange_keys=lambda: self.strange.append(self.who.terminal),
            on_offer=self.offers.append,
            on_extensions=lambda: self.do(rights.look, self.who),
            on_modules=lambda: self.modules.append(self.who.terminal),
            on_help=lambda: None,
            on_around=self.around.append,
        )
        self.listener = Listener(
            who,
            self.journal,
            self.gate,
            hearing=hearing,
            acknowledge=lambda _: None,
            questions=self,
        )
        self.gate.review()
        self.listener.on_connected()


def a_delivery(topic: str, payload: bytes, *, is_retained: bool = False) -> Delivery:
    """Return what the link would hand over."""
    token = Token(connection=1, mid=1)
    return Delivery(topic=topic, payload=payload, qos=1, retain=is_retained, token=token)


def an_answer(
    public_keys: dict[int, str],
    *,
    terminal: str = "t-1",
    epoch: str = "e0",
    port: int = 1883,
    secret: str = "5e" * 32,
) -> Identity:
    """Return who a terminal is by the answer to its enrolment."""
    return Identity(
        terminal=TerminalId(terminal),
        store="shinjuku",
        epoch=epoch,
        secret=secret,
        broker_host="127.0.0.1",
        broker_port=port,
        keys={key: verifying_key(bytes.fromhex(raw)) for key, raw in public_keys.items()},
    )


def a_profile(*devices: ProfileDevice, gate_digest: str) -> ServiceProfile:
    return ServiceProfile(
        store="s",
        store_number=1,
        gate_digest=gate_digest,
        profile_digest="ab" * 32,
        devices=devices,
    )


def a_device(key: str, *, offering: OfferingDraft | None = None) -> ProfileDevice:
    return ProfileDevice(
        key=key, device=f"d-{key}", number=1, title=key, program="game", offering=offering
    )


def all_of_service(gate_digest: str) -> dict[Channel, tuple[Message, ...]]:
    """Return something of all that a controller ever says to a terminal in service."""
    stop = StopSession(command="c", session="s", reason="time_up", accept_by=1)
    return {
        Channel.WELCOME: (
            Welcome(epoch="e0", acknowledged_up_to=1, desired_revision=9, server_at=1),
        ),
        Channel.ACKS: (Acknowledged(epoch="e0", up_to=1),),
        Channel.REPLIES: (
            a_profile(a_device("vr"), gate_digest=gate_digest),
            ServiceRefused(reason="not_registered"),
            ExtensionOffer(session="s"),
            DeviceAround(device="d-1"),
            ModulesOffered(document={"kind": "modules.offer"}, signature="0" * 128),
            Announced(comm_id="x"),
            Right(comm_id="x", document={"session": "s-9"}, signature="0" * 128),
            Refused(comm_id="x", reason="expired"),
            Completed(comm_id="x"),
            Aborted(comm_id="x"),
            Troubled(comm_id="x", trouble="unknown"),
        ),
        Channel.DESIRED: (
            Desired(revision=9),
            KeysTold(document={"keys": {}, "revision": 9}, signatures={}),
            DevicesDesired(),
            ModulesDesired(wishes=(DesiredModule(module="m", number=1, wish="install"),)),
            HelpThere(number=1, helpers=(HelperThere(helper="p-1", name="Aiko"),)),
            HelpTold(call="h-1", device="d-1", state="open"),
        ),
        Channel.COMMANDS: (
            stop,
            HoldTickets(command="h", device="d-vr"),
            ReleaseTicket(command="h", ticket="k", right="g", asked_at=1),
            TakeScan(command="x", scan="x", device="d-vr", token="", reader="t-9", accept_by=1),
            CustomerTold(command="n", notice="opened"),
            DeviceMessage(message="m", device="d-vr", text="Hi", seconds=60, accept_by=1),
        ),
    }


def a_program(session: str, state: str, **seen: Any) -> ProgramSeen:
    """Return what the runner says of a session."""
    facts: dict[str, Any] = {
        "end_reason": EndReason.TIME_UP if state in {"ended", "failed"} else None,
        "remaining_seconds": 60.0,
        "delivered_seconds": 0.0,
        "started_at": None,
        "ended_at": None,
        **seen,
    }
    return ProgramSeen(session=session, state=SessionState(state), **facts)


def say_number(journal: Any, number: int) -> None:
    """Say an event that carries a number."""
    journal.say(SessionWarned(session=f"s-{number}", at=number, seconds_left=0.0))
