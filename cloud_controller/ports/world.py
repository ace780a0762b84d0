"""What the flows and the rim need of the world around them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from cloud_controller.ports.values import Registered
from common.ids import TerminalId
from common.rules.payments import Method, ProviderSaid
from common.seals import KeysSaid, ReadToken, TicketToken


class PaymentDesk(Protocol):
    """How customers can pay here, and what their provider says of it."""

    @property
    def methods(self) -> frozenset[Method]:
        """Return the ways of paying that this controller takes."""
        ...

    @property
    def provider(self) -> Method | None:
        """Return by whom this controller is paid; None: what is due is settled outside."""
        ...

    async def open_now(self, link: str) -> None:
        """See that the page is made on which an order is paid, by the order's link.

        Where the provider is away there is none yet: it is made as soon as that is back.
        """
        ...

    def read_word(self, body: bytes, signature: str) -> ProviderSaid | None:
        """Return a provider's signed word; None where it does not concern us.

        Raises:
            WebhookIsForged: it is not theirs, or too old.
        """
        ...


class Packages(Protocol):
    """What terminals install from here: signed lists, and the archives that they name."""

    def signed_list(self, name: str) -> Path | None:
        """Return the file of a signed list, by its name without the ending."""
        ...

    def archive(self, path: str) -> tuple[Path, str] | None:
        """Return the file of an archive, and its SHA-256 in hex, by its path."""
        ...


class Clock(Protocol):
    """What time it is."""

    def now_ms(self) -> int:
        """Return the wall clock in milliseconds since 1970 UTC."""

    def steady_seconds(self) -> float:
        """Return seconds that only grow."""


class Names(Protocol):
    """Where new names and secrets come from."""

    def new(self, prefix: str) -> str:
        """Return a new name that begins with `prefix-`."""

    def hex_digits(self, count: int) -> str:
        """Return `count` random hex digits."""

    def secret_bytes(self, count: int) -> bytes:
        """Return `count` random bytes."""

    def short_code(self, length: int) -> str:
        """Return a code that a person can type."""


class Keys(Protocol):
    """The controller's signing keys, which never leave its machine."""

    @property
    def key_id(self) -> int:
        """Return which key signs."""

    @property
    def revision(self) -> int:
        """Return how often the keys were changed."""

    def said(self) -> KeysSaid | None:
        """Return what is told of the keys since they were changed, or None: they never were."""

    def is_live(self, key_id: int) -> bool:
        """Say whether what this key signed still counts."""

    def seal_token(self, token: TicketToken) -> str:
        """Return a ticket's token, signed with the key that `key_id` names."""

    def have_signed(self, read: ReadToken) -> bool:
        """Say whether one of our live keys signed this token."""

    def seal_document(self, document: dict[str, Any]) -> str:
        """Return the signature of a right, in hex."""

    def have_sealed(self, document: Mapping[str, Any], signature: str) -> bool:
        """Say whether one of our live keys signed this right."""

    def code_key(self, ticket: str, revision: int) -> bytes:
        """Return the key of the codes that a ticket shows, where they change by themselves."""

    def hook_secret(self, endpoint: str, number: int) -> str:
        """Return what a webhook is signed with: the secret of this number that an endpoint has."""

    def public_keys(self) -> dict[int, str]:
        """Return the live public keys in hex, by key id."""


class Registry(Protocol):
    """What the service role may ask of the management role, and all that it may ask (A6)."""

    def registered(self, terminal: TerminalId) -> Registered | None:
        """Return what is registered of a terminal, or None: nothing is."""
        ...
