"""What an order costs, how it is paid and given back, and where the money is (C3)."""

from cloud_controller.flows.payments.charges import Charge, charge, expire
from cloud_controller.flows.payments.quotes import Item, VoucherIsRefused, quote
from cloud_controller.flows.payments.receipts import receipts_of
from cloud_controller.flows.payments.refunds import paid_cents, refund

__all__ = [
    "Charge",
    "Item",
    "VoucherIsRefused",
    "charge",
    "expire",
    "paid_cents",
    "quote",
    "receipts_of",
    "refund",
]
