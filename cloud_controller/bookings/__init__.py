"""What takes several flows at once: a booking is claim, money and letter in one transaction."""

from cloud_controller.bookings.addresses import address, may_address
from cloud_controller.bookings.changes import ask_back, give, give_up, more_cents, move
from cloud_controller.bookings.ends import lapse_what_is_over, offer_what_is_free
from cloud_controller.bookings.extensions import (
    AT_THE_COUNTER,
    IsNotExtended,
    More,
    Till,
    agree,
    agree_order,
    answer,
    extend,
    offer,
    take,
)
from cloud_controller.bookings.orders import Paying, confirm, note_paid, place, release
from cloud_controller.bookings.removals import note_uninstalled
from cloud_controller.bookings.repairs import (
    call_for_devices,
    hello,
    note_device,
    take_photo,
    tell_of_device,
)
from cloud_controller.bookings.setup import (
    Word,
    keep_document,
    keep_hours,
    keep_program,
    sow_program,
    stands_as,
    undo,
)

__all__ = [
    "AT_THE_COUNTER",
    "IsNotExtended",
    "More",
    "Paying",
    "Till",
    "Word",
    "address",
    "agree",
    "agree_order",
    "answer",
    "ask_back",
    "call_for_devices",
    "confirm",
    "extend",
    "give",
    "give_up",
    "hello",
    "keep_document",
    "keep_hours",
    "keep_program",
    "lapse_what_is_over",
    "may_address",
    "more_cents",
    "move",
    "note_device",
    "note_paid",
    "note_uninstalled",
    "offer",
    "offer_what_is_free",
    "place",
    "release",
    "sow_program",
    "stands_as",
    "take",
    "take_photo",
    "tell_of_device",
    "undo",
]
