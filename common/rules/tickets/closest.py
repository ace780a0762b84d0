"""Of all that keeps a ticket from opening a door, the reason closest to what its customer can do.

Its law: the obstacles stand in one order. Whoever does what he is told meets none that stands
earlier, so that every step brings him nearer.

First comes what makes the code itself useless, at every door and at every hour: nobody is sent to
another booth with a ticket that is dead. Then what is to be done anywhere (pay), then the place,
then the time, and last the device itself, which may be another's for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from common.rules.tickets.door import Denial, DoorFacts, Moment, TicketFacts
from common.rules.tickets.states import DenialReason, TicketState
from common.seals import TicketToken

_UNUSED: Final = frozenset({TicketState.ISSUED, TicketState.VOID})
_RELEASED: Final = frozenset({"expired", "no_show"})
_BEING_MADE_READY: Final = frozenset({"finishing", "turnover", "out_of_order"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Showing:
    """A ticket whose signature is good, before a door, at a moment."""

    token: TicketToken
    ticket: TicketFacts
    door: DoorFacts
    moment: Moment

    @property
    def is_unused(self) -> bool:
        """Say whether no right was issued for it: then its reservation says what it is worth."""
        return self.ticket.ticket_state in _UNUSED

    @property
    def is_its_own_door(self) -> bool:
        """Say whether this is the reservation's device, wherever that was moved."""
        return self.ticket.device == self.door.device

    @property
    def opens_as_well(self) -> bool:
        """Say whether this device is as good: the ticket names none, or one that is broken."""
        is_free_to_choose = self.token.device_number == 0 or self.ticket.device_is_out_of_order
        return is_free_to_choose and self.ticket.offering == self.door.offering


@dataclass(frozen=True, kw_only=True, slots=True)
class Obstacle:
    """Something that keeps a ticket from opening a door.

    Attributes:
        reason: what the customer is told of it.
        stands: whether it is in the way.
        facts: what is known to say about it: fields of `Denial`.
    """

    reason: DenialReason
    stands: Callable[[Showing], bool]
    facts: Callable[[Showing], dict[str, Any]] = lambda _: {}


def why_not(
    token: TicketToken, ticket: TicketFacts | None, door: DoorFacts, moment: Moment
) -> Denial | None:
    """Return why a ticket whose signature is good does not open this door now, or None: it does.

    A ticket that we signed and know nothing of is as unknown as one that nobody signed.
    """
    if ticket is None:
        return Denial(reason=DenialReason.UNKNOWN_TICKET)
    showing = Showing(token=token, ticket=ticket, door=door, moment=moment)
    for obstacle in CLOSEST_FIRST:
        if obstacle.stands(showing):
            return Denial(reason=obstacle.reason, **obstacle.facts(showing))
    return None


def _is_replaced(showing: Showing) -> bool:
    return showing.token.revision != showing.ticket.revision


def _is_cancelled(showing: Showing) -> bool:
    is_asked_for = showing.ticket.cancel_asked_at is not None
    return is_asked_for or (showing.is_unused and showing.ticket.reservation_state == "cancelled")


def _is_in_use_elsewhere(showing: Showing) -> bool:
    live = showing.ticket.live_terminal
    return not showing.is_unused and live not in {None, showing.door.terminal}


def _is_used(showing: Showing) -> bool:
    return not showing.is_unused or showing.ticket.reservation_state == "completed"


def _is_over(showing: Showing) -> bool:
    return showing.moment.now >= showing.ticket.ends_at


def _is_released(showing: Showing) -> bool:
    """Say whether its slot is everybody's again, also where nobody has noted that yet."""
    hold_ends_at = showing.ticket.hold_ends_at
    is_held = showing.ticket.reservation_state == "held" and hold_ends_at is not None
    has_run_out = is_held and hold_ends_at is not None and showing.moment.now >= hold_ends_at
    return has_run_out or showing.ticket.reservation_state in _RELEASED


def _since_released(showing: Showing) -> dict[str, Any]:
    is_noted = showing.ticket.reservation_state in _RELEASED
    return {"released_at": showing.ticket.changed_at if is_noted else showing.ticket.hold_ends_at}


def _is_void(showing: Showing) -> bool:
    return showing.ticket.ticket_state == TicketState.VOID


def _is_unpaid(showing: Showing) -> bool:
    return showing.ticket.reservation_state == "held"


def _until_paid(showing: Showing) -> dict[str, Any]:
    return {"pay_by": showing.ticket.hold_ends_at}


def _is_closed_all_along(showing: Showing) -> bool:
    opens_at = showing.moment.store_opens_at
    return opens_at is None or opens_at >= showing.ticket.ends_at


def _when_open_again(showing: Showing) -> dict[str, Any]:
    return {"store_opens_at": showing.moment.store_opens_at}


