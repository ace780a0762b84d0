"""What customers claim: which slots are free, who has one, and what time alone makes of it."""

from cloud_controller.flows.reservations.claims import book, cancel, story, ticket
from cloud_controller.flows.reservations.lapses import forget_answers, lapse
from cloud_controller.flows.reservations.slots import Wish, free_slots

__all__ = [
    "Wish",
    "book",
    "cancel",
    "forget_answers",
    "free_slots",
    "lapse",
    "story",
    "ticket",
]
