"""Who may fetch a package: whoever has our word for this very file, and has not left us since.

Its law: what is shown is signed by us and names the file's digest, or nothing of it is sent.
"""

from __future__ import annotations

from typing import Final

from pydantic import ValidationError

from cloud_controller.ports import Transaction
from common.errors import RusubanError
from common.messages.modules import ModulesOffer, PackageKind, Receipt
from common.messages.rights import ModuleRight
from common.topics import BrokerRole

STAYING: Final = frozenset({BrokerRole.SERVICE, BrokerRole.SETTLING})
"""What a terminal is to the broker that may fetch: confirmed, or about to go."""


class PackageNotGiven(RusubanError):
    """Nothing that was shown lets this terminal fetch this file now."""


def check_fetching(books: Transaction, shown: Receipt, sha256: str) -> str:
    """Return the terminal that a receipt, or an offer, lets fetch the file of this digest now.

    Raises:
        PackageNotGiven: it is not ours, has ended, names another file, its seat was given back, or
            its terminal has left.
    """
    try:
        is_ours = books.keys.have_sealed(shown.document, shown.signature)
        names = _names(shown) if is_ours else None
    except (ValidationError, ValueError, RecursionError):
        raise PackageNotGiven from None
    if names is None or names.ends_at <= books.now or sha256 not in _files(names):
        raise PackageNotGiven
    known = books.registration.admission(terminal_id=names.terminal)
    if known is None or known["epoch"] != names.epoch or known["broker_role"] not in STAYING:
        raise PackageNotGiven
    if isinstance(names, ModuleRight) and _is_given_back(books, shown, names):
        raise PackageNotGiven
    return names.terminal


def _is_given_back(books: Transaction, shown: Receipt, right: ModuleRight) -> bool:
    """Say whether its terminal has given back what it took; of a forgotten right nobody knows."""
    name = {"right_id": str(shown.document.get("right", "")), "party": right.terminal}
    return bool(books.modules.is_given_back(**name, kind=right.kind))


def _names(shown: Receipt) -> ModulesOffer | ModuleRight:
    if shown.document.get("kind") == ModulesOffer.type:
        return ModulesOffer.model_validate(shown.document)
    return ModuleRight.model_validate(shown.document)


def _files(names: ModulesOffer | ModuleRight) -> set[str]:
    """Return the digests that it lets fetch: of an offer, only what takes no seat."""
    if isinstance(names, ModuleRight):
        return {names.sha256} if names.sha256 is not None else set()
    return {each.sha256 for each in names.packages if each.kind == PackageKind.PROGRAM}
