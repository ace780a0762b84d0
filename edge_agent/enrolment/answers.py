"""What the controller may answer, checked at the door: a whole identity comes of it, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.errors import RusubanError, SealIsBroken
from common.ids import TerminalId
from common.messages.base import Name
from common.rules.enrolment import Ladder
from common.seals import KEY_IDS_MAX, verifying_key
from edge_agent.enrolment.keys import TerminalKey
from edge_agent.enrolment.trust import is_on_this_machine
from edge_agent.ports import Identity

Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,253}$")]
Pem = Annotated[str, Field(max_length=16_384)]
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Epoch = Annotated[str, Field(pattern=r"^[0-9a-f]{1,32}$")]
KeyId = Annotated[int, Field(ge=0, lt=KEY_IDS_MAX)]


class NotOurs(RusubanError):
    """{why}."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class BrokerAnswered(_Answer):
    """Where the broker listens."""

    host: Host
    port: Annotated[int, Field(ge=1, le=65_535)]


class CredentialsAnswered(_Answer):
    """What a renewal gives."""

    ladder: Ladder
    broker: BrokerAnswered
    authority: Pem
    certificate: Pem
    public_keys: Annotated[dict[KeyId, Hex32], Field(min_length=1, max_length=KEY_IDS_MAX)]


class EnrolmentAnswered(CredentialsAnswered):
    """What a good code gives."""

    terminal: Name
    store: Name
    epoch: Epoch
    secret: Hex32 = Field(repr=False)


class ProblemAnswered(BaseModel):
    """Why the controller does not do it, in its words."""

    code: str = ""
    detail: str = ""
    next: str | None = None


AnAnswer = TypeVar("AnAnswer", bound=BaseModel)


def read(shape: type[AnAnswer], body: bytes) -> AnAnswer:
    """Return an answer of this shape.

    Raises:
        NotOurs: it is of another.
    """
    try:
        return shape.model_validate_json(body)
    except ValidationError as fault:
        first = fault.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NotOurs(why=f"{where}: {first['msg']}".removeprefix(": ")) from fault


def identity_in(told: EnrolmentAnswered, key: TerminalKey, *, url: str, pinned: str) -> Identity:
    """Return who we are by this answer.

    Raises:
        NotOurs: its parts do not belong together.
    """
    bare = Identity(
        terminal=TerminalId(told.terminal),
        store=told.store,
        epoch=told.epoch,
        secret=told.secret,
        broker_host=told.broker.host,
        broker_port=told.broker.port,
        keys={},
        url=url,
        pinned=pinned,
    )
    return renewed_by(told, bare, key)


def renewed_by(told: CredentialsAnswered, who: Identity, key: TerminalKey) -> Identity:
    """Return who we are with these credentials in the place of the ones before.

    A new authority is believed because the old one vouched for who told us of it.

    Raises:
        NotOurs: they do not belong together, or not to us.
    """
    authority = certificate = ""
    if told.ladder is Ladder.LOOPBACK:
        if not is_on_this_machine(told.broker.host):
            raise NotOurs(why=f"the broker at {told.broker.host} would be spoken to in the clear")
    else:
        vouching = one_certificate(told.authority)
        if not _may_vouch(vouching):
            raise NotOurs(why="its authority may not vouch for anybody")
        authority = as_pem(vouching)
        if told.ladder is Ladder.CERTIFICATE:
            certificate = _own_certificate(told.certificate, vouching, who.terminal, key)
    return replace(
        who,
        broker_host=told.broker.host,
        broker_port=told.broker.port,
        keys=_keys_in(told),
        ladder=told.ladder,
        authority=authority,
        certificate=certificate,
        pinned=(authority or who.pinned) if who.pinned else "",
    )


def one_certificate(pem: str) -> x509.Certificate:
    """Return the one certificate of a text: behind a good first, a second could be smuggled in.

    Raises:
        NotOurs: there is none, or more than one.
    """
    try:
        (only,) = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as fault:
        raise NotOurs(why="a certificate in it cannot be read, or is more than one") from fault
    return only


def as_pem(certificate: x509.Certificate) -> str:
    """Return a certificate as text, and nothing that stood around it."""
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _may_vouch(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _own_certificate(pem: str, vouching: x509.Certificate, name: str, key: TerminalKey) -> str:
    certificate = one_certificate(pem)
    try:
        certificate.verify_directly_issued_by(vouching)
    except (InvalidSignature, ValueError, TypeError) as fault:
        raise NotOurs(why="its authority has not signed our certificate") from fault
    called = [
        each.value for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ]
    if called != [name] or certificate.public_key() != key.private.public_key():
        raise NotOurs(why="the certificate is somebody else's")
    return as_pem(certificate)


def _keys_in(told: CredentialsAnswered) -> dict[int, Ed25519PublicKey]:
    try:
        return {at: verifying_key(bytes.fromhex(raw)) for at, raw in told.public_keys.items()}
    except (SealIsBroken, ValueError) as fault:
        raise NotOurs(why="a public key in it is none") from fault
