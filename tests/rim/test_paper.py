"""A printed ticket reads by its code, says what was booked, and nothing runs off the page."""

from __future__ import annotations

from typing import Any

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings, strategies as st

from cloud_controller.web.language import Languages
from cloud_controller.web.paper import TicketPaper, receipts_pdf, ticket_pdf
from common.rules.receipts import Receipt, ReceiptGiven, ReceiptLine, ReceiptRefund, ReceiptTax
from common.seals import TOKEN_LENGTH
from common.words import LANGUAGES
from tests.fakes.store import HOUR_MS, MORNING_AT

TOKEN = ("RSB1ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 9)[:TOKEN_LENGTH]
BOTH = Languages()


def a_ticket(**changed: Any) -> TicketPaper:
    facts = {
        "token": TOKEN,
        "short_code": "K7M2PQ9XTA",
        "store_title": "新宿西口店",
        "time_zone": "Asia/Tokyo",
        "offering_title": "VR Arena",
        "device_title": "Booth 3",
        "device_number": 3,
        "starts_at": MORNING_AT,
        "ends_at": MORNING_AT + HOUR_MS,
        "opens_at": MORNING_AT - 600_000,
        "price_cents": 1500,
        "currency": "JPY",
        "party_size": 1,
        "directions": "新宿駅から三分。",
        "url": "https://play.example/t/0123456789abcdef0123456789abcdef",
    }
    return TicketPaper(**{**facts, **changed})


def a_receipt(**changed: Any) -> Receipt:
    slot = {"starts_at": MORNING_AT, "ends_at": MORNING_AT + HOUR_MS}
    facts = {
        "number": "2026-000123",
        "store_title": "新宿西口店",
        "time_zone": "Asia/Tokyo",
        "issued_at": MORNING_AT,
        "currency": "JPY",
        "lines": (ReceiptLine(title="VR Arena", cents=3000, **slot),),
        "discount_cents": 300,
        "total_cents": 2700,
        "paid_by": "stripe_checkout",
        "taxes": (ReceiptTax(basis_points=1000, gross_cents=2700, tax_cents=245),),
        "refunds": (
            ReceiptRefund(
                number="2026-000124",
                refunded_at=MORNING_AT,
                cents=700,
                taxes=(ReceiptTax(basis_points=1000, gross_cents=700, tax_cents=64),),
            ),
        ),
        "seller": "株式会社留守番",
        "registration": "T1234567890123",
    }
    return Receipt(**{**facts, **changed})


def seen(pdf: bytes) -> tuple[str, Any]:
    """Return the words of the one page, and its picture."""
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    page = document[0]
    return page.get_textpage().get_text_range(), page.render(scale=2).to_pil().convert("L")


@pytest.mark.parametrize("language", LANGUAGES)
def test_c2_a_printed_ticket_reads_and_says_what_was_booked(language: str):
    words, picture = seen(ticket_pdf(a_ticket(), BOTH[language], MORNING_AT))
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [TOKEN]
    for said in ("9:00", "10:00", "8:50", "K7M2P Q9XTA", "VR Arena", "play.example"):
        assert said in words
    assert "新宿西口店" in words.replace("\r\n", "")


@pytest.mark.parametrize("scale", [0.9, 1, 3])
def test_a_printed_code_reads_from_far_and_near(scale: float):
    page = pypdfium2.PdfDocument(ticket_pdf(a_ticket(), BOTH["ja"], MORNING_AT))[0]
    picture = page.render(scale=scale).to_pil().convert("L")
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [TOKEN]


@settings(max_examples=60)
@given(
    title=st.text(max_size=120),
    directions=st.text(max_size=2000),
    number=st.integers(1, 9999),
    party_size=st.integers(1, 99),
)
def test_whatever_a_ticket_says_it_is_one_page_that_reads(
    title: str, directions: str, number: int, party_size: int
):
    ticket = a_ticket(
        offering_title=title,
        store_title=title,
        device_title=title,
        directions=directions,
        device_number=number,
        party_size=party_size,
    )
    _, picture = seen(ticket_pdf(ticket, BOTH["ja"], MORNING_AT))
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [TOKEN]
    assert is_white_around(picture)


def is_white_around(picture: Any) -> bool:
    """Say whether nothing stands in the margins of a page."""
    width, height = picture.size
    edge = int(width * 0.09)
    strips = [
        picture.crop((0, 0, edge, height)),
        picture.crop((width - edge, 0, width, height)),
        picture.crop((0, height - edge, width, height)),
    ]
    return all(strip.getextrema()[0] > 200 for strip in strips)


def test_the_same_ticket_is_the_same_file():
    first, second = (ticket_pdf(a_ticket(), BOTH["ja"], MORNING_AT) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_receipt_says_lines_tax_total_and_what_was_given_back(language: str):
    words, picture = seen(receipts_pdf([a_receipt()], BOTH[language]))
    for said in ("2026-000123", "2026-000124", "3,000", "300", "2,700", "245", "2,000", "64"):
        assert said in words
    assert "T1234567890123" in words
    assert is_white_around(picture)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_receipt_says_what_was_delivered_of_what_was_bought(language: str):
    given = ReceiptGiven(
        title="VR Arena",
        starts_at=MORNING_AT,
        ends_at=MORNING_AT + HOUR_MS,
        promised_seconds=3600.0,
        delivered_seconds=3557.6,
    )
    words, picture = seen(receipts_pdf([a_receipt(given=(given,))], BOTH[language]))
    delivered = BOTH[language].length(3557.6)
    assert delivered in words
    assert delivered not in seen(receipts_pdf([a_receipt()], BOTH[language]))[0]
    assert is_white_around(picture)


def test_two_payments_are_two_pages():
    both = [a_receipt(number="1"), a_receipt(number="2")]
    assert len(pypdfium2.PdfDocument(receipts_pdf(both, BOTH["ja"]))) == 2


def test_a_receipt_of_nothing_paid_names_no_way_of_paying():
    words, _ = seen(receipts_pdf([a_receipt(total_cents=0, refunds=(), taxes=())], BOTH["en"]))
    assert "Paid by" not in words


@pytest.mark.parametrize("many", [1, 18, 40])
def test_a_receipt_of_many_lines_goes_on_on_further_pages(many: int):
    lines = tuple(
        ReceiptLine(title="とても長い題名の部屋" * 6, cents=100, starts_at=0, ends_at=HOUR_MS)
        for _ in range(many)
    )
    document = pypdfium2.PdfDocument(receipts_pdf([a_receipt(lines=lines)], BOTH["ja"]))
    words = "".join(page.get_textpage().get_text_range() for page in document)
    assert words.count("\uffe5100") == many
    for page in document:
        assert is_white_around(page.render(scale=2).to_pil().convert("L"))
