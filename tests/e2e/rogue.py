"""A client with an account at the broker and nothing of ours inside; it keeps all it gets."""

from __future__ import annotations

import json
import os
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from common.codec import Envelope, write
from common.ids import TerminalId
from common.messages import (
    actions,
    devices,
    extensions,
    help as help_said,
    modules,
    offerings,
    problems,
    registration,
    rights,
    scanners,
    service,
    sessions,
)
from common.messages.base import Message
from common.messages.specification import DeviceFound, MachineFound, ProgramFound, Specification
from common.rules.specification import new_specification
from common.topics import WITH_A_TAIL, Address, Channel, topic_of

OK: Final = "Success"
NOT_ALLOWED: Final = "Not authorized"
"""What the broker answers to what it lets happen, and to what it does not."""

LINK_SECONDS_MAX: Final = 5.0
"""How long the broker may take to answer."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who somebody is at the broker, and where that is."""

    host: str
    port: int
    name: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class Pc:
    """A PC that enrolled by itself, with a key of its own making."""

    key: Ed25519PrivateKey
    terminal: str
    epoch: str
    account: Account
    code: str = ""

    def says(self, message: Message, *, seq: int = 0, whose: str = "") -> bytes:
        """Return a message in this PC's name, or in another's."""
        return write(
            Envelope(
                id=f"m-{os.urandom(4).hex()}",
                terminal=whose or self.terminal,
                epoch=self.epoch,
                message=message,
                sent_at=0,
                seq=seq,
            )
        )


class Rogue:
    """One connection: whatever is delivered is kept, whatever is refused is told."""

    def __init__(
        self,
        account: Account,
        *,
        client_id: str | None = None,
        is_kept: bool = False,
        tls: ssl.SSLContext | None = None,
        will: str = "",
    ) -> None:
        """Prepare to connect.

        Args:
            account: whose secret it knows.
            client_id: whom it says it is; by default whose secret it knows.
            is_kept: whether it asks the broker for the session of the last time.
            tls: how it speaks, where not in the clear.
            will: a topic on which the broker shall keep a word of it when it is gone.
        """
        self.heard: list[mqtt.MQTTMessage] = []
        self.is_in = False
        self.is_lost = threading.Event()
        self.why = ""
        self._account, self._is_kept = account, is_kept
        self._answered = threading.Event()
        self._answers: dict[int, list[str]] = {}
        self._has_answer = threading.Condition()
        self._client = self._new_client(client_id or account.name)
        if tls is not None:
            self._client.tls_set_context(tls)
        if will:
            self._client.will_set(will, b"gone", qos=1, retain=True)

    def __enter__(self) -> Self:
        """Knock; `is_in` says whether the broker has opened."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3_600
        self._client.connect(
            self._account.host,
            self._account.port,
            clean_start=not self._is_kept,
            properties=properties,
        )
        self._client.loop_start()
        assert self._answered.wait(LINK_SECONDS_MAX), "the broker does not answer"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def hears(self, *filters: str) -> list[str]:
        """Subscribe and return the broker's answers; all it had to say before has come by then."""
        if not self.is_in:
            return ["not in"] * len(filters)
        _, number = self._client.subscribe([(each, 1) for each in filters])
        assert number is not None
        return self._answer(number)

    def says(self, topic: str, payload: bytes, *, is_kept: bool = False) -> str:
        """Publish and return the broker's answer."""
        if not self.is_in:
            return "not in"
        sent = self._client.publish(topic, payload, qos=1, retain=is_kept)
        return self._answer(sent.mid)[0]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return the fields of what it was told of this type."""
        read = (json.loads(each.payload) for each in self.heard if each.payload[:1] == b"{")
        return [each["data"] for each in read if each["type"] == kind]

    def _answer(self, number: int) -> list[str]:
        with self._has_answer:
            came = self._has_answer.wait_for(
                lambda: number in self._answers or self.is_lost.is_set(), LINK_SECONDS_MAX
            )
            assert came, "the broker does not answer"
            return self._answers.pop(number, ["cut off"])

    def _new_client(self, client_id: str) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        client.username_pw_set(self._account.name, self._account.secret)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = lambda _, __, message: self.heard.append(message)
        client.on_subscribe = lambda _, __, mid, codes, ___: self._on_answer(mid, codes)
        client.on_publish = lambda _, __, mid, code, ___: self._on_answer(mid, [code])
        return client

    def _on_connect(self, *told: Any) -> None:
        code = told[3]
        self.is_in, self.why = not code.is_failure, str(code)
        self._answered.set()

    def _on_disconnect(self, *told: Any) -> None:
        self.why = str(told[3])
        with self._has_answer:
            self.is_lost.set()
            self._has_answer.notify_all()

    def _on_answer(self, number: int, codes: Sequence[object]) -> None:
        with self._has_answer:
            self._answers[number] = [str(code) for code in codes]
            self._has_answer.notify_all()


def topic(terminal: str, channel: Channel, tail: str = "x") -> str:
    """Return a channel's topic; `tail` ends it where there is one."""
    tail = tail if channel in WITH_A_TAIL else ""
    return topic_of(Address(terminal=TerminalId(terminal), channel=channel, tail=tail))


def a_specification(
    *, memory_bytes: int = 1 << 33, serial: str = "S-1", machine_id: str = "M-1"
) -> Specification:
    """Return what a PC with one device says it is."""
    return new_specification(
        agent_version="1",
        machine=MachineFound(serial=serial, machine_id=machine_id, memory_bytes=memory_bytes),
        devices=[DeviceFound(key="booth", title="Booth", program="racer")],
        programs=[ProgramFound(program="racer")],
    )


