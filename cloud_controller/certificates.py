"""The controller's own small authority: it certifies the broker and terminals, and nobody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud_controller.ports import Certified, Clock, Names
from common.errors import CannotStart
from common.files import kept, replace
from common.rules.enrolment import RENEWED_WITH_LEFT
from common.seals import verifying_key

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The earliest that a clock shows."""

END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The authority is good from `BEGINNING` to here, which RFC 5280 has for no end: every terminal has
it pinned, and a small machine makes it before the network has told it the time."""

OWN_LIFE: Final = timedelta(days=397)
"""Life of the broker's certificate and of the controller's own: no browser takes a longer one."""

TERMINAL_LIFE: Final = timedelta(days=90)
"""A terminal renews it when a third is left, or over HTTPS when it wakes after that."""

PEER_LIFE: Final = timedelta(days=20 * 365)
"""Another controller's is good until its peer is revoked: one that ran out would stop stores."""

BACKDATED: Final = timedelta(days=1)
"""A PC that takes its local time for UTC is up to 14 hours behind until the network tells it."""

SERIAL_BYTES: Final = 16
SEED_BYTES: Final = 40
"""Random bytes behind a key: 8 more than it has, so that no key is likelier than another."""

LIST_LIFE: Final = timedelta(days=20 * 365)
"""mosquitto lets nobody in by a list that is out of date, and we say ourselves when one is."""

Key = ec.EllipticCurvePrivateKey
"""Ours are on P-256, for operators' browsers refuse Ed25519; a terminal's own is Ed25519."""

PublicKey = ec.EllipticCurvePublicKey | Ed25519PublicKey

T = TypeVar("T")

_CURVE = ec.SECP256R1()
_KEYS_MAX = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 - 1  # of P-256


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateFiles:
    """Where a certificate and its key are; `is_new`: whoever has read it should read it again."""

    certificate: Path
    key: Path
    is_new: bool


