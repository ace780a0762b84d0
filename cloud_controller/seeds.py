"""What the settings file says of stores and programs: sown at the start, where nobody spoke since.

Its law: the file is a seed; what a person has said, in the console, by the API or on the command
line, survives every start (docs/decisions/0076).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_controller import bookings
from cloud_controller.flows import registration
from cloud_controller.flows.registration import NewStore
from cloud_controller.ports import Books
from cloud_controller.settings import ControllerSettings, StoreSettings
from common.ids import StoreId
from common.messages.service import Requirements
from common.rules.reservations import hours_text
from common.rules.setup import SetupKind

Seeds = Mapping[tuple[SetupKind, str], Mapping[str, Any]]
"""What the file says of each subject that it names, as its versions say it."""


async def sow(settings: ControllerSettings, books: Books) -> None:
    """Make the stores and programs of the settings file known; what people have said stays."""
    for store in settings.stores:
        await books.transact(registration.add_store, _new_store(store))
    for program in settings.programs:
        await books.transact(bookings.sow_program, program)


def seeds_of(settings: ControllerSettings) -> Seeds:
    """Return what the settings file says, for whoever looks at what stands instead."""
    found: dict[tuple[SetupKind, str], Mapping[str, Any]] = {}
    for store in settings.stores:
        row = {
            "title": store.title,
            "time_zone": store.time_zone,
            "directions": store.directions,
            "policy": store.policy.value,
            "rules": (store.rules or Requirements()).model_dump_json(),
        }
        found[SetupKind.STORE, store.store] = registration.store_document(row)
        hours = registration.hours_document(hours_text(store.hours))
        found[SetupKind.HOURS, store.store] = hours
    for program in settings.programs:
        found[SetupKind.PROGRAM, program.program] = program.model_dump(mode="json")
    return found


def _new_store(store: StoreSettings) -> NewStore:
    return NewStore(
        store=StoreId(store.store),
        title=store.title,
        time_zone=store.time_zone,
        policy=store.policy,
        rules=store.rules,
        number=store.number,
        hours=store.hours,
        directions=store.directions,
    )
