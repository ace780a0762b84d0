"""Whom this PC believes: the authority that is pinned, whatever the clock says, or the system's.

A PC with an empty clock battery wakes years away. By a pinned authority it judges the name and the
signature but not the dates; the broker, whose clock is right, judges the dates of ours.
"""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from typing import Final

from common.errors import CannotStart
from common.files import replace
from common.rules.enrolment import Ladder
from common.tls import trusting
from edge_agent.enrolment.keys import key_file
from edge_agent.ports import Identity

CERTIFICATE_FILE: Final = "terminal-certificate"

_WITHOUT_DATES: Final = 0x20_0000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for."""


class BrokerIsUnprotected(CannotStart):
    """The broker at {host} is on another machine and unprotected: set its `ladder` to 1 or 2."""


def tls_of(who: Identity, folder: Path) -> ssl.SSLContext | None:
    """Return how this terminal speaks to its broker; None: in the clear, within this machine.

    Raises:
        BrokerIsUnprotected: it would be in the clear beyond this machine.
        CannotStart: a certificate or the key cannot be used or kept.
    """
    match who.ladder:
        case Ladder.LOOPBACK:
            if not is_on_this_machine(who.broker_host):
                raise BrokerIsUnprotected(host=who.broker_host)
            return None
        case Ladder.PASSWORD:
            return pinned_to(who.authority)
        case Ladder.CERTIFICATE:
            shown = _kept_beside(folder, who.certificate)
            return pinned_to(who.authority, certificate=shown, key=key_file(folder))


def tls_to_pages(pinned: str) -> ssl.SSLContext:
    """Return how the controller's pages are called: whom the PIN or this PC trusts, nobody else."""
    return pinned_to(pinned) if pinned else ssl.create_default_context()


def tls_to_anybody() -> ssl.SSLContext:
    """Return how somebody is called from whom nothing is believed that we cannot compare."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def pinned_to(
    authority: str, *, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Return how one speaks with those that this authority certified, at whatever time.

    Raises:
        CannotStart: one of them cannot be used.
    """
    context = trusting(authority, certificate=certificate, key=key)
    context.verify_flags |= _WITHOUT_DATES
    return context


def is_on_this_machine(host: str) -> bool:
    """Say whether a host is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _kept_beside(folder: Path, certificate: str) -> Path:
    """Return the file of our certificate, for TLS reads files; the journal is where it is kept."""
    file = folder / CERTIFICATE_FILE
    try:
        if not file.exists() or file.read_bytes() != certificate.encode():
            replace(file, certificate.encode())
    except OSError as fault:
        raise CannotStart(why=f"{file} cannot be kept: {fault.strerror}") from fault
    return file
