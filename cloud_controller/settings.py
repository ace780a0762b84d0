"""What the controller can be told, each setting with its meaning, its unit and why its default."""

from __future__ import annotations

import ipaddress
import zoneinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from common.ids import NAME_PATTERN
from common.messages.service import Program, Requirements
from common.rules.enrolment import Ladder
from common.rules.letters import address_of
from common.rules.payments import Method
from common.rules.registration import Policy
from common.rules.reservations import OpeningHours
from common.switches import WithSwitches

Port = Annotated[int, Field(ge=0, le=65_535)]
EVERY_NETWORK: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - told from a name, not bound here
"""Hosts to listen on that are no names to call by."""

HostName = Annotated[str, Field(min_length=1, max_length=253)]


class Role(StrEnum):
    """The servers of the requirements; all in one process unless told otherwise."""

    MANAGEMENT = "management"
    SERVICE = "service"
    RESERVATION = "reservation"
    WEB = "web"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _is_on_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name, which may be anywhere


def _known_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        message = f"{name} is no time zone of the IANA database"
        raise ValueError(message)
    return name


class WebSettings(_Part):
    """Where pages and API are served: in the clear on this machine only, else over TLS."""

    host: str = "127.0.0.1"
    """The address to listen on; beyond this machine only with `tls`."""

    port: Port = 8080
    """The TCP port; 0 takes a free one, as the demo does."""

    tls: bool = False
    """Whether to speak TLS with a certificate of our own; off behind a proxy of this machine."""

    public_url: str = ""
    """How customers reach the pages, such as `https://play.example`; empty: the address above."""

    @model_validator(mode="after")
    def _is_not_in_the_clear(self) -> Self:
        if not self.tls and not _is_on_this_machine(self.host):
            message = "beyond this machine only with `tls = true`"
            raise ValueError(message)
        return self


class BrokerSettings(_Part):
    """The embedded MQTT broker, a mosquitto that lives and dies with the controller."""

    ladder: Ladder = Ladder.PASSWORD
    """How terminals prove themselves: 1 by a password over TLS, 2 by a certificate of their own.

    0 is a password in the clear, for the demo, on this machine only. It never goes down again.
    """

    host: str = "127.0.0.1"
    """The address to listen on; `0.0.0.0` is every network of this machine."""

    names: Annotated[tuple[HostName, ...], Field(max_length=16)] = ()
    """Names and addresses by which terminals reach it, the first told to them; empty: `host`."""

    port: Port = 18_830
    """The TCP port; fixed, since terminals remember it. 0 takes a free one, as the demo does."""

    program: str = "mosquitto"
    """The broker's program, by name or path."""

    @model_validator(mode="after")
    def _is_not_in_the_clear(self) -> Self:
        if self.ladder is Ladder.LOOPBACK and not _is_on_this_machine(self.host):
            message = "ladder 0 encrypts nothing: only an address of this machine"
            raise ValueError(message)
        if not self.names and ipaddress.ip_address(self.host).is_unspecified:
            message = "say in `names` how terminals reach it"
            raise ValueError(message)
        return self

    @property
    def all_names(self) -> tuple[str, ...]:
        """Return every name by which it is reached, the one told to terminals first."""
        return self.names or (self.host,)


class StoreSettings(_Part):
    """A store that is made known at start; one that is known already keeps what it has."""

    store: Annotated[str, Field(pattern=NAME_PATTERN)]
    """Its id, for ever."""

    number: Annotated[int, Field(ge=1, lt=2**24)] | None = None
    """The number that its tickets carry, for ever; none: the next one that is free here.

    Stores whose time one reservation server sells for several controllers need numbers that differ.
    """

    title: Annotated[str, Field(min_length=1, max_length=200)]
    """Its name as customers read it."""

    time_zone: Annotated[str, Field(min_length=1, max_length=64)] = "Asia/Tokyo"
    """Its IANA time zone; every time a customer sees is in it."""

    _check = field_validator("time_zone")(_known_zone)

    hours: OpeningHours | None = None
    """When it is open, by weekday, holiday and date, in its own wall times; without it, always."""

    directions: Annotated[str, Field(max_length=2_000)] = ""
    """How customers find it, in their words."""

    policy: Policy = Policy.MANUAL
    """Who confirms a terminal: an operator (`manual`), `rules`, or nobody (`automatic`)."""

    rules: Requirements | None = None
    """What a terminal must have to be confirmed by itself, where the policy is `rules`."""

    @model_validator(mode="after")
    def _has_its_rules(self) -> Self:
        if (self.policy is Policy.RULES) != (self.rules is not None):
            message = "the policy `rules` and a table of rules come together"
            raise ValueError(message)
        return self


class MailTls(StrEnum):
    """How the line to a mail server is hidden."""

    TLS = "tls"
    """From its first byte."""
    STARTTLS = "starttls"
    """After a word in the clear; a server that will not is not written to."""
    NONE = "none"
    """Not at all: only on this machine."""


