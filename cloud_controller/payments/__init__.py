"""How customers pay: `free` and `voucher` need nobody, `stripe_checkout` has a page of Stripe's."""

from cloud_controller.payments.desk import Desk

__all__ = ["Desk"]
