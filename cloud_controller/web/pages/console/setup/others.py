"""The sheets of a program, a device and a helper; and helpers made, let in anew, and let go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import Field as Limits

from cloud_controller.flows import help as calls, service, setup
from cloud_controller.flows.help import HelperMade
from cloud_controller.ports import Actor, NotFound, Row, Transaction
from cloud_controller.web.pages.console.setup.fields import (
    Document,
    Field,
    Flag,
    Line,
    Lines,
    Reading,
    Said,
    Section,
    Sheet,
    SheetForm,
)
from cloud_controller.web.pages.console.shell import shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import Answer, Call, Page, Shape
from common.messages.help import NAME_LENGTH_MAX
from common.messages.service import Program
from common.rules.accounts import EVERY_STORE, Permission
from common.rules.help import clean_line
from common.rules.setup import (
    SetupKind,
    cents_in,
    cents_written,
    seconds_in,
    seconds_list_in,
    seconds_list_written,
    seconds_written,
)

GIGABYTE: Final = 2**30
MINUTE: Final = 60

PLACE_LENGTH_MAX: Final = 200

FLAGS: Final = ("needs_gpu", "needs_camera", "needs_scanner")
COUNTS: Final = ("cores_min", "displays_min", "display_width_min", "display_height_min")
BYTES: Final = ("memory_bytes_min", "gpu_memory_bytes_min")


class ProgramForm(SheetForm):
    """What a program asks of a PC, and how its devices are sold where terminals say nothing."""

    cores_min: Line = ""
    memory_bytes_min: Line = ""
    needs_gpu: Flag = ""
    gpu_memory_bytes_min: Line = ""
    displays_min: Line = ""
    display_width_min: Line = ""
    display_height_min: Line = ""
    needs_camera: Flag = ""
    needs_scanner: Flag = ""
    modules: Lines = ""
    key: Line = ""
    title: Line = ""
    price: Line = ""
    lengths: Line = ""
    turnover: Line = ""


class DeviceForm(SheetForm):
    """Where a device stands."""

    place: Lines = ""


class HelperForm(SheetForm):
    """Who helps, and where: the ids of stores."""

    name: Line = ""
    stores: Lines = ""


class NewHelperForm(Shape):
    """A helper to make, of the store that the address names."""

    name: Annotated[Line, Limits(min_length=1)]


def program_sheet(books: Transaction, call: Call[Any]) -> Sheet:
    """Return the sheet of a program that we know, or that a device of ours names.

    Raises:
        NotFound: nobody has ever named it.
    """
    name, say = call.names["program"], call.language.say
    if name not in service.programs(books) and not books.setup.is_named(program=name):
        raise NotFound(what="program")

    def sections(document: Document) -> Sequence[Section]:
        asks, sold = _asks(call, document), _sold(call, document)
        return (
            Section(title=say("setup.asks"), hint=say("setup.asks_hint"), fields=asks),
            Section(title=say("setup.draft"), hint=say("setup.draft_hint"), fields=sold),
        )

    return Sheet(
        kind=SetupKind.PROGRAM,
        subject=name,
        title=name,
        lead=say("setup.program_lead"),
        store="",
        sections=sections,
        read=lambda said, now: _program_in(said, now, call),
    )


def device_sheet(books: Transaction, call: Call[Any]) -> Sheet:
    """Return the sheet of a device.

    Raises:
        NotFound: there is no such device.
    """
    row, say = setup.device(books, call.names["device"]), call.language.say

    def sections(document: Document) -> Sequence[Section]:
        place = Field(
            name="place",
            label=say("setup.place"),
            value=document["place"],
            hint=say("setup.place_hint"),
        )
        return (Section(title=say("setup.for_customers"), fields=(place,)),)

    def read(said: Said, _now: Document) -> Document:
        reading = Reading(said)
        if len(reading.text("place")) > PLACE_LENGTH_MAX:
            reading.refuse("place", "too_long")
        reading.check()
        return {"place": reading.text("place")}

    return Sheet(
        kind=SetupKind.DEVICE,
        subject=row["device_id"],
        title=say("setup.device_of", number=row["number"], title=row["title"]),
        lead=say("setup.device_lead"),
        store=row["store_id"],
        sections=sections,
        read=read,
    )


def helper_sheet(books: Transaction, call: Call[Any]) -> Sheet:
    """Return the sheet of a helper.

    Raises:
        NotFound: there is no such helper, or he helps where the caller sees nothing.
    """
    helper, say = call.names["helper"], call.language.say
    now = calls.helper_document(books, helper)
    if not _may(call, Permission.LOOK, now["stores"]):
        raise NotFound(what="helper")

    def sections(document: Document) -> Sequence[Section]:
        fields = (
            Field(
                name="name", label=say("setup.helper_name"), value=document["name"], is_needed=True
            ),
            Field(
                name="stores",
                label=say("setup.helper_stores"),
                value="\n".join(document["stores"]),
                look="lines",
                hint=say("setup.helper_stores_hint", stores=", ".join(_stores(books, call))),
                is_needed=True,
            ),
        )
        return (Section(title=say("setup.for_customers"), fields=fields),)

    def read(said: Said, before: Document) -> Document:
        return _helper_in(said, before, set(_stores(books, call)))

    return Sheet(
        kind=SetupKind.HELPER,
        subject=helper,
        title=now["name"],
        lead=say("setup.helper_lead"),
        store=EVERY_STORE if not _may(call, Permission.SET_UP, now["stores"]) else "",
        sections=sections,
        read=read,
        more={"may_set_up": _may(call, Permission.SET_UP, now["stores"])},
        may_say=lambda document: _may(call, Permission.SET_UP, document["stores"]),
        template="console/setup/helper.html",
    )


async def add_helper(call: Call[NewHelperForm]) -> Answer:
    """Make a helper of a store; his link is shown once, on the page that answers."""
    name = clean_line(call.asked.name)
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        return lead_to("/operator/setup", store=call.names["store"], said="no_name")
    actor = call.operator.name or Actor.OPERATOR
    made = await call.parts.books.transact(calls.add, name, (call.names["store"],), actor)
    return await _link_page(call, made)


async def renew_link(call: Call[Any]) -> Answer:
    """Give a helper another link, shown once, on the page that answers."""
    return await _link_page(call, await call.parts.books.transact(_renew, call))


async def remove_helper(call: Call[Any]) -> Answer:
    """Let a helper help no more."""

    def remove(books: Transaction) -> None:
        _check_helper(books, call)
        calls.remove(books, call.names["helper"], call.operator.name or Actor.OPERATOR)

    await call.parts.books.transact(remove)
    return lead_to("/operator/setup", said="removed")


def _renew(books: Transaction, call: Call[Any]) -> HelperMade:
    _check_helper(books, call)
    return calls.new_link(books, call.names["helper"], call.operator.name or Actor.OPERATOR)


def _check_helper(books: Transaction, call: Call[Any]) -> None:
    stores = calls.helper_document(books, call.names["helper"])["stores"]
    if not _may(call, Permission.SET_UP, stores):
        raise NotFound(what="helper")


async def _link_page(call: Call[Any], made: HelperMade) -> Page:
    facts = {
        "shell": await call.parts.books.read(shell_of, call, "setup"),
        "name": made.name,
        "address_once": f"{call.parts.public_url}/helper/enter/{made.link}",
        "helper": made.helper,
    }
    return Page(template="console/setup/link.html", facts=facts)


def _may(call: Call[Any], permission: Permission, stores: Sequence[str]) -> bool:
    """Say whether a helper's every store is one in which the caller may do this."""
    return all(call.operator.may(permission, store) for store in stores)