def _is_another_store(showing: Showing) -> bool:
    return showing.token.store_number != showing.door.store_number


def _is_another_device(showing: Showing) -> bool:
    return not (showing.is_its_own_door or showing.opens_as_well)


def _where(showing: Showing) -> dict[str, Any]:
    """Return where to go, and from when on that is of any use."""
    return {"device": showing.ticket.device, **(_when(showing) if _is_early(showing) else {})}


def _is_early(showing: Showing) -> bool:
    return showing.moment.now < showing.ticket.opens_at


def _is_closed_now(showing: Showing) -> bool:
    opens_at = showing.moment.store_opens_at
    return opens_at is not None and showing.moment.now < opens_at


def _when(showing: Showing) -> dict[str, Any]:
    return {"opens_at": showing.moment.store_opens_at}


def _is_out_of_order(showing: Showing) -> bool:
    return showing.door.is_out_of_order


def _is_anothers_before_us(showing: Showing) -> bool:
    is_before = showing.moment.now < showing.ticket.starts_at
    return showing.moment.is_taken and showing.is_its_own_door and is_before


def _from_its_start(showing: Showing) -> dict[str, Any]:
    return {"opens_at": showing.ticket.starts_at}


def _is_anothers(showing: Showing) -> bool:
    return showing.moment.is_taken and not _is_anothers_before_us(showing)


def _is_in_use(showing: Showing) -> bool:
    return showing.door.is_in_use


def _has_time_left(showing: Showing) -> bool:
    ready_at = showing.door.ready_at
    return ready_at is not None and showing.moment.now < ready_at


def _is_in_turnover(showing: Showing) -> bool:
    """Say whether it is being made ready: its time for that is not over, or its terminal says so.

    One that is out of order by its terminal, and not by our books, is being verified just now.
    """
    return _has_time_left(showing) or showing.door.device_state in _BEING_MADE_READY


def _when_ready(showing: Showing) -> dict[str, Any]:
    """Return when it is ready; where it takes longer than its time, nobody knows."""
    return {"opens_at": showing.door.ready_at if _has_time_left(showing) else None}


def _is_held_elsewhere(showing: Showing) -> bool:
    return showing.ticket.held_by not in {None, showing.door.terminal}


def _and_is_held(_: Showing) -> dict[str, Any]:
    return {"is_held": True}


CLOSEST_FIRST: Final = (
    # The code itself: another one is to be shown, or none will do any more.
    Obstacle(reason=DenialReason.REVOKED, stands=_is_replaced),
    Obstacle(reason=DenialReason.CANCELLED, stands=_is_cancelled),
    Obstacle(reason=DenialReason.IN_USE_ELSEWHERE, stands=_is_in_use_elsewhere),
    Obstacle(reason=DenialReason.ALREADY_USED, stands=_is_used),
    Obstacle(reason=DenialReason.EXPIRED, stands=_is_over),
    Obstacle(reason=DenialReason.EXPIRED, stands=_is_released, facts=_since_released),
    Obstacle(reason=DenialReason.REVOKED, stands=_is_void),
    # What can be done wherever one stands, and has to be done first.
    Obstacle(reason=DenialReason.UNPAID, stands=_is_unpaid, facts=_until_paid),
    Obstacle(reason=DenialReason.STORE_CLOSED, stands=_is_closed_all_along, facts=_when_open_again),
    # The place.
    Obstacle(reason=DenialReason.WRONG_STORE, stands=_is_another_store),
    Obstacle(reason=DenialReason.WRONG_DEVICE, stands=_is_another_device, facts=_where),
    # The time.
    Obstacle(reason=DenialReason.TOO_EARLY, stands=_is_early, facts=_when),
    Obstacle(reason=DenialReason.STORE_CLOSED, stands=_is_closed_now, facts=_when),
    # The device, which is not ready for this customer: another one may be, or it is in a while.
    Obstacle(reason=DenialReason.DEVICE_OUT_OF_ORDER, stands=_is_out_of_order),
    Obstacle(reason=DenialReason.RESERVED_FOR_ANOTHER, stands=_is_anothers),
    Obstacle(reason=DenialReason.DEVICE_IN_USE, stands=_is_in_use),
    Obstacle(reason=DenialReason.DEVICE_IN_TURNOVER, stands=_is_in_turnover, facts=_when_ready),
    Obstacle(reason=DenialReason.TOO_EARLY, stands=_is_anothers_before_us, facts=_from_its_start),
    Obstacle(reason=DenialReason.BUSY_TRY_AGAIN, stands=_is_held_elsewhere, facts=_and_is_held),
)
"""All that can be in the way at a door, in the order in which it is told; a reason may recur."""
