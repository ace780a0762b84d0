"""A document of the set-up is kept: by the flow it belongs to, with all that follows from it.

An undo goes the same way: what an older version says is said again, and checked again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from cloud_controller.flows import (
    help as calls,
    offerings,
    payments,
    registration,
    reservations,
    service,
    setup,
)
from cloud_controller.flows.offerings import Registered, Teller
from cloud_controller.flows.service import DeviceTold
from cloud_controller.ports import Actor, NotAllowed, Transaction
from common.ids import StoreId
from common.messages.offerings import OfferingSaid
from common.messages.service import Program, Requirements
from common.rules.payments import Prices
from common.rules.registration import Policy
from common.rules.reservations import OpeningHours
from common.rules.setup import SetupKind

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """Whose word it is that something is to be so, and why."""

    actor: str
    reason: str = ""


def keep_document(
    books: Transaction, kind: SetupKind, subject: str, document: Document, word: Word
) -> None:
    """Have a document say this from now on.

    Raises:
        NotFound: there is no such subject.
        NotAllowed: it cannot be so.
        ValidationError: the document says nothing that can be kept; of pydantic.
    """
    _KEEPS[kind](books, subject, document, word)


def undo(books: Transaction, kind: SetupKind, subject: str, number: int, word: Word) -> None:
    """Have a document say again what one of its versions said, as a version of its own.

    Raises:
        NotFound: there is no such subject, or the version is not kept.
        NotAllowed: it cannot be so any more.
    """
    older = setup.version(books, kind, subject, number)
    try:
        keep_document(books, kind, subject, older.document, word)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False, include_context=False)[0]
        raise NotAllowed(why=f"that version is not allowed any more: {first['msg']}") from fault


def stands_as(books: Transaction, kind: SetupKind, subject: str) -> dict[str, Any]:
    """Return what a document says now.

    Raises:
        NotFound: there is no such subject.
    """
    return _STANDS[kind](books, subject)


def keep_hours(
    books: Transaction, store: StoreId, hours: OpeningHours | None, actor: str, reason: str
) -> int:
    """Open a store at these hours; return to how many claims outside of them somebody is called.

    Raises:
        NotFound: there is no such store.
    """
    registration.keep_hours(books, store, hours, actor, reason)
    return reservations.call_to_shut_out(books, store)


def keep_program(books: Transaction, program: Program, actor: str, reason: str = "") -> None:
    """Have a program ask of PCs what is said now; terminals that have it are told at once."""
    service.keep_program(books, program, actor, reason)
    service.give_all_anew(books)


def sow_program(books: Transaction, program: Program) -> None:
    """Take what the settings file says of a program, unless a person has said something since."""
    if setup.is_said_by_the_file(books, SetupKind.PROGRAM, program.program):
        keep_program(books, program, Actor.SETTINGS)


def _keep_store(books: Transaction, store: str, document: Document, word: Word) -> None:
    said = registration.StoreSaid(
        title=document["title"],
        time_zone=document["time_zone"],
        directions=document["directions"],
        policy=Policy(document["policy"]),
        rules=Requirements.model_validate(document["rules"]),
    )
    registration.keep_store(books, StoreId(store), said, word.actor, word.reason)


def _keep_hours(books: Transaction, store: str, document: Document, word: Word) -> None:
    said = document["hours"]
    hours = None if said is None else OpeningHours.model_validate(said)
    keep_hours(books, StoreId(store), hours, word.actor, word.reason)


def _keep_offering(books: Transaction, offering: str, document: Document, word: Word) -> None:
    row = setup.offering(books, offering)
    fields = {name: said for name, said in document.items() if name != "told_by"}
    said = OfferingSaid.model_validate(fields)
    offerings.say(books, row["store_id"], row["key"], said, word.actor, word.reason)
    if document.get("told_by") == Teller.TERMINAL:
        offerings.hand_back(books, row["store_id"], row["key"], word.actor)


def _keep_prices(books: Transaction, offering: str, document: Document, word: Word) -> None:
    prices = Prices.model_validate(document)
    payments.set_prices(books, offering, prices, word.actor, word.reason)


def _keep_program(books: Transaction, program: str, document: Document, word: Word) -> None:
    said = Program.model_validate({**document, "program": program})
    keep_program(books, said, word.actor, word.reason)


def _keep_device(books: Transaction, device: str, document: Document, word: Word) -> None:
    told = DeviceTold(device=device, place=document["place"], reason=word.reason)
    service.tell_of_device(books, told, word.actor)


def _keep_helper(books: Transaction, helper: str, document: Document, word: Word) -> None:
    name, stores = document["name"], document["stores"]
    calls.keep(books, helper, name, stores, word.actor, word.reason)


def _store(books: Transaction, store: str) -> dict[str, Any]:
    return registration.store_document(registration.store(books, StoreId(store)))


def _hours(books: Transaction, store: str) -> dict[str, Any]:
    return registration.hours_document(registration.store(books, StoreId(store))["hours"])


def _offering(books: Transaction, offering: str) -> dict[str, Any]:
    return offerings.offering_document(_registered(books, offering))


def _registered(books: Transaction, offering: str) -> Registered:
    row = setup.offering(books, offering)
    found = offerings.registered(books, row["store_id"])
    return next(each for each in found if each.offering == offering)


def _prices(books: Transaction, offering: str) -> dict[str, Any]:
    return payments.prices_of(books, offering).model_dump(mode="json")


def _program(books: Transaction, program: str) -> dict[str, Any]:
    known = service.programs(books).get(program)
    return (known or Program(program=program)).model_dump(mode="json")  # it asks for nothing


def _device(books: Transaction, device: str) -> dict[str, Any]:
    return {"place": setup.device(books, device)["place"]}


_KEEPS: Final[Mapping[SetupKind, Callable[[Transaction, str, Document, Word], None]]] = {
    SetupKind.STORE: _keep_store,
    SetupKind.HOURS: _keep_hours,
    SetupKind.OFFERING: _keep_offering,
    SetupKind.PRICES: _keep_prices,
    SetupKind.PROGRAM: _keep_program,
    SetupKind.DEVICE: _keep_device,
    SetupKind.HELPER: _keep_helper,
}

_STANDS: Final[Mapping[SetupKind, Callable[[Transaction, str], dict[str, Any]]]] = {
    SetupKind.STORE: _store,
    SetupKind.HOURS: _hours,
    SetupKind.OFFERING: _offering,
    SetupKind.PRICES: _prices,
    SetupKind.PROGRAM: _program,
    SetupKind.DEVICE: _device,
    SetupKind.HELPER: calls.helper_document,
}
