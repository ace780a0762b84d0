"""What an order costs, how it is paid and given back, and where the money is (C6)."""

from cloud_controller.flows.payments.calls import (
    call_due,
    calls_due,
    expire_what_is_over,
    note_closed,
    note_in_vain,
    note_opened,
    note_refunded,
    note_refused,
    page_due,
    page_of,
)
from cloud_controller.flows.payments.charges import Charge, charge, expire
from cloud_controller.flows.payments.credits import pay_credits
from cloud_controller.flows.payments.events import hear_provider
from cloud_controller.flows.payments.prices import (
    NewVoucher,
    entries,
    make_voucher,
    prices_of,
    revoke_voucher,
    set_prices,
    vouchers,
)
from cloud_controller.flows.payments.quotes import Item, VoucherIsRefused, quote, quote_more
from cloud_controller.flows.payments.receipts import receipts_of
from cloud_controller.flows.payments.refunds import paid_cents, refund

__all__ = [
    "Charge",
    "Item",
    "NewVoucher",
    "VoucherIsRefused",
    "call_due",
    "calls_due",
    "charge",
    "entries",
    "expire",
    "expire_what_is_over",
    "hear_provider",
    "make_voucher",
    "note_closed",
    "note_in_vain",
    "note_opened",
    "note_refunded",
    "note_refused",
    "page_due",
    "page_of",
    "paid_cents",
    "pay_credits",
    "prices_of",
    "quote",
    "quote_more",
    "receipts_of",
    "refund",
    "revoke_voucher",
    "set_prices",
    "vouchers",
]