class Authority:
    """Certifies with a key that never leaves `folder`; all its files are for the controller alone.

    Attributes:
        file: its certificate.
        pem: the same as text, for terminals to pin.
        revoked_file: the list of the certificates it has taken back; `take_back` writes it.
    """

    def __init__(self, folder: Path, clock: Clock, names: Names) -> None:
        """Read the authority, making it at the first start.

        Raises:
            CannotStart: the folder cannot be written, or holds something else.
        """
        self._folder, self._clock, self._names = folder, clock, names
        self.file = folder / "authority.pem"
        self.revoked_file = folder / "revoked.pem"
        self._key = self._kept_key("authority-key")
        pem = kept(self.file, lambda: _pem(self._certify_itself()))
        self._certificate = _read(self.file, pem, x509.load_pem_x509_certificate)
        if self._certificate.public_key() != self._key.public_key():
            raise CannotStart(why=f"{self.file} does not belong to the key beside it")
        self.pem = pem.decode("ascii")

    def server_files(self, names: Sequence[str]) -> CertificateFiles:
        """Return what the broker and the pages show, good for these host names and addresses.

        Made anew when the names are others, or a third of its life is left.

        Raises:
            CannotStart: the files cannot be kept.
        """
        alternatives = map(_name_or_address, sorted(set(names)))
        return self._files("server", x509.SubjectAlternativeName(alternatives))

    def certify_self(self, name: str) -> CertificateFiles:
        """Return what the controller shows to its own broker, where it is called `name`.

        Made anew when a third of its life is left.

        Raises:
            CannotStart: the files cannot be kept.
        """
        return self._files(name, None)

    def certify_terminal(self, terminal: str, public_key: str) -> Certified:
        """Return a certificate by which this terminal, and nobody else, speaks as itself.

        `public_key` is its Ed25519 key in hex. Nothing is kept here: the books know the serial.
        """
        key = verifying_key(bytes.fromhex(public_key))
        certificate = self._certify(terminal, key, TERMINAL_LIFE, None)
        return Certified(
            pem=_pem(certificate).decode("ascii"),
            serial=f"{certificate.serial_number:x}",
            expires_at=round(certificate.not_valid_after_utc.timestamp() * 1_000),
        )

    def certify_peer(self, name: str) -> tuple[str, str]:
        """Return a certificate made out to another controller, and its key, both as PEM text.

        Nothing is kept here: the books know the fingerprint, and no other certificate lets it in.
        """
        pem = self._new_key()
        key = _read_key(pem).public_key()
        certificate = _pem(self._certify(name, key, PEER_LIFE, None))
        return certificate.decode("ascii"), pem.decode("ascii")

    def take_back(self, revoked: Mapping[str, int]) -> bool:
        """Write the list of revoked certificates, and return whether it is to be read again.

        `revoked` is all of them: instants by serial. One that has expired may be left out.

        Raises:
            CannotStart: the file cannot be kept, or is not one of ours.
        """
        before = self._list_before()
        if before is not None and self._says_still(before, revoked):
            return False
        number = 1 if before is None else _number_of(before) + 1
        replace(self.revoked_file, _pem(self._list_of(revoked, number)))
        return True

    def _list_before(self) -> x509.CertificateRevocationList | None:
        if not self.revoked_file.exists():
            return None
        return _read(self.revoked_file, self.revoked_file.read_bytes(), x509.load_pem_x509_crl)

    def _says_still(
        self, before: x509.CertificateRevocationList, revoked: Mapping[str, int]
    ) -> bool:
        """Say whether a list names these, and will be good for long: the clock may have jumped."""
        ends = before.next_update_utc
        named = {f"{each.serial_number:x}" for each in before}
        return named == set(revoked) and ends is not None and self._now() < ends - LIST_LIFE / 2

    def _list_of(self, revoked: Mapping[str, int], number: int) -> x509.CertificateRevocationList:
        """Return a list whose date is its number: one second later than the list before.

        Where OpenSSL knows two lists it goes by the later date, in whole seconds, and it believes
        none that is still to come; the wall clock repeats itself and jumps, a number does not.
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(BEGINNING + timedelta(seconds=number))
            .next_update(self._now() + LIST_LIFE)
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(self._by_our_key(), critical=False)
        )
        for serial, revoked_at in revoked.items():
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(serial, 16))
                .revocation_date(_date(revoked_at))
                .build()
            )
        return builder.sign(self._key, SHA256(), ecdsa_deterministic=True)

    def _files(self, subject: str, names: x509.SubjectAlternativeName | None) -> CertificateFiles:
        """Return a certificate of ours and its key, which stays: the two fit at any moment."""
        file, key_file = self._folder / f"{subject}.pem", self._folder / f"{subject}-key"
        key = self._kept_key(key_file.name).public_key()
        is_new = not self._is_good(file, key, names)
        if is_new:
            replace(file, _pem(self._certify(subject, key, OWN_LIFE, names)))
        return CertificateFiles(certificate=file, key=key_file, is_new=is_new)

    def _is_good(
        self, file: Path, key: PublicKey, names: x509.SubjectAlternativeName | None
    ) -> bool:
        """Say whether a certificate is there, is ours, says the same and has enough time left."""
        try:
            certificate = x509.load_pem_x509_certificate(file.read_bytes())
            certificate.verify_directly_issued_by(self._certificate)
        except (OSError, ValueError, InvalidSignature):
            return False
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return (
            certificate.public_key() == key
            and _names_of(certificate) == names
            and begins <= self._now() < ends - (ends - begins) * RENEWED_WITH_LEFT
        )

    def _kept_key(self, name: str) -> Key:
        file = self._folder / name
        return _read(file, kept(file, self._new_key), _read_key)

    def _new_key(self) -> bytes:
        chance = int.from_bytes(self._names.secret_bytes(SEED_BYTES), "big")
        return ec.derive_private_key(1 + chance % _KEYS_MAX, _CURVE).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def _certify_itself(self) -> x509.Certificate:
        key = self._key.public_key()
        return (
            self._begun("Rusuban controller", key, BEGINNING, END)
            .issuer_name(_called("Rusuban controller"))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_may(certify=True), critical=True)
            .sign(self._key, SHA256(), ecdsa_deterministic=True)
        )

    def _certify(
        self,
        subject: str,
        key: PublicKey,
        life: timedelta,
        names: x509.SubjectAlternativeName | None,
    ) -> x509.Certificate:
        """Return a certificate of one who is called, by `names`, or of one who calls."""
        usage = (
            ExtendedKeyUsageOID.CLIENT_AUTH if names is None else ExtendedKeyUsageOID.SERVER_AUTH
        )
        now = self._now()
        builder = (
            self._begun(subject, key, now - BACKDATED, now + life)
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_may(certify=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(self._by_our_key(), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, SHA256(), ecdsa_deterministic=True)

    def _begun(
        self, subject: str, key: PublicKey, begins: datetime, ends: datetime
    ) -> x509.CertificateBuilder:
        serial = int.from_bytes(self._names.secret_bytes(SERIAL_BYTES), "big") or 1
        return (
            x509.CertificateBuilder()
            .subject_name(_called(subject))
            .public_key(key)
            .serial_number(serial)
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )

    def _by_our_key(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())

    def _now(self) -> datetime:
        return _date(self._clock.now_ms())


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _may(*, certify: bool) -> x509.KeyUsage:
    """Return what a key is for: to certify others, or to prove itself."""
    return x509.KeyUsage(
        digital_signature=not certify,
        key_cert_sign=certify,
        crl_sign=certify,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name_or_address(said: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(said))
    except ValueError:
        return x509.DNSName(said)


def _names_of(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return None
    return found.value


def _number_of(revoked: x509.CertificateRevocationList) -> int:
    return revoked.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _date(at: int) -> datetime:
    """Return an instant as certificates have it, in whole seconds."""
    return datetime.fromtimestamp(at // 1_000, UTC)


def _pem(signed: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return signed.public_bytes(serialization.Encoding.PEM)


def _read(file: Path, content: bytes, read: Callable[[bytes], T]) -> T:
    try:
        return read(content)
    except ValueError as fault:
        raise CannotStart(why=f"{file} is not one of ours") from fault


def _read_key(pem: bytes) -> Key:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, Key):
        raise ValueError  # noqa: TRY004 - what is wrong is the content of a file
    return key
