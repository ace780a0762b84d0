"""A confirmed terminal asks, and is given what is made from its registered specification (A5, A6).

Its request is only the occasion: nothing of it goes into the answer. Before a terminal is
confirmed nothing is made, numbered or kept for it (A7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from cloud_controller.ports import (
    Actor,
    NotFound,
    Received,
    Registered,
    Row,
    SetupChange,
    Transaction,
)
from common.ids import TerminalId
from common.messages.service import (
    Program,
    Requirements,
    ServiceProfile,
    ServiceRefused,
    ServiceRequest,
)
from common.messages.specification import DeviceFound, Specification
from common.rules.registration import gate_is_open
from common.rules.service import (
    Explained,
    devices_in,
    devices_of,
    explained,
    profile_of,
    programs_of,
    unmet,
)
from common.rules.setup import SetupKind
from common.rules.specification import Difference, differences
from common.topics import Channel

DEVICES_KEPT_MAX: Final = 256
"""Devices one terminal may ever be given: each keeps its number, and a store has 65 535."""

DEVICE_NUMBER_MAX: Final = 65_535
"""The highest number of a device in its store: two bytes of a ticket's token."""

PROFILE_BYTES_MAX: Final = 60_000
"""Bytes of one profile: with its envelope it has to fit one message."""

GIVEN_ANEW_MAX: Final = 200
"""Terminals that are told at once of a program that is another; the rest hear of it at their next
hello, and the transaction stays short."""

