"""A ticket in the wallet of a phone, signed by keys of the store's own; without them there is none.

What a wallet holds is a copy that hears of nothing: a ticket that is moved or given away has
another code, and is put in anew. A code that changes by itself fits into none.
"""

from __future__ import annotations

from dataclasses import dataclass

from cloud_controller.settings.wallet import WalletSettings
from cloud_controller.web.wallet.apple import AppleWallet
from cloud_controller.web.wallet.google import GoogleWallet


@dataclass(frozen=True, kw_only=True, slots=True)
class Wallets:
    """The wallets that this controller has keys for."""

    apple: AppleWallet | None = None
    google: GoogleWallet | None = None


def wallets_of(settings: WalletSettings) -> Wallets:
    """Return the wallets that there are keys for.

    Raises:
        CannotStart: keys are named that cannot be read.
    """
    apple, google = settings.apple, settings.google
    return Wallets(
        apple=None if apple is None else AppleWallet(apple),
        google=None if google is None else GoogleWallet(google),
    )
