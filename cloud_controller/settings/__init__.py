"""What the controller can be told, each setting with its meaning, its unit and why its default."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from cloud_controller.settings.doors import BrokerSettings, PeersSettings, WebSettings
from cloud_controller.settings.elsewhere import (
    DatabaseSettings,
    ReservationSettings,
    UpstreamSettings,
)
from cloud_controller.settings.home import HomeAssistantSettings
from cloud_controller.settings.hooks import HookSettings
from cloud_controller.settings.mail import MailSettings, MailTls
from cloud_controller.settings.modules import ModulesSettings
from cloud_controller.settings.part import EVERY_NETWORK
from cloud_controller.settings.payments import PaymentSettings, StripeSettings
from cloud_controller.settings.privacy import PrivacySettings
from cloud_controller.settings.stores import StoreSettings
from cloud_controller.settings.wallet import (
    AppleWalletSettings,
    GoogleWalletSettings,
    WalletSettings,
)
from common.messages.service import Program
from common.rules.enrolment import Ladder
from common.switches import WithSwitches

__all__ = [
    "EVERY_NETWORK",
    "AppleWalletSettings",
    "BrokerSettings",
    "ControllerSettings",
    "DatabaseSettings",
    "GoogleWalletSettings",
    "HomeAssistantSettings",
    "HookSettings",
    "MailSettings",
    "MailTls",
    "ModulesSettings",
    "PaymentSettings",
    "PeersSettings",
    "PrivacySettings",
    "ReservationSettings",
    "Role",
    "StoreSettings",
    "StripeSettings",
    "UpstreamSettings",
    "WalletSettings",
    "WebSettings",
]


class Role(StrEnum):
    """The servers of the requirements; all in one process unless told otherwise."""

    MANAGEMENT = "management"
    SERVICE = "service"
    RESERVATION = "reservation"
    WEB = "web"
    COMMUNICATION = "communication"


class ControllerSettings(WithSwitches):
    """Everything the controller can be told."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="RUSUBAN_", env_nested_delimiter="__"
    )

    state_folder: Path
    """Where database, keys and the broker's files are kept; only the controller may read it."""

    database: DatabaseSettings = DatabaseSettings()
    """Where the books are kept."""

    roles: frozenset[Role] = frozenset(Role)
    """Which servers this process is: management, service, reservation, web."""

    web: WebSettings = WebSettings()
    """Pages and API."""

    broker: BrokerSettings = BrokerSettings()
    """The MQTT broker."""

    peers: PeersSettings | None = None
    """Where other controllers take seats from this one; without it none does."""

    upstream: UpstreamSettings | None = None
    """From whom this controller takes seats; without it, it has only its own."""

    mail: MailSettings | None = None
    """By which mail server customers are written to; without it nobody is."""

    hooks: HookSettings = HookSettings()
    """Webhooks."""

    privacy: PrivacySettings = PrivacySettings()
    """How long it is known whose something was."""

    reservation: ReservationSettings | None = None
    """Who keeps our reservations elsewhere; without it, they are in our own books."""

    stores: tuple[StoreSettings, ...] = ()
    """The stores to make known at start."""

    programs: Annotated[tuple[Program, ...], Field(max_length=500)] = ()
    """What programs ask of a PC and how they run on it; one that is not here asks nothing."""

    payments: PaymentSettings = PaymentSettings()
    """How customers pay."""

    wallet: WalletSettings = WalletSettings()
    """Wallets of phones that tickets can be put into."""

    home_assistant: HomeAssistantSettings | None = None
    """What Home Assistant finds at the broker; without it, nothing."""

    modules: ModulesSettings = ModulesSettings()
    """Licensed modules and program packages."""

    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    """The lowest level that is logged."""

    @model_validator(mode="after")
    def _sells_in_one_place(self) -> Self:
        sells = self.roles & {Role.RESERVATION, Role.WEB}
        if self.reservation is not None and sells:
            message = (
                "reservations are kept elsewhere, so leave out "
                f'{" and ".join(sorted(sells))}: `roles = ["management", "service"]`'
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _lets_homes_in(self) -> Self:
        if self.home_assistant is not None and self.broker.ladder is Ladder.CERTIFICATE:
            message = (
                "Home Assistant shows a password and no certificate of ours: "
                "leave `home_assistant` out, or set `broker.ladder` to 1"
            )
            raise ValueError(message)
        return self

    @property
    def keeps_for_others(self) -> bool:
        """Say whether this database has no terminals of its own but stores of other controllers."""
        sells_only = Role.MANAGEMENT not in self.roles and Role.RESERVATION in self.roles
        return sells_only and self.peers is not None

    @property
    def keys_folder(self) -> Path:
        """Return where every key and secret of the controller is."""
        return self.state_folder / "keys"

    @property
    def packages_folder(self) -> Path:
        """Return where packages and their signed lists lie."""
        return self.modules.folder or self.state_folder / "packages"

    @property
    def pages_url(self) -> str:
        """Return where the pages are reached from elsewhere, without a slash at the end."""
        page = self.web
        host = self.broker.all_names[0] if page.host in EVERY_NETWORK else page.host
        host = f"[{host}]" if ":" in host else host
        return page.public_url or f"{'https' if page.tls else 'http'}://{host}:{page.port}"

    @property
    def server_names(self) -> frozenset[str]:
        """Return every name and address by which broker and pages are reached over TLS."""
        pages = urlsplit(self.web.public_url).hostname
        hosts = {*self.broker.all_names, self.broker.host, self.web.host, pages, "localhost"}
        if self.peers is not None:
            hosts |= {*self.peers.names, self.peers.host}
        return frozenset({host for host in hosts if host} - EVERY_NETWORK) | {"127.0.0.1"}
