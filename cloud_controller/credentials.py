"""What proves the controller and its terminals on each step of the ladder, renewed in time."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from cloud_controller.broker import SALT_BYTES, BrokerFiles, hash_secret
from cloud_controller.certificates import Authority
from cloud_controller.flows.enrolment import SECRET_BYTES, Given, Salted
from cloud_controller.ports import Clock, Names, Transaction
from common.rules.enrolment import Ladder
from common.tls import serving, trusting

RENEWAL_SECONDS: Final = 43_200.0
"""Twice a day it is looked what runs out; certificates are renewed months before they do."""


class Credentials:
    """The controller's authority and what it makes of it; on the lowest step there is none.

    Attributes:
        ladder: how terminals prove themselves here.
        authority: who certifies, None on the lowest step without TLS for the pages.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ladder: Ladder,
        has_pages: bool,
        server_names: frozenset[str],
        clock: Clock,
        names: Names,
    ) -> None:
        """Read what is there, making what is not.

        Args:
            folder: where keys are kept.
            ladder: the step that terminals stand on.
            has_pages: whether the pages, or the door of other controllers, speak TLS too, with
                the same certificate.
            server_names: host names and addresses by which broker and pages are reached.
            clock: for how long a certificate is good.
            names: where secrets come from.

        Raises:
            CannotStart: the folder cannot be written, or holds something else.
        """
        self.ladder = ladder
        self._names = names
        self._server_names = sorted(server_names)
        is_needed = has_pages or ladder is not Ladder.LOOPBACK
        self.authority = Authority(folder, clock, names) if is_needed else None
        self._callers: dict[str, ssl.SSLContext] = {}
        self._served: list[ssl.SSLContext] = []

    @property
    def authority_text(self) -> str:
        """Return the authority as PEM text, for terminals to pin; empty where there is none."""
        return self.authority.pem if self.authority is not None else ""

    def given(self) -> Given:
        """Return what one terminal is given that enrols now."""
        secret = self._names.secret_bytes(SECRET_BYTES).hex()
        salt = self._names.secret_bytes(SALT_BYTES)
        digest = hash_secret(secret.encode(), salt)
        authority = self.authority if self.ladder is Ladder.CERTIFICATE else None
        return Given(
            salted=Salted(secret=secret, salt=salt.hex(), digest=digest.hex()),
            ladder=self.ladder,
            certify=authority.certify_terminal if authority is not None else None,
        )

    def broker_files(self) -> BrokerFiles | None:
        """Return what the broker proves itself with, and whom it believes."""
        if self.ladder is Ladder.LOOPBACK:
            return None
        assert self.authority is not None
        own = self.authority.server_files(self._server_names)
        if not self.authority.revoked_file.exists():
            self.authority.take_back({})
        return BrokerFiles(
            certificate=own.certificate,
            key=own.key,
            authority=self.authority.file,
            revoked=self.authority.revoked_file,
        )

    def calling(self, name: str) -> ssl.SSLContext | None:
        """Return how a part of ours that is called `name` speaks to our broker."""
        if self.ladder is Ladder.LOOPBACK:
            return None
        assert self.authority is not None
        if self.ladder is Ladder.PASSWORD:
            return trusting(self.authority.pem)
        own = self.authority.certify_self(name)
        context = trusting(self.authority.pem, certificate=own.certificate, key=own.key)
        self._callers[name] = context
        return context

    def serving(self) -> ssl.SSLContext:
        """Return how the pages are served."""
        return self._serving(callers="")

    def serving_peers(self) -> ssl.SSLContext:
        """Return how other controllers are served: those that our authority has certified."""
        return self._serving(callers=self.authority_text)

    def take_back(self, revoked: dict[str, int]) -> bool:
        """Have the broker let nobody in any more with these; say whether it must read anew."""
        if self.ladder is not Ladder.CERTIFICATE or self.authority is None:
            return False
        return self.authority.take_back(revoked)

    def renew(self) -> bool:
        """Renew what runs out, into the contexts that are in use; say whether anything was."""
        if self.authority is None:
            return False
        own = self.authority.server_files(self._server_names)
        for served in self._served if own.is_new else ():
            served.load_cert_chain(own.certificate, own.key)
        is_new = own.is_new
        for name, context in self._callers.items():
            shown = self.authority.certify_self(name)
            context.load_cert_chain(shown.certificate, shown.key)
            is_new = is_new or shown.is_new
        return is_new

    def _serving(self, *, callers: str) -> ssl.SSLContext:
        assert self.authority is not None
        own = self.authority.server_files(self._server_names)
        self._served.append(serving(own.certificate, own.key, callers=callers))
        return self._served[-1]


def revoked(books: Transaction) -> dict[str, int]:
    """Return the certificates that are taken back and have not run out: instants by serial."""
    rows = books.enrolment.revoked_certificates(now=books.now)
    return {row["serial"]: row["revoked_at"] for row in rows}
