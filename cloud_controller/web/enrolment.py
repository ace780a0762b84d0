"""How a terminal gets its identity and keeps it; a secret is said once, in the answer to a POST."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import Field, field_validator

from cloud_controller.flows import enrolment
from cloud_controller.flows.enrolment import Asking, Given, KeyIsKnown, RenewedTooOften
from cloud_controller.ports import LATELY_SECONDS, NotFound, Transaction
from cloud_controller.web.faults import TooManyAttempts
from cloud_controller.web.routes import Call, Shape, WebParts
from common.ids import StoreId, TerminalId
from common.messages.base import Name, Signature
from common.rules.enrolment import Ladder
from common.seals import is_anybodys
from common.tls import fingerprint_of

PEM: Final = "application/pem-certificate-chain"
"""The media type of certificates as text, by RFC 8555."""


class CodeWanted(Shape):
    """An enrolment code for a store; with a terminal, for that one to enrol again."""

    store: Name
    terminal: Name | None = None


class CodeMade(Shape):
    """A code that enrols one terminal, once, before it expires."""

    code: str
    store: str
    terminal: str | None
    life_seconds: int
    pin: Annotated[
        str | None,
        Field(description="SHA-256 of our authority's certificate, for a PC to know us by"),
    ]


class EnrolmentAsked(Shape):
    """A terminal's code and the public half of the key that never leaves it."""

    code: Annotated[str, Field(min_length=1, max_length=40)]
    public_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    hostname: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,253}$")]

    @field_validator("public_key")
    @classmethod
    def _is_of_one_only(cls, said: str) -> str:
        if is_anybodys(bytes.fromhex(said)):
            message = "anybody can sign by this key"
            raise ValueError(message)
        return said


class CredentialsWanted(Shape):
    """A terminal's epoch, and its signature of its own name and that epoch."""

    epoch: Name
    signature: Signature


class BrokerAddress(Shape):
    """Where the broker listens."""

    host: str
    port: int


class Credentials(Shape):
    """How a terminal proves itself from now on, and by what it knows us.

    `authority` and `certificate` are PEM text; each is empty where the ladder needs none.
    """

    ladder: Ladder
    broker: BrokerAddress
    authority: str
    certificate: str
    public_keys: dict[int, str]


class Enrolment(Credentials):
    """A terminal's identity; its secret is said here and never again."""

    terminal: str
    store: str
    epoch: str
    secret: str


async def make_code(call: Call[CodeWanted]) -> CodeMade:
    """Return a new enrolment code; it can be read here and nowhere else."""
    store = StoreId(call.asked.store)
    terminal = None if call.asked.terminal is None else TerminalId(call.asked.terminal)
    make, who = enrolment.make_code, call.operator.name
    code = await call.parts.books.transact(make, store, who, terminal)
    authority = call.parts.authority()
    return CodeMade(
        code=code,
        store=store,
        terminal=terminal,
        life_seconds=enrolment.CODE_LIFE_SECONDS,
        pin=fingerprint_of(authority) if authority else None,
    )


async def enrol(call: Call[EnrolmentAsked]) -> Enrolment:
    """Return a terminal's identity for a good code.

    Raises:
        CodeIsSpent: the code is unknown, used or out of date.
        KeyIsKnown: the PC is a terminal already; that it asked is in the books.
    """
    asking = Asking(**call.asked.model_dump())
    given = call.parts.credentials()
    enrolled = await call.parts.books.transact(enrolment.enrol, asking, given)
    if isinstance(enrolled, KeyIsKnown):
        raise enrolled
    credentials = _credentials(call.parts, given, enrolled.certificate, enrolled.public_keys)
    return Enrolment(
        terminal=enrolled.terminal,
        store=enrolled.store,
        epoch=enrolled.epoch,
        secret=enrolled.secret,
        **dict(credentials),
    )


async def renew(call: Call[CredentialsWanted]) -> Credentials:
    """Return what a terminal that signs with its key proves itself by from now on.

    Raises:
        NotRenewed: its epoch or its key is another, or it has retired.
        TooManyAttempts: it has renewed too often lately.
    """
    given = call.parts.credentials()
    terminal = TerminalId(call.names["terminal"])
    renewing = call.parts.books.transact(_renew, terminal, call.asked, given)
    try:
        certificate, public_keys = await renewing
    except RenewedTooOften:
        raise TooManyAttempts(retry_seconds=LATELY_SECONDS) from None
    return _credentials(call.parts, given, certificate, public_keys)


async def show_authority(call: Call[None]) -> web.Response:
    """Return our authority's certificate, for a PC that was told its fingerprint.

    Raises:
        NotFound: we have none: nothing is encrypted here, or a proxy does it.
    """
    authority = call.parts.authority()
    if not authority:
        raise NotFound(what="authority")
    return web.Response(text=authority, content_type=PEM)


def _renew(
    books: Transaction, terminal: TerminalId, asked: CredentialsWanted, given: Given
) -> tuple[str, dict[int, str]]:
    certificate = enrolment.renew(
        books, terminal, asked.epoch, asked.signature, given.ladder, given.certify
    )
    return certificate, books.keys.public_keys()


def _credentials(
    parts: WebParts, given: Given, certificate: str, public_keys: dict[int, str]
) -> Credentials:
    host, port = parts.broker_address()
    return Credentials(
        ladder=given.ladder,
        broker=BrokerAddress(host=host, port=port),
        authority=parts.authority(),
        certificate=certificate,
        public_keys=public_keys,
    )
