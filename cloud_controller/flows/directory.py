"""A controller's stores as another sells their time: told by the one, kept by the other (C1).

Its law: a store belongs to whoever has told of it first, and nobody else changes anything of it.
"""

from __future__ import annotations

import json
from typing import Final
from zoneinfo import ZoneInfo

from cloud_controller.ports import NotAllowed, Row, Transaction
from common.errors import RusubanError
from common.messages.reservations import (
    DeviceTold,
    Directory,
    KeyTold,
    OfferingTold,
    StoreHeard,
    StoreSaid,
    StoreTold,
    TerminalTold,
)
from common.rules.registration import Standing
from common.rules.reservations import read_hours
from common.seals import digest_of
from common.topics import BrokerRole

GONE: Final = "gone"

TERMS: Final = (
    *("lead_seconds", "horizon_seconds", "change_seconds", "cancel_seconds"),
    *("hold_seconds", "grace_seconds", "party_max"),
)
"""Terms of an offering that are told as they stand in its row, and kept as they are told."""


def stores_to_tell(books: Transaction) -> list[StoreSaid]:
    """Return our own stores, each with its directory and who is here."""
    return [_said_of(books, row) for row in books.directory.stores()]


def without_directory(said: StoreSaid) -> StoreSaid:
    """Return the short form, for who knows the directory of that digest already."""
    return said.model_copy(update={"directory": None})


def hear_store(books: Transaction, peer: str, said: StoreSaid) -> StoreHeard:
    """Keep what a peer tells of a store of its own; say whether its directory is known now.

    Raises:
        NotAllowed: the store is ours or another's, its number is taken, or it is told wrongly.
    """
    known = books.directory.store(store_id=said.store)
    if known is not None and known["peer"] != peer:
        raise NotAllowed(why=f"the store {said.store} is not one of {peer}'s")
    if said.directory is None:
        is_known = known is not None and known["digest"] == said.digest
        return StoreHeard(is_known=is_known, keys=_keys(books))
    if said.directory.store.store != said.store:
        raise NotAllowed(why=f"the directory is not that of {said.store}")
    if known is None:
        books.audit(peer, "store.told", said.store)
    _keep(books, peer, said, said.directory)
    return StoreHeard(is_known=True, keys=_keys(books))


def here(books: Transaction, peer: str, said: StoreSaid) -> list[str]:
    """Return those of the terminals said to be here that are this store's."""
    known = books.directory.store(store_id=said.store)
    if known is None or known["peer"] != peer:
        return []
    its_own = {row["terminal_id"] for row in books.directory.here_of(store_id=said.store)}
    return [terminal for terminal in said.here if terminal in its_own]


def _said_of(books: Transaction, row: Row) -> StoreSaid:
    store = row["store_id"]
    terminals = list(books.directory.terminals_of(store_id=store))
    directory = Directory(
        store=StoreTold(
            store=store,
            number=row["number"],
            title=row["title"],
            time_zone=row["time_zone"],
            hours=row["hours"],
            directions=row["directions"],
        ),
        offerings=tuple(_offering(each) for each in books.directory.offerings_of(store_id=store)),
        terminals=tuple(
            TerminalTold(
                terminal=each["terminal_id"],
                hostname=each["hostname"],
                standing=each["standing"],
            )
            for each in terminals
        ),
        devices=tuple(_device(each) for each in books.directory.devices_of(store_id=store)),
    )
    return StoreSaid(
        store=store,
        digest=_digest_of(directory),
        here=tuple(each["terminal_id"] for each in terminals if each["presence"] != GONE),
        directory=directory,
    )


def _offering(row: Row) -> OfferingTold:
    return OfferingTold(
        offering=row["offering_id"],
        key=row["key"],
        title=row["title"],
        content=row["content"],
        texts=json.loads(row["texts"]),
        price_cents=row["price_cents"],
        currency=row["currency"],
        lengths_seconds=tuple(json.loads(row["lengths_seconds"])),
        grid_seconds=row["grid_seconds"],
        turnover_seconds=row["turnover_seconds"],
        early_seconds=row["early_seconds"],
        rotates_code=bool(row["rotates_code"]),
        **{term: row[term] for term in TERMS},
    )


