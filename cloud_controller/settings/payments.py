"""How customers pay, and the account with their provider."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from cloud_controller.settings.part import Part, is_on_this_machine
from common.rules.payments import Method


class StripeSettings(Part):
    """An account with Stripe; its secrets are in files that only the controller may read."""

    key_file: Path
    """The file with the secret key, such as `sk_live_…`, or better a restricted one."""

    webhook_secret_files: Annotated[tuple[Path, ...], Field(min_length=1, max_length=4)]
    """The files with the signing secrets of the webhook, `whsec_…`; two while one is replaced."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+$", max_length=300)] = (
        "https://api.stripe.com"
    )
    """Where Stripe is called; in the clear on this machine only, for tests."""

    @model_validator(mode="after")
    def _is_not_in_the_clear(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not is_on_this_machine(parts.hostname or ""):
            message = "Stripe beyond this machine only over https"
            raise ValueError(message)
        return self


class PaymentSettings(Part):
    """How customers pay."""

    methods: frozenset[Method] = frozenset({Method.FREE, Method.VOUCHER})
    """The ways that are taken: `free` asks nobody for money, what is due is settled outside."""

    stripe: StripeSettings | None = None
    """The account behind `stripe_checkout`."""

    @model_validator(mode="after")
    def _has_its_account(self) -> Self:
        if (Method.STRIPE_CHECKOUT in self.methods) != (self.stripe is not None):
            message = "the method `stripe_checkout` and a table `payments.stripe` come together"
            raise ValueError(message)
        if {Method.STRIPE_CHECKOUT, Method.FREE} <= self.methods:
            message = "beside `stripe_checkout` everybody would choose `free`"
            raise ValueError(message)
        return self
