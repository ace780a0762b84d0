"""What customers claim: slots, orders, tickets, changes, the waiting list, and how claims end."""

from cloud_controller.flows.reservations.changes import TicketIsHeld, extend, reschedule, transfer
from cloud_controller.flows.reservations.closures import (
    NewBlackout,
    add_blackout,
    blackouts,
    call_to_shut_out,
    forget_blackouts,
    remove_blackout,
    solve_shut_out,
)
from cloud_controller.flows.reservations.ends import cancel, forget_answers, given_up, lapse
from cloud_controller.flows.reservations.orders import (
    ANYBODY,
    Customer,
    HoldIsOver,
    address,
    book,
    claims_of,
    confirm,
    note_paid,
    order_by_id,
    order_of,
    place,
    price,
    release,
)
from cloud_controller.flows.reservations.slots import Wish, every_slot, free_slots
from cloud_controller.flows.reservations.tickets import story, ticket
from cloud_controller.flows.reservations.waiting import (
    Offered,
    join,
    offer_freed,
    place_in_list,
    settle,
    withdraw,
)
from cloud_controller.flows.reservations.walk_in import NowFree, free_now, wish_now

__all__ = [
    "ANYBODY",
    "Customer",
    "HoldIsOver",
    "NewBlackout",
    "NowFree",
    "Offered",
    "TicketIsHeld",
    "Wish",
    "add_blackout",
    "address",
    "blackouts",
    "book",
    "call_to_shut_out",
    "cancel",
    "claims_of",
    "confirm",
    "every_slot",
    "extend",
    "forget_answers",
    "forget_blackouts",
    "free_now",
    "free_slots",
    "given_up",
    "join",
    "lapse",
    "note_paid",
    "offer_freed",
    "order_by_id",
    "order_of",
    "place",
    "place_in_list",
    "price",
    "release",
    "remove_blackout",
    "reschedule",
    "settle",
    "solve_shut_out",
    "story",
    "ticket",
    "transfer",
    "wish_now",
    "withdraw",
]
