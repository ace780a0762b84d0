"""Webhooks: which events there are, who hears them, when one is tried again, where none may go.

What is said outside follows Standard Webhooks; a body names things and says how they stand, and
whoever wants more asks the API for it with a token.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.machine import Machine

BODY_BYTES_MAX: Final = 20_000
"""Bytes of a body: what the standard advises receivers to take; ours have a few hundred."""

URL_LENGTH_MAX: Final = 500
"""Characters of an address: what a receiver needs with its key in the path."""

ENDPOINTS_MAX: Final = 50
"""Addresses that one controller tells: each event is written once for each of them."""

WAITING_MAX: Final = 100_000
"""Deliveries that wait for one endpoint: weeks of a chain; past this it is switched off."""

TRIED_SECONDS: Final = 78 * 3_600
"""How long an event is tried: a weekend and its Monday, more than the standard's 75 hours."""

OVERLAP_SECONDS: Final = 24 * 3_600
"""How long what is said is signed with the secret before as well, after a new one was made."""

FAILING_SECONDS: Final = 900
"""How long nothing may arrive at an endpoint before somebody has to look: a restart is shorter."""

_WAITS_SECONDS: Final = (5, 60, 300, 900, 1_800, 3_600)
"""Between two tries, the last for good: what is back after days is told within an hour."""


class HookType(StrEnum):
    """What has happened; its first word says to what, the second how it stands now."""

    RESERVATION_HELD = "reservation.held"
    RESERVATION_CONFIRMED = "reservation.confirmed"
    RESERVATION_CHANGED = "reservation.changed"
    RESERVATION_MOVED = "reservation.moved"
    RESERVATION_TRANSFERRED = "reservation.transferred"
    RESERVATION_CANCELLED = "reservation.cancelled"
    RESERVATION_EXPIRED = "reservation.expired"
    RESERVATION_NO_SHOW = "reservation.no_show"
    RESERVATION_COMPLETED = "reservation.completed"
    RESERVATION_COMPENSATED = "reservation.compensated"
    RESERVATION_UNDELIVERED = "reservation.undelivered"
    SESSION_GRANTED = "session.granted"
    SESSION_RUNNING = "session.running"
    SESSION_EXTENDED = "session.extended"
    SESSION_ENDED = "session.ended"
    SESSION_FAILED = "session.failed"
    SESSION_PRESUMED_STOPPED = "session.presumed_stopped"
    DEVICE_TURNOVER = "device.turnover"
    DEVICE_AVAILABLE = "device.available"
    DEVICE_OUT_OF_ORDER = "device.out_of_order"
    PAYMENT_CHARGED = "payment.charged"
    PAYMENT_PAID = "payment.paid"
    PAYMENT_WITHDRAWN = "payment.withdrawn"
    PAYMENT_REFUNDED = "payment.refunded"
    PAYMENT_PAID_OUT = "payment.paid_out"
    PAYMENT_REFUNDED_ELSEWHERE = "payment.refunded_elsewhere"
    PAYMENT_COMPENSATED = "payment.compensated"
    PAYMENT_CREDITED = "payment.credited"
    PAYMENT_DISPUTED = "payment.disputed"
    PAYMENT_REINSTATED = "payment.reinstated"
    PAYMENT_UNEXPECTED = "payment.unexpected"
    PROBLEM_RAISED = "problem.raised"
    PROBLEM_SOLVED = "problem.solved"
    HOOK_TEST = "hook.test"


SUBJECTS: Final = ("reservation", "session", "device", "payment", "problem")
"""What events are about; an endpoint hears of all, or of those that it names."""