def _stores(books: Transaction, call: Call[Any]) -> tuple[str, ...]:
    rows: list[Row] = list(books.registration.stores())
    ids = (str(row["store_id"]) for row in rows)
    return tuple(each for each in ids if call.operator.may(Permission.SET_UP, each))


def _helper_in(said: Said, before: Document, may: set[str]) -> Document:
    reading = Reading(said)
    name, stores = clean_line(reading.text("name")), reading.text("stores").split()
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        reading.refuse("name", "missing" if not name else "too_long")
    if not stores:
        reading.refuse("stores", "missing")
    elif not set(stores) - set(before["stores"]) <= may:
        reading.refuse("stores", "no_store")
    reading.check()
    return {"name": name, "stores": sorted(set(stores))}


def _asks(call: Call[Any], document: Document) -> Sequence[Field]:
    say, asks = call.language.say, document["requires"]
    labels = {
        "cores_min": say("setup.cores"),
        "memory_bytes_min": say("setup.memory"),
        "needs_gpu": say("setup.gpu"),
        "gpu_memory_bytes_min": say("setup.gpu_memory"),
        "displays_min": say("setup.displays"),
        "display_width_min": say("setup.display_width"),
        "display_height_min": say("setup.display_height"),
        "needs_camera": say("setup.camera"),
        "needs_scanner": say("setup.scanner"),
    }
    fields = []
    for name, label in labels.items():
        if name in FLAGS:
            value, yes = "True" if asks[name] else "", (("True", say("setup.yes")),)
            fields.append(Field(name=name, label=label, value=value, look="flag", options=yes))
            continue
        is_bytes = name in BYTES
        value = seconds_written(asks[name], GIGABYTE if is_bytes else 1)
        unit = "GB" if is_bytes else ""
        fields.append(Field(name=name, label=label, value=value, look="number", unit=unit))
    modules = Field(
        name="modules",
        label=say("setup.modules"),
        value=" ".join(document["modules"]),
        hint=say("setup.modules_hint"),
    )
    return (*fields, modules)


