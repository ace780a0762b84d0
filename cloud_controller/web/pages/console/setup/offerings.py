"""The sheets of an offering: what it is, on which terms, and what it costs when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cloud_controller.flows import offerings, setup
from cloud_controller.flows.offerings import Teller
from cloud_controller.ports import Actor, Transaction
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
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import Answer, Call
from common.messages.offerings import OfferingSaid
from common.rules.payments import Prices
from common.rules.setup import (
    SetupKind,
    bands_in,
    bands_written,
    cents_in,
    cents_written,
    packages_in,
    packages_written,
    seconds_in,
    seconds_list_in,
    seconds_list_written,
    seconds_written,
)
from common.words import LANGUAGES

MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400

UNITS: Final = {
    "grid": ("grid_seconds", MINUTE),
    "turnover": ("turnover_seconds", MINUTE),
    "early": ("early_seconds", MINUTE),
    "lead": ("lead_seconds", MINUTE),
    "horizon": ("horizon_seconds", DAY),
    "change": ("change_seconds", HOUR),
    "cancel": ("cancel_seconds", HOUR),
    "hold": ("hold_seconds", MINUTE),
}
"""The lengths of an offering's terms: the field's name, the document's, and the field's unit."""

PER_CENT: Final = 100
"""Basis points in one per cent."""


class OfferingForm(SheetForm):
    """What an offering is, and its terms."""

    title: Line = ""
    content: Lines = ""
    title_ja: Line = ""
    content_ja: Lines = ""
    title_en: Line = ""
    content_en: Lines = ""
    price: Line = ""
    currency: Line = ""
    lengths: Line = ""
    grid: Line = ""
    turnover: Line = ""
    early: Line = ""
    lead: Line = ""
    horizon: Line = ""
    change: Line = ""
    cancel: Line = ""
    hold: Line = ""
    grace: Line = ""
    party_max: Line = ""
    rotates_code: Flag = ""


class PricesForm(SheetForm):
    """What an offering costs by time, and the tax within."""

    hour: Line = ""
    bands: Lines = ""
    packages: Lines = ""
    is_per_person: Flag = ""
    tax: Line = ""


def offering_sheet(books: Transaction, call: Call[Any]) -> Sheet:
    """Return the sheet of an offering.

    Raises:
        NotFound: there is no such offering.
    """
    row, say = setup.offering(books, call.names["offering"]), call.language.say

    def sections(document: Document) -> Sequence[Section]:
        return (
            Section(
                title=say("setup.words"),
                hint=say("setup.words_hint"),
                fields=_words(call, document),
            ),
            Section(title=say("setup.sold_as"), fields=_sold_as(call, document)),
            Section(
                title=say("setup.terms"),
                hint=say("setup.terms_hint"),
                fields=_terms(call, document),
            ),
        )

    def read(said: Said, now: Document) -> Document:
        return _offering_in(said, now, call)

    is_ours = row["told_by"] == Teller.OPERATOR
    whose = say("setup.words_yours") if is_ours else say("setup.words_terminals")
    return Sheet(
        kind=SetupKind.OFFERING,
        subject=row["offering_id"],
        title=row["title"],
        lead=whose,
        store=row["store_id"],
        sections=sections,
        read=read,
        more={"can_hand_back": is_ours},
        template="console/setup/offering.html",
    )


def prices_sheet(books: Transaction, call: Call[Any]) -> Sheet:
    """Return the sheet of an offering's prices.

    Raises:
        NotFound: there is no such offering.
    """
    row, say = setup.offering(books, call.names["offering"]), call.language.say
    digits = call.language.digits(row["currency"])

    def sections(document: Document) -> Sequence[Section]:
        return _prices_sections(call, document, row["currency"])

    def read(said: Said, _now: Document) -> Document:
        return _prices_in(said, digits)

    return Sheet(
        kind=SetupKind.PRICES,
        subject=row["offering_id"],
        title=say("setup.prices_of", title=row["title"]),
        lead=say("setup.prices_lead", currency=row["currency"]),
        store=row["store_id"],
        sections=sections,
        read=read,
    )


async def hand_back(call: Call[Any]) -> Answer:
    """Let an offering's terminals say again what it is.

    Raises:
        NotFound: there is no such offering, or its words are its terminals' already.
    """

    def give(books: Transaction) -> None:
        row = setup.offering(books, call.names["offering"])
        actor = call.operator.name or Actor.OPERATOR
        offerings.hand_back(books, row["store_id"], row["key"], actor)

    await call.parts.books.transact(give)
    return lead_to(f"/operator/setup/offerings/{call.names['offering']}", said="kept")


def _words(call: Call[Any], document: Document) -> Sequence[Field]:
    say, words = call.language.say, call.language.words
    texts = document["texts"]
    whose = (
        (Teller.OPERATOR.value, say("setup.whose_yours")),
        (Teller.TERMINAL.value, say("setup.whose_terminals")),
    )
    told = Field(
        name="told_by",
        label=say("setup.whose"),
        value=document["told_by"],
        look="told",
        options=whose,
    )
    fields = [
        Field(name="title", label=say("setup.title"), value=document["title"], is_needed=True),
        Field(name="content", label=say("setup.content"), value=document["content"], look="words"),
    ]
    for code in LANGUAGES:
        said, name = texts.get(code, {}), words[f"language.{code}"]
        fields += [
            Field(
                name=f"title_{code}",
                label=say("setup.title_in", language=name),
                value=said.get("title", ""),
            ),
            Field(
                name=f"content_{code}",
                label=say("setup.content_in", language=name),
                value=said.get("content", ""),
                look="words",
            ),
        ]
    return (*fields, told)


def _sold_as(call: Call[Any], document: Document) -> Sequence[Field]:
    say, currency = call.language.say, document["currency"]
    digits = call.language.digits(currency)
    return (
        Field(
            name="price",
            label=say("setup.price"),
            value=cents_written(document["price_cents"], digits),
            look="number",
            unit=currency,
            hint=say("setup.price_hint"),
        ),
        Field(name="currency", label=say("setup.currency"), value=currency, is_needed=True),
        Field(
            name="lengths",
            label=say("setup.lengths"),
            value=seconds_list_written(document["lengths_seconds"]),
            unit=say("setup.minutes"),
            hint=say("setup.lengths_hint"),
            is_needed=True,
        ),
        _length(call, document, "grid", say("setup.grid"), say("setup.grid_hint")),
        _length(call, document, "turnover", say("setup.turnover"), say("setup.turnover_hint")),
        Field(
            name="party_max",
            label=say("setup.party"),
            value=str(document["party_max"]),
            look="number",
        ),
    )


def _terms(call: Call[Any], document: Document) -> Sequence[Field]:
    say, grace = call.language.say, document["grace_seconds"]
    return (
        _length(call, document, "early", say("setup.early"), say("setup.early_hint")),
        Field(
            name="grace",
            label=say("setup.grace"),
            value="" if grace is None else seconds_written(grace, MINUTE),
            look="number",
            unit=say("setup.minutes"),
            hint=say("setup.grace_hint"),
        ),
        _length(call, document, "lead", say("setup.ahead")),
        _length(call, document, "horizon", say("setup.horizon")),
        _length(call, document, "change", say("setup.may_change")),
        _length(call, document, "cancel", say("setup.may_cancel")),
        _length(call, document, "hold", say("setup.hold"), say("setup.hold_hint")),
        Field(
            name="rotates_code",
            label=say("setup.rotates"),
            value="True" if document["rotates_code"] else "",
            look="flag",
            options=(("True", say("setup.yes")),),
        ),
    )


def _length(call: Call[Any], document: Document, name: str, label: str, hint: str = "") -> Field:
    inside, unit = UNITS[name]
    say = call.language.say
    units = {MINUTE: say("setup.minutes"), HOUR: say("setup.hours"), DAY: say("setup.days")}
    value = seconds_written(document[inside], unit)
    return Field(name=name, label=label, value=value, look="number", unit=units[unit], hint=hint)


def _offering_in(said: Said, now: Document, call: Call[Any]) -> Document:
    reading = Reading(said)
    currency = reading.text("currency").upper()
    if len(currency) != len("JPY") or not (currency.isascii() and currency.isalpha()):
        reading.refuse("currency", "no_currency")
    reading.check()
    texts = {
        code: {"title": reading.text(f"title_{code}"), "content": reading.text(f"content_{code}")}
        for code in LANGUAGES
        if reading.text(f"title_{code}") or reading.text(f"content_{code}")
    }
    others = {code: told for code, told in now["texts"].items() if code not in LANGUAGES}
    lengths = {
        inside: reading.take(name, seconds_in, unit) for name, (inside, unit) in UNITS.items()
    }
    grace = reading.take("grace", seconds_in, MINUTE) if reading.text("grace") else None
    document = {
        **{name: each for name, each in now.items() if name != "told_by"},
        "title": reading.text("title"),
        "content": reading.text("content"),
        "texts": others | texts,
        "price_cents": reading.take("price", cents_in, call.language.digits(currency)),
        "currency": currency,
        "lengths_seconds": reading.take("lengths", seconds_list_in),
        **lengths,
        "grace_seconds": grace,
        "party_max": reading.take("party_max", seconds_in, 1),
        "rotates_code": reading.flag("rotates_code"),
    }
    if not reading.text("title"):
        reading.refuse("title", "missing")
    where = {inside: name for name, (inside, _) in UNITS.items()}
    where |= {"lengths_seconds": "lengths", "price_cents": "price", "grace_seconds": "grace"}
    where |= {f"texts.{code}.title": f"title_{code}" for code in LANGUAGES}
    where |= {f"texts.{code}.content": f"content_{code}" for code in LANGUAGES}
    checked = reading.checked(OfferingSaid, document, where)
    return {"told_by": Teller.OPERATOR.value, **checked.model_dump(mode="json")}


def _prices_sections(call: Call[Any], document: Document, currency: str) -> Sequence[Section]:
    say = call.language.say
    tax = Field(
        name="tax",
        label=say("setup.tax_rate"),
        value=seconds_written(document["tax_basis_points"], PER_CENT),
        look="number",
        unit="%",
        hint=say("setup.tax_hint"),
    )
    by_time = _by_time(call, document, currency)
    return (
        Section(title=say("setup.by_time"), hint=say("setup.by_time_hint"), fields=by_time),
        Section(title=say("setup.tax"), fields=(tax,)),
    )


def _by_time(call: Call[Any], document: Document, currency: str) -> Sequence[Field]:
    say, digits = call.language.say, call.language.digits(currency)
    hour = document["cents_per_hour"]
    return (
        Field(
            name="hour",
            label=say("setup.hour"),
            value="" if hour is None else cents_written(hour, digits),
            look="number",
            unit=currency,
            hint=say("setup.hour_hint"),
        ),
        Field(
            name="bands",
            label=say("setup.bands"),
            value=bands_written(document["bands"], digits),
            look="lines",
            hint=say("setup.bands_hint"),
        ),
        Field(
            name="packages",
            label=say("setup.packages"),
            value=packages_written(document["packages"], digits),
            look="lines",
            hint=say("setup.packages_hint"),
        ),
        Field(
            name="is_per_person",
            label=say("setup.per_person"),
            value="True" if document["is_per_person"] else "",
            look="flag",
            options=(("True", say("setup.yes")),),
        ),
    )


def _prices_in(said: Said, digits: int) -> Document:
    reading = Reading(said)
    document = {
        "cents_per_hour": reading.take("hour", cents_in, digits) if reading.text("hour") else None,
        "bands": reading.take("bands", bands_in, digits) or (),
        "packages": reading.take("packages", packages_in, digits) or (),
        "is_per_person": reading.flag("is_per_person"),
        "tax_basis_points": reading.take("tax", seconds_in, PER_CENT),
    }
    if document["cents_per_hour"] is None and (document["bands"] or document["packages"]):
        reading.refuse("hour", "needs_hour")
    where = {"cents_per_hour": "hour", "tax_basis_points": "tax"}
    return reading.checked(Prices, document, where).model_dump(mode="json")
