"""A ticket and a receipt as PDF to print: black on white, Japanese and English.

What a page says comes in as plain values; where it stands is decided here.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cloud_controller.web.language import Language
from cloud_controller.web.paper.page import HEIGHT, LEFT, MM, QR_MM, Fact, Page
from common.rules.receipts import Receipt, ReceiptLine, ReceiptTax

MEDIA_TYPE: Final = "application/pdf"

LINES_MAX: Final = 12
"""Lines of directions on a ticket; what is longer is on the ticket's page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketPaper:
    """What a printed ticket says; a cancelled or used one is not printed.

    `token` is None where only the ticket's page can show its code.
    """

    token: str | None
    short_code: str
    store_title: str
    time_zone: str
    offering_title: str
    device_title: str
    device_number: int
    starts_at: int
    ends_at: int
    opens_at: int
    price_cents: int
    currency: str
    party_size: int
    directions: str
    url: str


def ticket_pdf(ticket: TicketPaper, language: Language, now: int) -> bytes:
    """Return a ticket as one page of A4."""
    file = io.BytesIO()
    page = Page(file, f"{ticket.store_title} · {ticket.offering_title}", language)
    page.brand(language.say("paper.ticket"))
    top = HEIGHT - 48 * MM
    height = 112 * MM
    page.card(top, height)
    if ticket.token is not None:
        page.code(ticket.token, LEFT + 4 * MM, top - 5 * MM - QR_MM * MM)
    if ticket.short_code:
        page.centred(
            grouped(ticket.short_code), LEFT + (4 + QR_MM / 2) * MM, top - 87 * MM, 15, typed=True
        )
        page.centred(
            language.say("paper.short_code"), LEFT + (4 + QR_MM / 2) * MM, top - 93 * MM, 8
        )
    page.facts(_facts_of(ticket, language, now), LEFT + 88 * MM, top - 13 * MM, 72 * MM)
    page.perforation(top - 98 * MM)
    how = language.say("paper.show_it")
    if ticket.token is None:
        how = language.say("ticket.on_its_page")
    page.text(how, LEFT + 7 * MM, top - 106 * MM, 9.5, soft=True)
    below = top - height - 10 * MM
    if ticket.directions.strip():
        below = page.paragraph(
            language.say("ticket.directions"), ticket.directions, below, most=LINES_MAX
        )
    page.paragraph(language.say("paper.link"), ticket.url, below, most=3, link=ticket.url)
    return page.done(file)


def receipts_pdf(receipts: Sequence[Receipt], language: Language) -> bytes:
    """Return receipts on A4: a page each, unless there is a lot on one."""
    assert receipts, "there is something to write"
    file = io.BytesIO()
    page = Page(file, f"{language.say('paper.receipt')} {receipts[0].number}", language)
    for number, receipt in enumerate(receipts):
        if number:
            page.turn()
        _write_receipt(page, receipt, language)
    return page.done(file)


def grouped(code: str) -> str:
    """Return a short code as a person reads it out: in two halves."""
    middle = (len(code) + 1) // 2
    return f"{code[:middle]} {code[middle:]}".strip()


def _write_receipt(page: Page, receipt: Receipt, language: Language) -> None:
    page.brand(language.say("paper.receipt"))
    at = page.table(_head_of(receipt, language), HEIGHT - 52 * MM, soft_left=True)
    page.rule(at)
    lines = [
        (_titled(line, receipt, language), _money(line.cents, receipt, language))
        for line in receipt.lines
    ]
    if receipt.discount_cents:
        off = _money(-receipt.discount_cents, receipt, language)
        lines.append((language.say("paper.discount"), off))
    at = page.table(lines, at - 9 * MM)
    page.rule(at, strong=True)
    total = (language.say("paper.total"), _money(receipt.total_cents, receipt, language))
    at = page.table([total], at - 11 * MM, size=16, bold=True)
    at = page.table(_taxes_of(receipt.taxes, receipt, language), at, soft_left=True)
    paid_by = language.say(f"paper.paid.{receipt.paid_by}") if receipt.total_cents else ""
    if paid_by:
        at = page.table([(language.say("paper.paid_by"), paid_by)], at, soft_left=True)
    if receipt.refunds:
        page.rule(at)
        at = page.table(list(_refunds_of(receipt, language)), at - 9 * MM)
        kept = receipt.total_cents - receipt.refunded_cents
        after = (language.say("paper.after_refunds"), _money(kept, receipt, language))
        at = page.table([after], at, bold=True)
    if receipt.given:
        page.rule(at)
        page.table(list(_given_of(receipt, language)), at - 9 * MM, soft_left=True)
    page.text(language.say("paper.thanks"), LEFT, 24 * MM, 9, soft=True)


