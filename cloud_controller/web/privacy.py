"""What is known of one customer over the API: shown to whoever he asks, and forgotten."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from cloud_controller.flows import privacy
from cloud_controller.web.routes import Call, Shape
from common.messages.base import ShortText

WHO_LENGTH_MAX: Final = 254
"""Characters of an address; a ticket's link has fewer."""

Who = Annotated[
    str,
    Field(
        min_length=3,
        max_length=WHO_LENGTH_MAX,
        description="a mail address, or the last part of the address of one of his tickets",
    ),
]


class CustomerAsked(Shape):
    """Of whom all is to be shown."""

    who: Who


class CustomerErased(Shape):
    """Who is to be forgotten, and why."""

    who: Who
    reason: Annotated[ShortText, Field(min_length=1, pattern=r"\S")]


class CustomerKnown(Shape):
    """All that is known of a customer; instants are milliseconds since 1970 UTC.

    Attributes:
        orders: each with its reservations, sessions, what happened, calls to helpers, payments.
        given: reservations that somebody else gave to him.
        waiting: what he waited for.
        letters: what he was written, without its words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mail: str
    orders: tuple[dict[str, Any], ...]
    given: tuple[dict[str, Any], ...]
    waiting: tuple[dict[str, Any], ...]
    letters: tuple[dict[str, Any], ...]


class CustomerForgotten(Shape):
    """Of how many orders it is not known any more whose they were."""

    orders: int


async def export_customer(call: Call[CustomerAsked]) -> CustomerKnown:
    """Return all that is known of a customer.

    Raises:
        NotFound: nothing is.
    """
    export, who = privacy.export, privacy.who_of(call.asked.who)
    return CustomerKnown(**await call.parts.books.transact(export, who, call.operator.name))


async def erase_customer(call: Call[CustomerErased]) -> CustomerForgotten:
    """Forget a customer; sums and times stay, without him.

    Raises:
        NotFound: nothing is known of him.
        NotAllowed: something is still ahead of him, or money is under way to him.
    """
    erase, who = privacy.erase, privacy.who_of(call.asked.who)
    transact, actor = call.parts.books.transact, call.operator.name
    return CustomerForgotten(orders=await transact(erase, who, actor, call.asked.reason))