COMM_ID: Final = f"t-1/e/session:d-1/1/{'a' * 32}"
DIGEST: Final = "0" * 64
MODULE: Final[dict[str, Any]] = {"module": "m", "at": 1}
PACKAGE: Final[dict[str, Any]] = {"package": "m", "kind": "module", "version": "1", "at": 1}
SESSION: Final[dict[str, Any]] = {"session": "s-1", "at": 1}

A_TOKEN: Final = "RSB1"  # noqa: S105 - no secret: see below
"""The beginning of every ticket, and none."""

_SAID_ON: Final[dict[Channel, list[Message]]] = {
    Channel.SPECIFICATION: [a_specification()],
    Channel.PRESENCE: [registration.Presence(state="here", connection="rogue")],
    Channel.HEARTBEAT: [registration.Heartbeat()],
    Channel.TELEMETRY: [
        scanners.ScannersCounted(scanners=()),
        modules.ModulesProgress(package="m", version="1", state="downloading"),
    ],
    Channel.HELLO: [
        registration.Hello(
            protocol=(1, 1), boot="b", outbox_first=0, outbox_last=0, applied_revision=0
        )
    ],
    Channel.REQUESTS: [
        service.ServiceRequest(gate_digest=a_specification().gate_digest),
        rights.Announce(comm_id=COMM_ID),
        rights.Request(
            comm_id=COMM_ID,
            request=rights.ScanRequest(
                scan="s-1",
                device="d-1",
                token=A_TOKEN,
                read_at=1,
                clock_is_trusted=True,
            ).model_dump(mode="json"),
            digest=DIGEST,
        ),
        modules.ModulesAsk(packages=("m",)),
        extensions.ExtensionAsk(session="s-1", device="d-1"),
        devices.DeviceAsk(device="d-1"),
        rights.ReportScan(scan="s-2", token=A_TOKEN, read_at=1, clock_is_trusted=True),
        rights.Complete(comm_id=COMM_ID, digest=DIGEST),
        rights.Abort(comm_id=COMM_ID),
        rights.Contest(comm_id=COMM_ID),
    ],
    Channel.EVENTS: [
        offerings.OfferingRegistered(key="o", device="d-1", title="o", lengths_seconds=(60,)),
        offerings.OfferingPictured(sha256=DIGEST, body=""),
        offerings.OfferingOn(key="o", device="d-1"),
        offerings.OfferingOff(key="o", device="d-1"),
        sessions.SessionStarting(**SESSION),
        sessions.SessionRunning(**SESSION, remaining_seconds=1),
        sessions.SessionAlive(**SESSION, number=1, delivered_seconds=1, remaining_seconds=1),
        sessions.SessionInterrupted(**SESSION, lost_seconds=1),
        sessions.SessionWarned(**SESSION, seconds_left=1),
        sessions.SessionResumed(**SESSION, remaining_seconds=1, delivered_seconds=1),
        sessions.WarningShown(**SESSION, seconds_left=1),
        sessions.SessionExtended(**SESSION, extended_seconds=60, remaining_seconds=90),
        sessions.SessionEnding(**SESSION),
        sessions.SessionEnded(**SESSION, reason="time_up", delivered_seconds=1),
        sessions.SessionFailed(**SESSION, reason="unknown"),
        sessions.CommandTold(command="c-1", state="accepted", at=1),
        sessions.ScanDenied(scan="s-1", at=1, reason="unknown_ticket"),
        sessions.SessionAdmitted(
            session="s-1",
            scan="s-1",
            ticket="00" * 8,
            device="d-1",
            program="racer",
            granted_seconds=60.0,
            at=1,
            admission="held",
        ),
        rights.TicketReleased(ticket="00" * 8, right="g-1", at=1),
        rights.TicketKept(ticket="00" * 8, at=1, asked_at=1),
        devices.DeviceMessageShown(message="m-1", device="d-1", at=1),
        devices.DeviceTold(device="d-1", state="out_of_order", at=1, fault="reset_failed"),
        problems.ProblemTold(kind="service_too_early", at=1),
        problems.HelpAsked(device="d-1", at=1, about="device"),
        help_said.HelpChosen(call="c-1", helper="h-1", device="d-1", language="ja", at=1),
        help_said.HelpJoined(call="c-1", session="s-1"),
        help_said.HelpLine(call="c-1", number=1, text="Hello", at=1),
        help_said.HelpHeard(call="c-1", number=1, state="open"),
        help_said.HelpLeft(call="c-1", at=1),
        actions.SwitchTold(switch="lamp", wanted="on", standing="unanswered", at=1),
        modules.ModuleInstalled(**PACKAGE, sha256=DIGEST, digest=DIGEST),
        modules.ModuleRolledBack(**PACKAGE, sha256=DIGEST),
        modules.ModuleFailed(**PACKAGE, sha256=DIGEST),
        modules.ModuleUsed(**MODULE, version="1", source="unknown", day=1),
        modules.ModuleUninstalled(**MODULE, version="1", digest=DIGEST, permission="g-1"),
        modules.ModuleRunEnded(**MODULE, device="d-1", run="r-1"),
        modules.ModuleOverLimit(**MODULE, device="d-1", session="s-1"),
    ],
}

SAID_UP: Final = {
    (channel, message.type): message
    for channel, messages in _SAID_ON.items()
    for message in messages
}
"""One of each message that a terminal may say, and something on every channel there is."""
