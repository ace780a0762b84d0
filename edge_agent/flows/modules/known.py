"""All that the journal holds of this terminal's packages, read at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.messages.modules import ModulesOffer, ModulesOffered
from common.rules.modules import Asked, Lease
from edge_agent.flows.modules.offered import offered
from edge_agent.flows.modules.steps import asks, leases
from edge_agent.flows.modules.wishes import wishes
from edge_agent.ports import Identity, Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is on offer and wished, what was asked for, and which receipts there are.

    Attributes:
        told: the licence information as it came, with `offer` as it reads; None: there is none that
            counts now.
        taken_at: when it came, in UTC milliseconds.
        wishes: `install` or `uninstall`, by module.
        heard: the highest number of a wish that was heard.
        asks: how each request for a right stands, by module.
        leases: this terminal's receipts, by module and archive.
    """

    now: int
    told: ModulesOffered | None
    offer: ModulesOffer | None
    taken_at: int
    wishes: Mapping[str, str]
    heard: int
    asks: Mapping[str, Asked]
    leases: Mapping[tuple[str, str], Lease]


def known(journal: Transaction, who: Identity) -> Known:
    """Return what is known of this terminal's packages now."""
    told, offer, taken_at = offered(journal) or (None, None, 0)
    counts = offer is not None and (offer.epoch, offer.terminal) == (who.epoch, who.terminal)
    is_good = counts and offer is not None and journal.now < offer.ends_at
    return Known(
        now=journal.now,
        told=told if is_good else None,
        offer=offer if is_good else None,
        taken_at=taken_at,
        wishes=wishes(journal),
        heard=int(journal.rows.module_wishes_heard()),
        asks=asks(journal, taken_at),
        leases=leases(journal, who),
    )