def _sold(call: Call[Any], document: Document) -> Sequence[Field]:
    say, draft = call.language.say, document["offering"] or {}
    currency = draft.get("currency", "JPY")
    digits = call.language.digits(currency)
    return (
        Field(
            name="key",
            label=say("setup.key"),
            value=draft.get("key", ""),
            hint=say("setup.key_hint"),
        ),
        Field(name="title", label=say("setup.title"), value=draft.get("title", "")),
        Field(
            name="price",
            label=say("setup.price"),
            value=cents_written(draft["price_cents"], digits) if draft else "",
            look="number",
            unit=currency,
        ),
        Field(
            name="lengths",
            label=say("setup.lengths"),
            value=seconds_list_written(draft.get("lengths_seconds", (3600,))),
            unit=say("setup.minutes"),
        ),
        Field(
            name="turnover",
            label=say("setup.turnover"),
            value=seconds_written(draft.get("turnover_seconds", 300), MINUTE),
            look="number",
            unit=say("setup.minutes"),
        ),
    )


def _program_in(said: Said, now: Document, call: Call[Any]) -> Document:
    reading = Reading(said)
    asks = {name: reading.flag(name) for name in FLAGS}
    counts = {name: reading.take(name, seconds_in, 1) for name in COUNTS}
    sizes = {name: reading.take(name, seconds_in, GIGABYTE) for name in BYTES}
    draft, before = None, now["offering"] or {}
    if reading.text("key") or reading.text("title"):
        digits = call.language.digits(before.get("currency", "JPY"))
        draft = {
            **before,
            "key": reading.text("key"),
            "title": reading.text("title"),
            "price_cents": reading.take("price", cents_in, digits) if reading.text("price") else 0,
            "lengths_seconds": reading.take("lengths", seconds_list_in),
            "turnover_seconds": reading.take("turnover", seconds_in, MINUTE),
        }
    document = {
        **now,
        "requires": {**now["requires"], **asks, **counts, **sizes},
        "modules": tuple(reading.text("modules").replace(",", " ").split()),
        "offering": draft,
    }
    where = {f"requires.{name}": name for name in (*FLAGS, *COUNTS, *BYTES)}
    where |= {f"offering.{name}": name for name in ("key", "title")}
    where |= {"offering.price_cents": "price", "offering.lengths_seconds": "lengths"}
    where |= {"offering.turnover_seconds": "turnover"}
    return reading.checked(Program, document, where).model_dump(mode="json")