def _device(row: Row) -> DeviceTold:
    return DeviceTold(
        device=row["device_id"],
        terminal=row["terminal_id"],
        number=row["number"],
        key=row["key"],
        title=row["title"],
        program=row["program"],
        is_out_of_order=bool(row["is_out_of_order"]),
        offering=row["offering_id"],
        state=row["state"],
        reason=row["reason"] or "",
    )


def _digest_of(directory: Directory) -> str:
    return digest_of(directory.model_dump(mode="json"))


def _keys(books: Transaction) -> tuple[KeyTold, ...]:
    return tuple(
        KeyTold(key_id=key_id, public_key=raw) for key_id, raw in books.keys.public_keys().items()
    )


def _keep(books: Transaction, peer: str, said: StoreSaid, told: Directory) -> None:
    try:
        ZoneInfo(told.store.time_zone)
        read_hours(told.store.hours)
    except (ValueError, KeyError, OSError, RusubanError) as fault:
        raise NotAllowed(why="the store's time zone or hours cannot be read") from fault
    holder = books.directory.store_numbered(number=told.store.number)
    if holder not in {None, said.store}:
        raise NotAllowed(why=f"the number {told.store.number} is that of another store: {holder}")
    books.directory.keep_store(
        store_id=said.store,
        number=told.store.number,
        title=told.store.title,
        time_zone=told.store.time_zone,
        hours=told.store.hours,
        directions=told.store.directions,
        now=books.now,
    )
    books.directory.keep_peer(store_id=said.store, peer=peer, digest=said.digest, now=books.now)
    for terminal in told.terminals:
        _keep_terminal(books, said.store, terminal)
    for offering in told.offerings:
        _keep_offering(books, said.store, offering)
    _keep_devices(books, said.store, told)


def _keep_terminal(books: Transaction, store: str, told: TerminalTold) -> None:
    standing = Standing(told.standing)
    is_in = standing is Standing.CONFIRMED
    kept = books.directory.keep_terminal(
        terminal_id=told.terminal,
        store_id=store,
        hostname=told.hostname,
        nobodys_key=f"elsewhere:{told.terminal}",
        standing=standing,
        broker_role=BrokerRole.SERVICE if is_in else BrokerRole.GATE,
        now=books.now,
    )
    if not kept:
        raise NotAllowed(why=f"the terminal {told.terminal} is another store's")


def _keep_offering(books: Transaction, store: str, told: OfferingTold) -> None:
    kept = books.directory.keep_offering(
        offering_id=told.offering,
        store_id=store,
        key=told.key,
        title=told.title,
        content=told.content,
        texts=json.dumps(told.model_dump(mode="json", include={"texts"})["texts"]),
        price_cents=told.price_cents,
        currency=told.currency,
        lengths_seconds=json.dumps(told.lengths_seconds),
        grid_seconds=told.grid_seconds,
        turnover_seconds=told.turnover_seconds,
        early_seconds=told.early_seconds,
        rotates_code=int(told.rotates_code),
        **{term: getattr(told, term) for term in TERMS},
        now=books.now,
    )
    if not kept:
        raise NotAllowed(why=f"the offering {told.offering} is another store's")


def _keep_devices(books: Transaction, store: str, told: Directory) -> None:
    gone = {row["device_id"] for row in books.directory.offered_of(store_id=store)}
    terminals = {each.terminal for each in told.terminals}
    offerings = {None, *(each.offering for each in told.offerings)}
    for each in told.devices:
        if each.terminal not in terminals or each.offering not in offerings:
            raise NotAllowed(why=f"the device {each.device} is of nothing that is told with it")
        kept = books.directory.keep_device(
            device_id=each.device,
            store_id=store,
            number=each.number,
            terminal_id=each.terminal,
            key=each.key,
            title=each.title,
            program=each.program,
            is_out_of_order=int(each.is_out_of_order),
        )
        if not kept:
            raise NotAllowed(why=f"the device {each.device} is another store's")
        if each.offering is not None and each.state is not None:
            gone.discard(each.device)
            books.directory.keep_offered(
                device_id=each.device,
                offering_id=each.offering,
                state=each.state,
                reason=each.reason,
                now=books.now,
            )
    for device in gone:
        books.directory.turn_off(device_id=device, now=books.now)
