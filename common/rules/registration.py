"""May this terminal have service information? A changed specification starts again (A8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.machine import Machine
from common.messages.registration import DeviceFound, ProfileDevice, ServiceProfile, Specification
from common.seals import digest_of


class Standing(StrEnum):
    """Where a terminal's registration stands."""

    CLAIMED = "claimed"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class StandingEvent(StrEnum):
    """What happens to a registration."""

    SPECIFY = "specify"
    CONFIRM = "confirm"
    REJECT = "reject"
    SUSPEND = "suspend"
    RETIRE = "retire"


class Policy(StrEnum):
    """Who confirms a specification in this store."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"


class BrokerRole(StrEnum):
    """What the broker lets a terminal do."""

    GATE = "gate"
    SERVICE = "service"
    SETTLING = "settling"


STANDING: Final = Machine(
    name="registration",
    first=Standing.CLAIMED,
    table={
        (Standing.CLAIMED, StandingEvent.SPECIFY): Standing.PENDING,
        (Standing.PENDING, StandingEvent.SPECIFY): Standing.PENDING,
        (Standing.CONFIRMED, StandingEvent.SPECIFY): Standing.PENDING,
        (Standing.REJECTED, StandingEvent.SPECIFY): Standing.PENDING,
        (Standing.PENDING, StandingEvent.CONFIRM): Standing.CONFIRMED,
        (Standing.SUSPENDED, StandingEvent.CONFIRM): Standing.CONFIRMED,
        (Standing.PENDING, StandingEvent.REJECT): Standing.REJECTED,
        (Standing.CONFIRMED, StandingEvent.SUSPEND): Standing.SUSPENDED,
        (Standing.PENDING, StandingEvent.RETIRE): Standing.RETIRED,
        (Standing.CONFIRMED, StandingEvent.RETIRE): Standing.RETIRED,
        (Standing.REJECTED, StandingEvent.RETIRE): Standing.RETIRED,
        (Standing.SUSPENDED, StandingEvent.RETIRE): Standing.RETIRED,
    },
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """What the registry knows of a terminal when a specification comes in."""

    standing: Standing
    gate_digest: str | None


def after_specification(
    known: Registered, gate_digest: str, policy: Policy
) -> tuple[Standing, str] | None:
    """Return the standing after this specification and why, or None: nothing changes.

    The same gate digest again changes nothing: an upgrade of the agent closes no gate.
    """
    if known.gate_digest == gate_digest and known.standing is not Standing.CLAIMED:
        return None
    pending = STANDING.step(known.standing, StandingEvent.SPECIFY)
    if pending is None:
        return None
    if policy is Policy.AUTOMATIC:
        confirmed = STANDING.step(pending, StandingEvent.CONFIRM)
        assert confirmed is not None
        return confirmed, "the store confirms every specification by itself"
    return pending, "an operator has to look at the specification"


def role_for(standing: Standing, *, has_running_sessions: bool) -> BrokerRole:
    """Return the broker role that goes with a standing; closed while sessions run is `settling`."""
    if standing is Standing.CONFIRMED:
        return BrokerRole.SERVICE
    return BrokerRole.SETTLING if has_running_sessions else BrokerRole.GATE


def may_have_service(standing: Standing, registered_digest: str | None, asked: str) -> bool:
    """Say whether service information may be given for the specification asked about (A6, A7)."""
    return standing is Standing.CONFIRMED and registered_digest == asked


def gate_is_open(standing: str | None, confirmed_digest: str | None, own_digest: str) -> bool:
    """Say whether the terminal may take service information (A4): confirmed, for what it is now."""
    return standing == Standing.CONFIRMED and confirmed_digest == own_digest


def watched_fields(
    machine: Mapping[str, object], devices: Sequence[DeviceFound], programs: Sequence[str]
) -> dict[str, object]:
    """Return the part of a specification whose change closes the gate again."""
    watched = ("memory_bytes", "gpus", "displays", "architecture")
    return {
        "machine": {name: machine.get(name) for name in watched},
        "devices": [device.model_dump(mode="json") for device in devices],
        "programs": sorted(programs),
    }


def profile_of(
    specification: Specification,
    *,
    store: str,
    store_number: int,
    numbers: Mapping[str, tuple[str, int]],
) -> ServiceProfile:
    """Return the service information that a specification allows: devices whose program is present.

    `numbers` gives each device key its id and its number in the store. The same specification and
    numbers give the same bytes.
    """
    devices = tuple(
        ProfileDevice(
            key=found.key,
            device=numbers[found.key][0],
            number=numbers[found.key][1],
            title=found.title,
            program=found.program,
        )
        for found in sorted(specification.devices, key=lambda found: found.key)
        if found.program in specification.programs
    )
    body = [device.model_dump(mode="json") for device in devices]
    return ServiceProfile(
        store=store,
        store_number=store_number,
        gate_digest=specification.gate_digest,
        profile_digest=digest_of({"store": store, "devices": body}),
        devices=devices,
    )
