"""Open pages are told at once what has changed: pictures of what is on offer, or to look again.

Law: nobody watches, nothing is computed; and nobody who is slow or gone costs the others anything.
"""

from cloud_controller.web.live.board import Card
from cloud_controller.web.live.looking import EPOCH_DIGITS, Live
from cloud_controller.web.live.watching import places_for

__all__ = ["EPOCH_DIGITS", "Card", "Live", "places_for"]