def _facts_of(ticket: TicketPaper, language: Language, now: int) -> list[Fact]:
    zone = ticket.time_zone
    starts, ends = language.time(ticket.starts_at, zone), language.time(ticket.ends_at, zone)
    people = language.say("paper.people", count=ticket.party_size)
    price = language.price(ticket.price_cents, ticket.currency)
    return [
        Fact(
            label=language.say("ticket.booth"),
            words=str(ticket.device_number),
            more=ticket.device_title,
            size=40,
        ),
        Fact(
            label=language.date(ticket.starts_at, zone, now=now),
            words=language.say("time.from_to", starts=starts, ends=ends),
            more=language.say("paper.opens", opens=language.time(ticket.opens_at, zone)),
            size=19,
        ),
        Fact(label=language.say("ticket.where"), words=ticket.store_title, size=12),
        Fact(
            label=language.say("ticket.for"),
            words=ticket.offering_title,
            more=f"{people} · {price}" if ticket.party_size > 1 else price,
            size=12,
        ),
    ]


def _head_of(receipt: Receipt, language: Language) -> list[tuple[str, str]]:
    zone = receipt.time_zone
    issued = language.date(receipt.issued_at, zone)
    rows = [
        (language.say("paper.number"), receipt.number),
        (language.say("paper.issued"), f"{issued} {language.time(receipt.issued_at, zone)}"),
        (language.say("paper.seller"), receipt.seller or receipt.store_title),
    ]
    if receipt.seller:
        rows.append((language.say("ticket.where"), receipt.store_title))
    if receipt.registration:
        rows.append((language.say("paper.registration"), receipt.registration))
    return rows


def _titled(line: ReceiptLine, receipt: Receipt, language: Language) -> str:
    zone = receipt.time_zone
    if line.starts_at is None or line.ends_at is None:
        return line.title
    starts, ends = language.time(line.starts_at, zone), language.time(line.ends_at, zone)
    when = language.say("time.from_to", starts=starts, ends=ends)
    return f"{line.title}\n{language.date(line.starts_at, zone)} {when}"


def _taxes_of(
    taxes: Iterable[ReceiptTax], receipt: Receipt, language: Language
) -> list[tuple[str, str]]:
    return [
        (
            language.say(
                "paper.tax",
                rate=f"{tax.basis_points / 100:g}",
                gross=_money(tax.gross_cents, receipt, language),
            ),
            _money(tax.tax_cents, receipt, language),
        )
        for tax in taxes
    ]


def _given_of(receipt: Receipt, language: Language) -> Iterator[tuple[str, str]]:
    """Say what was measured of each use that is over, whatever of it was paid back."""
    zone = receipt.time_zone
    for each in receipt.given:
        starts, day = language.time(each.starts_at, zone), language.date(each.starts_at, zone)
        said = language.say("paper.given", title=each.title, day=day, starts=starts)
        delivered, promised = (
            language.length(seconds) for seconds in (each.delivered_seconds, each.promised_seconds)
        )
        yield said, language.say("paper.given_of", delivered=delivered, promised=promised)


def _refunds_of(receipt: Receipt, language: Language) -> Iterator[tuple[str, str]]:
    for refund in receipt.refunds:
        day = language.date(refund.refunded_at, receipt.time_zone)
        said = language.say("paper.refund", day=day, number=refund.number)
        yield said, _money(-refund.cents, receipt, language)
        yield from _taxes_of(refund.taxes, receipt, language)


def _money(cents: int, receipt: Receipt, language: Language) -> str:
    return language.amount(cents, receipt.currency)