Numbers = dict[str, tuple[str, int]]
"""A device's id and number in its store, by the terminal's own key for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """What a terminal is and what follows from it, for whoever has to decide or to wonder.

    Attributes:
        differences: between the specification last confirmed and the one registered now.
        unmet: what the store's rules ask for and the specification does not have.
        programs: every program known on either side, in or out, and why.
        devices: every device it names, with the programs that it may carry; none: it is out.
    """

    terminal: TerminalId
    store: str
    hostname: str
    standing: str
    reason: str
    policy: str
    specification: Specification | None = None
    differences: tuple[Difference, ...] = ()
    unmet: tuple[str, ...] = ()
    programs: tuple[Explained, ...] = ()
    devices: tuple[tuple[DeviceFound, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceTold:
    """The operator's word on a device; what is None stays as it is.

    Attributes:
        device: which.
        place: where it stands, as a customer is told it: `to the left`; empty: nothing is told.
        is_out_of_order: whether it opens for nobody; its tickets open others of its offering.
        reason: why, for the audit.
    """

    device: str
    place: str | None = None
    is_out_of_order: bool | None = None
    reason: str = ""


def tell_of_device(books: Transaction, told: DeviceTold, actor: str) -> Row:
    """Keep what an operator says of a device, and return it as it is then.

    Raises:
        NotFound: there is no such device.
    """
    known = books.service.device(device_id=told.device)
    if known is None:
        raise NotFound(what="device")
    was = {"place": known["place"], "is_out_of_order": bool(known["is_out_of_order"])}
    place = was["place"] if told.place is None else told.place
    is_broken = was["is_out_of_order"] if told.is_out_of_order is None else told.is_out_of_order
    if was != {"place": place, "is_out_of_order": is_broken}:
        books.service.tell_of_device(
            device_id=told.device, place=place, is_out_of_order=int(is_broken)
        )
        state = "out of order" if is_broken else "in order"
        books.audit(actor, "device.told", told.device, f"{state}; {place}; {told.reason}")
    if place != was["place"]:
        change = SetupChange(
            kind=SetupKind.DEVICE,
            subject=told.device,
            before={"place": was["place"]},
            after={"place": place},
        )
        books.keep_version(change, actor, told.reason)
    return books.service.device(device_id=told.device)


def keep_program(
    books: Transaction, program: Program, actor: str = Actor.SETTINGS, reason: str = ""
) -> None:
    """Remember what a program asks of a PC; profiles made from now on go by it."""
    body, before = program.model_dump_json(), programs(books).get(program.program)
    if books.service.keep_program(program=program.program, body=body, changed_at=books.now):
        books.audit(actor, "program.kept", program.program, reason)
    change = SetupChange(
        kind=SetupKind.PROGRAM,
        subject=program.program,
        before=None if before is None else before.model_dump(mode="json"),
        after=program.model_dump(mode="json"),
    )
    books.keep_version(change, actor, reason)


def programs(books: Transaction) -> dict[str, Program]:
    """Return every program that the controller has been told of, by name."""
    return {row["program"]: _program_in(row) for row in books.service.programs()}


def give(books: Transaction, said: Received) -> None:
    """Give service information, made from what is registered, or say why not (A5-A7)."""
    registered = books.registry.registered(said.terminal)
    if registered is None or not _may_have_service(registered, said):
        _refuse(books, said, "not_registered")
        return
    told = _programs_of(books, registered.specification)
    known = _known_devices(books, said.terminal)
    numbers = _numbered(books, registered, told, known)
    if numbers is None:
        _refuse(books, said, "too_many_devices")
        return
    profile = profile_of(
        registered.specification,
        told,
        store=registered.store,
        store_number=registered.store_number,
        time_zone=registered.time_zone,
        numbers=numbers,
    )
    body = profile.model_dump_json()
    if len(body.encode()) > PROFILE_BYTES_MAX:
        _refuse(books, said, "profile_too_large")
        return
    _keep_devices(books, registered, profile, known)
    books.service.keep_profile(
        terminal_id=said.terminal,
        gate_digest=profile.gate_digest,
        profile_digest=profile.profile_digest,
        body=body,
        generated_at=books.now,
    )
    books.say(said.terminal, Channel.REPLIES, profile, corr=said.corr)


def give_anew(books: Transaction, terminal: TerminalId) -> None:
    """Give a terminal its service information again, if a program is another since it was made.

    One that serves nobody now is given nothing: it asks when it is confirmed.
    """
    registered = books.registry.registered(terminal)
    if registered is None or not books.service.is_stale(terminal_id=terminal):
        return
    digest = registered.specification.gate_digest
    said = Received(
        terminal=terminal,
        epoch=registered.epoch,
        seq=0,
        corr="",
        message=ServiceRequest(gate_digest=digest),
    )
    if _may_have_service(registered, said):
        give(books, said)


def give_all_anew(books: Transaction) -> None:
    """Do so for every terminal whose service information is older than one of its programs."""
    for row in list(books.service.stale(most=GIVEN_ANEW_MAX)):
        give_anew(books, TerminalId(row["terminal_id"]))


def explain(books: Transaction, terminal: TerminalId) -> Explanation:
    """Return why a terminal has, or would have, the service information it has; read only.

    Raises:
        NotFound: there is no such terminal.
    """
    known = books.registration.terminal(terminal_id=terminal)
    if known is None:
        raise NotFound(what="terminal")
    explanation = Explanation(
        terminal=terminal,
        store=known["store_id"],
        hostname=known["hostname"],
        standing=known["standing"],
        reason=known["standing_reason"],
        policy=known["policy"],
    )
    row = books.registration.specification(terminal_id=terminal)
    if row is None:
        return explanation
    now = Specification.model_validate_json(row["body"])
    confirmed = Specification.model_validate_json(row["confirmed_body"] or row["body"])
    looked_at = explained(now, programs(books))
    carried = {each.program for each in looked_at if each.is_in}
    return replace(
        explanation,
        specification=now,
        differences=differences(confirmed, now),
        unmet=unmet(Requirements.model_validate_json(known["rules"]), now),
        programs=looked_at,
        devices=tuple((found, programs_of(found, carried)) for found in devices_of(now)),
    )


def _may_have_service(registered: Registered, said: Received) -> bool:
    """Say whether this is the confirmed terminal, and still what was confirmed."""
    request: ServiceRequest = said.message
    is_open = gate_is_open(registered.standing, registered.gate_digest, request.gate_digest)
    is_same = registered.specification.gate_digest == request.gate_digest
    return is_open and is_same and registered.epoch == said.epoch


def _refuse(books: Transaction, said: Received, reason: str) -> None:
    books.say(said.terminal, Channel.REPLIES, ServiceRefused(reason=reason), corr=said.corr)


def _programs_of(books: Transaction, specification: Specification) -> dict[str, Program]:
    """Return what the controller has been told of the programs that this PC has."""
    present = {found.program for found in specification.programs}
    rows = books.service.programs()
    return {row["program"]: _program_in(row) for row in rows if row["program"] in present}


def _program_in(row: Row) -> Program:
    return Program.model_validate_json(row["body"])


def _known_devices(books: Transaction, terminal: TerminalId) -> Numbers:
    return {
        row["key"]: (row["device_id"], row["number"])
        for row in books.service.devices_of(terminal_id=terminal)
    }


def _numbered(
    books: Transaction, registered: Registered, told: Mapping[str, Program], known: Numbers
) -> Numbers | None:
    """Return known and new devices with their numbers, or None: they are more than there may be.

    A device gets the store's next number when it is given for the first time, and keeps it.
    """
    allowed = devices_in(registered.specification, told)
    new = [found.key for found in allowed if found.key not in known]
    first = books.service.next_device_number(store_id=registered.store)
    if len(known) + len(new) > DEVICES_KEPT_MAX or first + len(new) - 1 > DEVICE_NUMBER_MAX:
        return None
    added = {key: (books.names.new("d"), number) for number, key in enumerate(new, start=first)}
    return known | added


def _keep_devices(
    books: Transaction, registered: Registered, profile: ServiceProfile, known: Numbers
) -> None:
    for given in profile.devices:
        if given.key in known:
            books.service.describe_device(
                device_id=given.device, title=given.title, program=given.program
            )
            continue
        books.service.add_device(
            device_id=given.device,
            store_id=registered.store,
            number=given.number,
            terminal_id=registered.terminal,
            key=given.key,
            title=given.title,
            program=given.program,
        )