class MailSettings(_Part):
    """By which mail server customers are written to."""

    host: HostName
    """The mail server's name, the one in its certificate."""

    port: Port = 587
    """Its TCP port: 587 for `starttls`, 465 for `tls`."""

    tls: MailTls = MailTls.STARTTLS
    """How the line is hidden."""

    authority: Path | None = None
    """A PEM file of who certifies the server; without it, whom this system trusts."""

    sender: str
    """The address that letters come from, which answers go to as well."""

    sender_name: Annotated[str, Field(max_length=100)] = "Rusuban"
    """The name that stands before it."""

    user: Annotated[str, Field(max_length=254)] = ""
    """Who we are to the server; empty where it asks nobody."""

    password_file: Path | None = None
    """A file that holds only the password, for the controller's user alone; read at start."""

    timeout_seconds: Annotated[float, Field(ge=1, le=300)] = 20.0
    """How long each word of the server may take."""

    kept_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days after which it is forgotten whom a letter went to, and what it said."""

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, text: str) -> str:
        address = address_of(text)
        if address is None:
            message = "is no mail address"
            raise ValueError(message)
        return address

    @model_validator(mode="after")
    def _says_no_password_in_the_clear(self) -> Self:
        if self.tls is MailTls.NONE and not _is_on_this_machine(self.host):
            message = "beyond this machine only with `tls` or `starttls`"
            raise ValueError(message)
        if bool(self.user) != (self.password_file is not None):
            message = "`user` and `password_file` come together"
            raise ValueError(message)
        return self


class PeersSettings(_Part):
    """Where other controllers, which take seats from us, speak to us: over mutual TLS only."""

    host: str = "127.0.0.1"
    """The address to listen on; `0.0.0.0` is every network of this machine."""

    port: Port = 8443
    """The TCP port; fixed, since peers remember it."""

    names: Annotated[tuple[HostName, ...], Field(max_length=16)] = ()
    """Names and addresses by which peers reach it, the first told to them; empty: `host`."""

    @model_validator(mode="after")
    def _can_be_called(self) -> Self:
        if not self.names and ipaddress.ip_address(self.host).is_unspecified:
            message = "say in `names` how peers reach it"
            raise ValueError(message)
        return self

    @property
    def url(self) -> str:
        """Return what peers are told to call."""
        name = self.names[0] if self.names else self.host
        return f"https://{f'[{name}]' if ':' in name else name}:{self.port}"


class UpstreamSettings(_Part):
    """The controller that we take seats from, our root."""

    bundle: Path
    """The file that the root's `cloud-controller peers add` has written for us."""


class StripeSettings(_Part):
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
        if parts.scheme == "http" and not _is_on_this_machine(parts.hostname or ""):
            message = "Stripe beyond this machine only over https"
            raise ValueError(message)
        return self


class PaymentSettings(_Part):
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


class ReservationSettings(_Part):
    """Who keeps our reservations and sells our stores' time, on another machine."""

    bundle: Path
    """The file that the reservation server's `cloud-controller peers add` has written for us."""

    url: Annotated[str, Field(pattern=r"^(https://[^\s/?#@]+/?)?$", max_length=300)] = ""
    """Where it is called, where that is not as its bundle says."""


class DatabaseSettings(_Part):
    """Where the books are kept: on a PostgreSQL server, or in a file of the state folder."""

    url: Annotated[str, Field(pattern=r"^(postgresql://\S+)?$", max_length=2_000)] = ""
    """Such as `postgresql://rusuban@db.example/rusuban`; empty: SQLite in the state folder."""

    password_file: Path | None = None
    """A file that holds the password and nothing else; without it, what libpq finds by itself."""

    @model_validator(mode="after")
    def _shows_no_password(self) -> Self:
        if urlsplit(self.url).password or "password=" in self.url:
            message = "the password goes into `password_file`: an address is shown"
            raise ValueError(message)
        return self


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

    reservation: ReservationSettings | None = None
    """Who keeps our reservations elsewhere; without it, they are in our own books."""

    stores: tuple[StoreSettings, ...] = ()
    """The stores to make known at start."""

    programs: Annotated[tuple[Program, ...], Field(max_length=500)] = ()
    """What programs ask of a PC and how they run on it; one that is not here asks nothing."""

    payments: PaymentSettings = PaymentSettings()
    """How customers pay."""

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
    def server_names(self) -> frozenset[str]:
        """Return every name and address by which broker and pages are reached over TLS."""
        pages = urlsplit(self.web.public_url).hostname
        hosts = {*self.broker.all_names, self.broker.host, self.web.host, pages, "localhost"}
        if self.peers is not None:
            hosts |= {*self.peers.names, self.peers.host}
        return frozenset({host for host in hosts if host} - EVERY_NETWORK) | {"127.0.0.1"}
