"""Stripe's webhook: what it says is believed where its signature is good and of just now."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud_controller.ports import WebhookIsForged
from common.rules.payments import ProviderSaid, SaidKind

TOLERANCE_SECONDS: Final = 300
"""How old a signature may be, and how far in the future: an older one is somebody's copy."""

SIGNATURES_MAX: Final = 8
"""Signatures of one header; Stripe sends one for each secret it has, two at most."""

STRIPE: Final = "stripe"

Text = Annotated[str, Field(min_length=1, max_length=255)]
Amount = Annotated[int, Field(ge=0, le=2**53)]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Session(_Said):
    id: Text
    client_reference_id: str | None = None
    payment_intent: str | None = None
    payment_status: str
    amount_total: Amount | None = None
    currency: str | None = None


class _Charge(_Said):
    id: Text
    payment_intent: str | None = None
    amount_refunded: Amount
    currency: Text
    metadata: dict[str, str] = {}


class _Dispute(_Said):
    id: Text
    payment_intent: str | None = None
    amount: Amount
    currency: Text


class _Refund(_Said):
    id: Text
    payment_intent: str | None = None
    amount: Amount
    currency: Text
    metadata: dict[str, str] = {}


class _About(_Said):
    object: dict[str, Any]


class _Event(_Said):
    id: Text
    type: Text
    data: _About


def check(body: bytes, header: str, secrets: Sequence[str], *, now_seconds: int) -> None:
    """Check that a body was signed with one of the secrets, just now.

    Args:
        body: what came in, byte for byte.
        secrets: any of them will do, while one is replaced by another.
        header: `Stripe-Signature`, such as `t=1492774577,v1=5257a8…`; other schemes do not count.
        now_seconds: the wall clock in seconds since 1970 UTC.

    Raises:
        WebhookIsForged: it was not, or long ago.
    """
    pairs = [part.strip().partition("=") for part in header.split(",")[: SIGNATURES_MAX + 1]]
    times = [value for name, _, value in pairs if name == "t"]
    given = [value for name, _, value in pairs if name == "v1"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or not given:
        raise WebhookIsForged(why="there is no signature")
    signed = times[0].encode() + b"." + body
    good = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    matches = [
        hmac.compare_digest(one.encode(), other.encode(errors="replace"))
        for one in good
        for other in given
    ]
    if not any(matches):
        raise WebhookIsForged(why="the signature is not theirs")
    if abs(now_seconds - int(times[0][:18])) > TOLERANCE_SECONDS:
        raise WebhookIsForged(why="it was signed at another time")


def word_in(body: bytes) -> ProviderSaid | None:
    """Return what an event says in our own words; None where it does not concern us.

    Raises:
        WebhookIsForged: it is no event of a shape that we know.
    """
    try:
        event = _Event.model_validate_json(body)
        read = _READ.get(event.type)
        return None if read is None else read(event)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False, include_context=False)[0]
        raise WebhookIsForged(why=f"no event of theirs: {first['msg']}"[:80]) from None


def _of_session(kind: SaidKind) -> Callable[[_Event], ProviderSaid]:
    def read(event: _Event) -> ProviderSaid:
        session = _Session.model_validate(event.data.object)
        is_there = session.payment_status == "paid"
        return ProviderSaid(
            provider=STRIPE,
            event_id=event.id,
            kind=SaidKind.UNDER_WAY if kind is SaidKind.CAME_IN and not is_there else kind,
            sameness=session.id,
            payment=session.client_reference_id,
            ref=session.id,
            intent=session.payment_intent,
            cents=session.amount_total or 0,
            currency=(session.currency or "").upper(),
        )

    return read


def _of_charge(event: _Event) -> ProviderSaid:
    charge = _Charge.model_validate(event.data.object)
    return ProviderSaid(
        provider=STRIPE,
        event_id=event.id,
        kind=SaidKind.WENT_BACK,
        sameness=f"{charge.id}/{charge.amount_refunded}",
        payment=charge.metadata.get("payment"),
        intent=charge.payment_intent,
        cents=charge.amount_refunded,
        currency=charge.currency.upper(),
    )


def _of_dispute(kind: SaidKind) -> Callable[[_Event], ProviderSaid]:
    def read(event: _Event) -> ProviderSaid:
        dispute = _Dispute.model_validate(event.data.object)
        return ProviderSaid(
            provider=STRIPE,
            event_id=event.id,
            kind=kind,
            sameness=dispute.id,
            intent=dispute.payment_intent,
            cents=dispute.amount,
            currency=dispute.currency.upper(),
        )

    return read


def _of_refund(event: _Event) -> ProviderSaid | None:
    refund = _Refund.model_validate(event.data.object)
    if "call" not in refund.metadata:
        return None
    return ProviderSaid(
        provider=STRIPE,
        event_id=event.id,
        kind=SaidKind.BOUNCED,
        sameness=refund.id,
        payment=refund.metadata.get("payment"),
        intent=refund.payment_intent,
        cents=refund.amount,
        currency=refund.currency.upper(),
        call=refund.metadata["call"],
    )


_READ: Final[Mapping[str, Callable[[_Event], ProviderSaid | None]]] = {
    "checkout.session.completed": _of_session(SaidKind.CAME_IN),
    "checkout.session.async_payment_succeeded": _of_session(SaidKind.CAME_IN),
    "checkout.session.async_payment_failed": _of_session(SaidKind.FAILED),
    "checkout.session.expired": _of_session(SaidKind.EXPIRED),
    "charge.refunded": _of_charge,
    "charge.dispute.created": _of_dispute(SaidKind.DISPUTED),
    "charge.dispute.funds_reinstated": _of_dispute(SaidKind.REINSTATED),
    "refund.failed": _of_refund,
}
