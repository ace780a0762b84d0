"""Prices, vouchers, tax, and where money stands: whole minor units, and double entry (C3)."""

from common.rules.payments.ledger import (
    CASH,
    Account,
    EntryKind,
    Posting,
    entry,
    is_balanced,
    kept_cents,
    undone,
)
from common.rules.payments.prices import Band, Package, Part, Prices, Stay, price_of
from common.rules.payments.quotes import Line, Quote, as_text, discounted, quote_in
from common.rules.payments.states import PAYMENT, Method, PaymentEvent, PaymentState, chosen
from common.rules.payments.tax import TaxLine, given_back, tax_lines
from common.rules.payments.vouchers import (
    CODE_LENGTH,
    Cost,
    Discount,
    VoucherFacts,
    VoucherKind,
    VoucherNo,
    VoucherTerms,
    discount_of,
)

__all__ = [
    "CASH",
    "CODE_LENGTH",
    "PAYMENT",
    "Account",
    "Band",
    "Cost",
    "Discount",
    "EntryKind",
    "Line",
    "Method",
    "Package",
    "Part",
    "PaymentEvent",
    "PaymentState",
    "Posting",
    "Prices",
    "Quote",
    "Stay",
    "TaxLine",
    "VoucherFacts",
    "VoucherKind",
    "VoucherNo",
    "VoucherTerms",
    "as_text",
    "chosen",
    "discount_of",
    "discounted",
    "entry",
    "given_back",
    "is_balanced",
    "kept_cents",
    "price_of",
    "quote_in",
    "tax_lines",
    "undone",
]
