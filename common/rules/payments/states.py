"""Where a payment stands, and by which way it is paid."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.machine import Machine


class Method(StrEnum):
    """How an order is paid."""

    FREE = "free"
    """Nobody is asked for money by us: what is due is settled outside."""
    VOUCHER = "voucher"
    """Vouchers cover the whole of it."""
    STRIPE_CHECKOUT = "stripe_checkout"
    """On a page of Stripe's."""


class PaymentState(StrEnum):
    """Where a payment stands."""

    PENDING = "pending"
    PAID = "paid"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    EXPIRED = "expired"


class PaymentEvent(StrEnum):
    """What becomes of it."""

    PAY = "pay"
    REFUND_PART = "refund_part"
    REFUND_REST = "refund_rest"
    FAIL = "fail"
    EXPIRE = "expire"


PAYMENT: Final = Machine(
    name="payment",
    first=PaymentState.PENDING,
    table={
        (PaymentState.PENDING, PaymentEvent.PAY): PaymentState.PAID,
        (PaymentState.EXPIRED, PaymentEvent.PAY): PaymentState.PAID,
        (PaymentState.FAILED, PaymentEvent.PAY): PaymentState.PAID,
        (PaymentState.PENDING, PaymentEvent.FAIL): PaymentState.FAILED,
        (PaymentState.PENDING, PaymentEvent.EXPIRE): PaymentState.EXPIRED,
        (PaymentState.PAID, PaymentEvent.REFUND_PART): PaymentState.PARTLY_REFUNDED,
        (PaymentState.PARTLY_REFUNDED, PaymentEvent.REFUND_PART): PaymentState.PARTLY_REFUNDED,
        (PaymentState.PAID, PaymentEvent.REFUND_REST): PaymentState.REFUNDED,
        (PaymentState.PARTLY_REFUNDED, PaymentEvent.REFUND_REST): PaymentState.REFUNDED,
    },
)
"""Money that comes late is money all the same: it is taken, and then earned or given back."""


def chosen(asked: Method | None, due_cents: int, allowed: frozenset[Method]) -> Method | None:
    """Return how an amount is paid, or None: not in the way that was asked for.

    Nobody is sent to a provider for nought, and nobody chooses to pay nothing where the controller
    takes money.
    """
    if due_cents == 0:
        return Method.VOUCHER if asked is Method.VOUCHER else Method.FREE
    if asked is None:
        paying = sorted(allowed - {Method.VOUCHER}, key=list(Method).index)
        return paying[0] if paying else None
    return asked if asked in allowed - {Method.VOUCHER} else None
