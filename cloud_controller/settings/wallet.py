"""By whose keys tickets go into the wallet of a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from cloud_controller.settings.part import Part

Named = Annotated[str, Field(min_length=1, max_length=100)]


class AppleWalletSettings(Part):
    """By which certificate of Apple's tickets are signed for its Wallet."""

    pass_type: Annotated[str, Field(pattern=r"^pass\.[A-Za-z0-9.-]{1,150}$")]
    """The pass type identifier that the certificate is for, such as `pass.org.example.ticket`."""

    team: Annotated[str, Field(pattern="^[A-Z0-9]{10}$")]
    """The team's identifier at Apple, ten letters and digits."""

    organization: Named = "Rusuban"
    """Who gives the ticket, as the phone shows it on its lock screen."""

    certificate: Path
    """A PEM file with the certificate of that pass type."""

    key_file: Path
    """A PEM file with its key, without a password, for the controller's user alone."""

    intermediate: Path
    """A PEM file with the certificate by which Apple has signed it (WWDR)."""


class GoogleWalletSettings(Part):
    """By which account tickets are signed for Google Wallet."""

    issuer: Annotated[str, Field(pattern="^[0-9]{1,32}$")]
    """The issuer's number in Google's console."""

    account_file: Path
    """The service account's JSON file, as Google gives it, for the controller's user alone."""


class WalletSettings(Part):
    """Which wallets tickets can be put into."""

    apple: AppleWalletSettings | None = None
    """Apple Wallet; without it its button is not shown."""

    google: GoogleWalletSettings | None = None
    """Google Wallet; without it its button is not shown."""
