"""What can be bought: told by terminal or operator, on and off, and as pages show it (E1-E3)."""

from cloud_controller.flows.offerings.shelf import (
    PictureShown,
    Shelved,
    StoreShown,
    Words,
    front,
    shelf,
    stores,
)
from cloud_controller.flows.offerings.telling import register, turn_off, turn_on

__all__ = [
    "PictureShown",
    "Shelved",
    "StoreShown",
    "Words",
    "front",
    "register",
    "shelf",
    "stores",
    "turn_off",
    "turn_on",
]
