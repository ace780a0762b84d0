"""A fault becomes an answer: `application/problem+json`, a stable code and never a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from pydantic import Field

from cloud_controller.bookings import ActIsRefused, IsNotExtended
from cloud_controller.flows.enrolment import KeyIsKnown, NotRenewed
from cloud_controller.flows.modules import PackageNotGiven
from cloud_controller.flows.payments import VoucherIsRefused
from cloud_controller.flows.reservations import HoldIsOver, TicketIsHeld
from cloud_controller.ports import (
    CodeIsSpent,
    NotAllowed,
    NotFound,
    NotPermitted,
    SlotIsTaken,
    WebhookIsForged,
)
from cloud_controller.web.language import Language
from cloud_controller.web.routes import InstantText, Shape
from common.errors import RusubanError, StorageIsAway, StorageIsFull, TooManyWaiting

MEDIA_TYPE: Final = "application/problem+json"

RETRY_SECONDS: Final = 1
"""When to try again where only a moment is needed."""


class MalformedJson(RusubanError):
    """The body is not JSON."""


class WrongContentType(RusubanError):
    """The body has to be {wanted}."""


class InvalidBody(RusubanError):
    """{field}: {why}."""


class InvalidQuery(RusubanError):
    """{field}: {why}."""


class NotAPicture(RusubanError):
    """This is no picture that can be read: {why}."""


class BodyTooLarge(RusubanError):
    """The body has more than {limit_bytes} bytes."""


class BodyTooSlow(RusubanError):
    """The body did not come in {limit_seconds} seconds."""


class MethodNotAllowed(RusubanError):
    """Nothing here can be told to {method}."""


class NotSignedIn(RusubanError):
    """Only an operator may do this: send a token as a Bearer token."""


class SignInNeeded(RusubanError):
    """This page is for operators who have signed in."""


class ProofIsOld(RusubanError):
    """For this the second step has to have been shown a short while ago."""


class PeerNotAdmitted(RusubanError):
    """This certificate is not that of a controller we let in, or not of the one that speaks."""


class ForeignOrigin(RusubanError):
    """A form of ours can only be sent from a page of ours."""


class TooManyAttempts(RusubanError):
    """That was tried too often; wait {retry_seconds} seconds."""


class TooManyViewers(RusubanError):
    """No more pages can be told of changes at once; ask again in {retry_seconds} seconds."""


class IdempotencyKeyMissing(RusubanError):
    """The header Idempotency-Key is missing, or is not 16 to 128 letters, digits, - and _."""


class IdempotencyKeyReused(RusubanError):
    """This Idempotency-Key has been used for something else."""


class StillRunning(RusubanError):
    """The first call with this Idempotency-Key has not been answered yet."""


class InternalError(RusubanError):
    """Something is wrong on our side; it is noted as {incident}."""


STATUS: Final[Mapping[type[RusubanError], int]] = {
    MalformedJson: 400,
    IdempotencyKeyMissing: 400,
    NotSignedIn: 401,
    ProofIsOld: 401,
    SignInNeeded: 401,
    CodeIsSpent: 403,
    ForeignOrigin: 403,
    NotPermitted: 403,
    NotRenewed: 403,
    PackageNotGiven: 403,
    PeerNotAdmitted: 403,
    WebhookIsForged: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    BodyTooSlow: 408,
    ActIsRefused: 409,
    HoldIsOver: 409,
    IsNotExtended: 409,
    KeyIsKnown: 409,
    NotAllowed: 409,
    SlotIsTaken: 409,
    StillRunning: 409,
    TicketIsHeld: 409,
    VoucherIsRefused: 409,
    BodyTooLarge: 413,
    WrongContentType: 415,
    InvalidBody: 422,
    NotAPicture: 422,
    InvalidQuery: 422,
    IdempotencyKeyReused: 422,
    TooManyAttempts: 429,
    InternalError: 500,
    TooManyViewers: 503,
    TooManyWaiting: 503,
    StorageIsFull: 503,
    StorageIsAway: 503,
}
"""Every fault that a caller may meet; a fault that is not here is our own, an `internal_error`."""


class Alternative(Shape):
    """Another time that is free."""

    starts_at: InstantText
    ends_at: InstantText


class ProblemDetails(Shape):
    """What went wrong, by RFC 9457: `code` is for programs, `title` and `next` are for people."""

    type: str = Field(examples=["urn:rusuban:problem:slot_is_taken"])
    title: str
    status: int
    code: str = Field(examples=["slot_is_taken"])
    detail: str
    next: str | None = None
    alternatives: tuple[Alternative, ...] | None = None


def details_of(fault: RusubanError, language: Language) -> ProblemDetails:
    """Return what a fault of the table is to whoever called."""
    facts: Mapping[str, Any] = fault.facts
    return ProblemDetails(
        type=f"urn:rusuban:problem:{fault.code}",
        title=language.say(f"problem.{fault.code}.what"),
        status=STATUS[type(fault)],
        code=fault.code,
        detail=str(fault),
        next=language.say(f"problem.{fault.code}.next"),
        alternatives=facts.get("alternatives"),
    )


def refusal_of(fault: RusubanError, language: Language) -> web.Response:
    """Return the answer a program gets for a fault of the table."""
    details = details_of(fault, language)
    return web.Response(
        status=details.status,
        text=details.model_dump_json(exclude_none=True),
        content_type=MEDIA_TYPE,
        headers=headers_of(fault),
    )


def headers_of(fault: RusubanError) -> dict[str, str]:
    """Return the headers that HTTP asks for beside some faults."""
    facts: Mapping[str, Any] = fault.facts
    match fault:
        case NotSignedIn() | SignInNeeded() | ProofIsOld():
            return {"WWW-Authenticate": 'Bearer realm="operator"'}
        case MethodNotAllowed():
            return {"Allow": ", ".join(sorted(facts["allowed"]))}
        case TooManyAttempts() | TooManyViewers():
            return {"Retry-After": str(facts["retry_seconds"])}
        case StillRunning() | TicketIsHeld() | TooManyWaiting() | StorageIsFull() | StorageIsAway():
            return {"Retry-After": str(RETRY_SECONDS)}
        case _:
            return {}
