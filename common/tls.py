"""TLS 1.3 as both programs speak it: one authority is trusted, the controller's own, no other."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

from typing_extensions import override

from common.errors import CannotStart


class CertificateIsUnusable(CannotStart):
    """{what} cannot be used: {why}."""


def trusting(
    authority: str, *, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Return how a caller speaks: only to whom `authority` certified under the name called.

    `authority` is PEM text. `certificate` and `key` are files of the caller's own, to be shown to
    one who asks; when they have been renewed, `load_cert_chain` them again into the same context.

    Raises:
        CertificateIsUnusable: one of them is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.sslsocket_class = _Tidy
    _believe(context, authority)
    if certificate is not None:
        _show(context, certificate, key)
    return context


def serving(certificate: Path, key: Path, *, callers: str = "") -> ssl.SSLContext:
    """Return how one who is called speaks, who shows this certificate.

    `callers` is the authority, as PEM text, that has certified whoever may call; empty: no caller
    is asked for a certificate.

    Raises:
        CertificateIsUnusable: one of the files is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    _show(context, certificate, key)
    if callers:
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        _believe(context, callers)
    return context


def fingerprint_of(authority: str) -> str:
    """Return the SHA-256 of a certificate in hex, to compare it with one that was pinned.

    Raises:
        CertificateIsUnusable: this is not one certificate, and nothing else, as PEM text.
    """
    if authority.count("-----BEGIN") != 1:
        raise CertificateIsUnusable(what="The controller's authority", why="it is not one of them")
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(authority)).hexdigest()
    except ValueError as fault:
        raise CertificateIsUnusable(what="The controller's authority", why=fault) from fault


class _Tidy(ssl.SSLSocket):
    """Closes itself when both sides do not agree: who asked for it may never come to hold it."""

    @override
    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _believe(context: ssl.SSLContext, authority: str) -> None:
    try:
        context.load_verify_locations(cadata=authority)
    except (ssl.SSLError, ValueError) as fault:
        raise CertificateIsUnusable(what="The controller's authority", why=fault) from fault


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except OSError as fault:
        raise CertificateIsUnusable(what=certificate, why=fault.strerror or fault) from fault