class DeliveryState(StrEnum):
    """Where one event stands on its way to one endpoint."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    DROPPED = "dropped"
    """Its endpoint was switched off while it waited."""


class DeliveryEvent(StrEnum):
    """What happens to a delivery."""

    ANSWER = "answer"
    PUT_OFF = "put_off"
    GIVE_UP = "give_up"
    DROP = "drop"
    REPLAY = "replay"


DELIVERY: Final = Machine(
    name="delivery",
    first=DeliveryState.WAITING,
    table={
        (DeliveryState.WAITING, DeliveryEvent.ANSWER): DeliveryState.DELIVERED,
        (DeliveryState.WAITING, DeliveryEvent.PUT_OFF): DeliveryState.WAITING,
        (DeliveryState.WAITING, DeliveryEvent.GIVE_UP): DeliveryState.GIVEN_UP,
        (DeliveryState.WAITING, DeliveryEvent.DROP): DeliveryState.DROPPED,
        (DeliveryState.DELIVERED, DeliveryEvent.REPLAY): DeliveryState.WAITING,
        (DeliveryState.GIVEN_UP, DeliveryEvent.REPLAY): DeliveryState.WAITING,
        (DeliveryState.DROPPED, DeliveryEvent.REPLAY): DeliveryState.WAITING,
    },
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """An event: what it is about, and the facts that are said of it.

    Attributes:
        about: the id of what it is about; events of the same one arrive in their order.
        facts: ids and states, and nothing that names a person.
    """

    type: HookType
    about: str
    facts: Mapping[str, str]


_FROM_LEDGER: Final = {
    "right.issued": HookType.SESSION_GRANTED,
    "session.admitted": HookType.SESSION_GRANTED,
    "session.extension_granted": HookType.SESSION_EXTENDED,
    **{
        each.value: each
        for each in HookType
        if each.startswith(("reservation.", "session.")) and each != "session.extended"
    },
}
_SAID: Final = ("device", "reason", "fault", "state")
_IDS: Final = ("terminal", "reservation", "session")


def happened_of(kind: str, facts: Mapping[str, object], ids: Mapping[str, str]) -> Happened | None:
    """Return the event that a line of the ledger is; None: nobody outside is told of it.

    Args:
        kind: the line's type.
        facts: what the line says; of it ids and states are told.
        ids: terminal, reservation and session, those that the line names.
    """
    if kind == "device.told":
        found = next((each for each in HookType if each == f"device.{facts.get('state')}"), None)
        about = str(facts.get("device", ""))
    else:
        found = _FROM_LEDGER.get(kind)
        about = ids.get("session" if found and found.startswith("session.") else "reservation", "")
    if found is None or not about:
        return None
    said = {name: str(facts[name]) for name in _SAID if facts.get(name)}
    return Happened(type=found, about=about, facts={**said, **ids})


def is_wanted(kind: HookType, wanted: Collection[str]) -> bool:
    """Say whether an endpoint that names these hears an event; one that names none hears all."""
    return not wanted or kind.partition(".")[0] in wanted or kind is HookType.HOOK_TEST


def unknown_types(wanted: Iterable[str]) -> tuple[str, ...]:
    """Return what is no subject of events."""
    return tuple(each for each in wanted if each not in SUBJECTS)


def next_try_at(now: int, attempts: int, first_at: int) -> int | None:
    """Return when a delivery is tried again after so many tries; None: it is given up."""
    assert attempts >= 1
    at = now + _WAITS_SECONDS[min(attempts, len(_WAITS_SECONDS)) - 1] * 1000
    return at if at - first_at <= TRIED_SECONDS * 1000 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """An address that is told: its parts, as they are connected to."""

    scheme: str
    host: str
    port: int


_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?:[/?][!$-;=?-\[\]_a-z|~]*)?"
)
_PORTS: Final = {"https": 443, "http": 80}
_PORT_MAX = 65_535


def target_of(url: str, trusted: Collection[str] = ()) -> Target | None:
    """Return where an address leads; None: it is none that may be told.

    Without names, passwords and fragments; and over TLS, but to hosts that the settings trust.
    """
    found = _URL.fullmatch(url) if len(url) <= URL_LENGTH_MAX else None
    if found is None:
        return None
    scheme, host = found["scheme"], found["host"].strip("[]").lower()
    port = int(found["port"] or _PORTS[scheme])
    if port > _PORT_MAX or (scheme != "https" and host not in trusted):
        return None
    if host not in trusted and not _may_be_public(host):
        return None
    return Target(scheme=scheme, host=host, port=port)


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public Internet, whatever it is wrapped in.

    Source: RFC 6890's registries, as `ipaddress` has them; RFC 4291 2.5.5, 3056, 4380 and 6052 of
    addresses within addresses.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if any(found in net for net in _WRAPPING):
            return False
        inner = found.ipv4_mapped or found.sixtofour
        if inner is not None or found.teredo is not None:
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved)


_WRAPPING: Final = tuple(
    ipaddress.IPv6Network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "fec0::/10")
)
"""NAT64 and what is left of older ways: behind each may be any address of the old kind, or, of
RFC 3879's, a site's own."""


def _may_be_public(host: str) -> bool:
    """Say whether a name could lead to the public Internet: an address that is, or a full name."""
    if ":" in host or re.fullmatch(r"[0-9.]+|0x[0-9a-f.x]*", host):
        return is_public(host)
    return "." in host and not host.endswith((".localhost", ".local", ".internal", ".arpa"))
