"""What can be bought: told by terminal or operator, on and off, and as pages show it (E1-E3)."""

from cloud_controller.flows.offerings.pictures import add_picture, keep_told_picture, picture
from cloud_controller.flows.offerings.saying import (
    Registered,
    hand_back,
    offering_document,
    registered,
    say,
)
from cloud_controller.flows.offerings.shelf import (
    PictureShown,
    Shelved,
    StoreShown,
    Words,
    front,
    shelf,
    stores,
)
from cloud_controller.flows.offerings.telling import Teller, register, turn_off, turn_on

__all__ = [
    "PictureShown",
    "Registered",
    "Shelved",
    "StoreShown",
    "Teller",
    "Words",
    "add_picture",
    "front",
    "hand_back",
    "keep_told_picture",
    "offering_document",
    "picture",
    "register",
    "registered",
    "say",
    "shelf",
    "stores",
    "turn_off",
    "turn_on",
]
