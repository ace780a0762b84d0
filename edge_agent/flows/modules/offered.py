"""Licence information: asked for before anything is fetched, and believed only with a seal (D2)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from common.messages.modules import ModulesAsk, ModulesOffer, ModulesOffered
from common.seals import is_sealed, verifying_key
from common.topics import Channel
from edge_agent.ports import Identity, Transaction


def ask(journal: Transaction, packages: Sequence[str]) -> None:
    """Ask which of these packages are to be had, and say which wishes were heard."""
    heard = journal.rows.module_wishes_heard()
    journal.ask(Channel.REQUESTS, ModulesAsk(packages=tuple(packages), heard=heard))


def take_offered(journal: Transaction, who: Identity, told: ModulesOffered) -> bool:
    """Keep what is on offer; False: it is not our controller's word, or not for us."""
    offer = _offer_in(told)
    if offer is None or (offer.terminal, offer.epoch) != (who.terminal, who.epoch):
        return False
    keys = json.loads(journal.rows.public_keys() or "{}").values()
    is_ours = any(
        is_sealed(told.document, told.signature, verifying_key(bytes.fromhex(raw))) for raw in keys
    )
    if is_ours:
        journal.rows.keep_offer(
            document=json.dumps(told.document), signature=told.signature, taken_at=journal.now
        )
    return is_ours


def offered(journal: Transaction) -> tuple[ModulesOffered, ModulesOffer, int] | None:
    """Return the licence information taken last, as it came and as it reads, and when; or None."""
    row = journal.rows.modules_offer()
    if row is None:
        return None
    told = ModulesOffered(document=json.loads(row["document"]), signature=row["signature"])
    return told, ModulesOffer.model_validate(told.document), int(row["taken_at"])


def required_by(journal: Transaction) -> Mapping[str, Sequence[str]]:
    """Return what each package requires that is on offer, as it was told last."""
    found = offered(journal)
    packages = found[1].packages if found is not None else ()
    return {each.package: each.requires for each in packages}


def _offer_in(told: ModulesOffered) -> ModulesOffer | None:
    try:
        offer = ModulesOffer.model_validate(told.document)
    except ValidationError:
        return None
    return offer if offer.kind == ModulesOffer.type else None
