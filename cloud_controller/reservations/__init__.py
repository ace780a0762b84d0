"""Who keeps reservations, behind the reservation port: `builtin` in our own books, or `remote`."""

from cloud_controller.reservations.builtin import BuiltinReservations, kept_for
from cloud_controller.reservations.errands import Errands, errands_of
from cloud_controller.reservations.remote import RemoteReservations

__all__ = ["BuiltinReservations", "Errands", "RemoteReservations", "errands_of", "kept_for"]
