"""What is to be done next about one package on a terminal: the client part first, then licences.

Its law: nothing licensed is fetched without a right, no right is asked for what is not on offer,
and what is here already is neither fetched nor asked for again (D1-D4).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.machine import Machine
from common.rules.modules.seats import RENEW_AT_SHARE, Basis


class SeatAskState(StrEnum):
    """Where this terminal's request for a module's right stands; there is one of each module."""

    WANTED = "wanted"
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


class SeatAskEvent(StrEnum):
    """What happens to it."""

    ASK = "ask"
    GRANT = "grant"
    REFUSE = "refuse"
    WANT = "want"


_S, _E = SeatAskState, SeatAskEvent

SEAT_ASK: Final = Machine[SeatAskState, SeatAskEvent](
    name="seat_ask",
    first=_S.WANTED,
    table={
        (_S.WANTED, _E.ASK): _S.ASKED,
        (_S.ASKED, _E.GRANT): _S.GRANTED,
        (_S.ASKED, _E.REFUSE): _S.REFUSED,
        (_S.GRANTED, _E.WANT): _S.WANTED,
        (_S.REFUSED, _E.WANT): _S.WANTED,
    },
)


class Step(StrEnum):
    """What is next about a package, or why nothing is."""

    HERE = "here"
    """In the version on offer, or a later one; of a module, with a lease that is not due."""
    ELSEWHERE = "elsewhere"
    """Another party has put it here: it is used as it is, and nothing of ours is fetched."""
    NOT_ON_OFFER = "not_on_offer"
    """Our controller may not issue it: the sequence ends here, cleanly."""
    UNWISHED = "unwished"
    """An operator wants it gone."""
    WAIT_FOR_CLIENT = "wait_for_client"
    """The program that needs it comes first."""
    NO_SEAT = "no_seat"
    """On offer, and every seat is taken: asked again with the next licence information."""
    ASK = "ask"
    RENEW = "renew"
    ASKED = "asked"
    """A right is on its way."""
    REFUSED = "refused"
    """What was on offer was not granted: asked again with the next licence information."""
    INSTALL = "install"
    FAILED = "failed"
    """It could not be installed: tried again with the next licence information."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OnOffer:
    """A package in the version that may be had now."""

    sha256: str
    release_counter: int
    basis: Basis = Basis.INSTALLED
    has_seats: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Here:
    """What this terminal has of a package from us."""

    sha256: str
    release_counter: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The receipt that this terminal holds for what it has: from when to when its right counts."""

    issued_at: int
    ends_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The request for a right of a module: for which archive, how it stands, until when it counts.

    `is_new`: it was answered since the licence information that is at hand was asked for.
    """

    sha256: str
    state: SeatAskState
    ends_at: int = 0
    is_new: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageFacts:
    """All that is known of one package here.

    Attributes:
        is_module: whether it is licensed.
        is_elsewhere: whether another party has put it here.
        is_unwished: whether an operator wants it gone.
        client_is_here: whether each program that needs it is installed, as far as it is on offer.
        has_failed: whether the version on offer could not be installed, of late.
    """

    is_module: bool
    offered: OnOffer | None = None
    here: Here | None = None
    lease: Lease | None = None
    asked: Asked | None = None
    is_elsewhere: bool = False
    is_unwished: bool = False
    client_is_here: bool = True
    has_failed: bool = False


def next_step(facts: PackageFacts, now: int) -> Step:
    """Return what is next about a package at this instant; asked twice, no harm."""
    if facts.is_elsewhere:
        return Step.ELSEWHERE
    if _is_new_enough(facts):
        return _kept(facts, now)
    if facts.is_unwished:
        return Step.UNWISHED
    return Step.NOT_ON_OFFER if facts.offered is None else _fetched(facts, facts.offered, now)


def _fetched(facts: PackageFacts, offered: OnOffer, now: int) -> Step:
    """Return what is next about what is on offer and not here: the client part first (D1)."""
    if facts.has_failed:
        return Step.FAILED
    if not facts.is_module:
        return Step.INSTALL
    if not facts.client_is_here:
        return Step.WAIT_FOR_CLIENT
    return _licensed(offered, facts.asked, now)


def _is_new_enough(facts: PackageFacts) -> bool:
    """Say whether what is here stays as it is: nothing later is on offer, or it is to go."""
    here, offered = facts.here, facts.offered
    if here is None or offered is None or facts.is_unwished:
        return here is not None
    is_same = here.sha256 == offered.sha256
    return is_same or here.release_counter >= offered.release_counter


def _kept(facts: PackageFacts, now: int) -> Step:
    """Return whether what is here needs its seat renewed: it, and what was never counted, does."""
    if not facts.is_module or (facts.offered is None and facts.lease is None):
        return Step.HERE
    asked = facts.asked
    if asked is not None and asked.state in {SeatAskState.WANTED, SeatAskState.ASKED}:
        return Step.ASKED
    if asked is not None and asked.state is SeatAskState.REFUSED and asked.is_new:
        return Step.HERE
    basis = facts.offered.basis if facts.offered is not None else Basis.INSTALLED
    if facts.lease is None:
        return Step.RENEW
    is_due = basis is Basis.INSTALLED and now >= renewed_at(facts.lease)
    return Step.RENEW if is_due else Step.HERE


def _licensed(offered: OnOffer, asked: Asked | None, now: int) -> Step:
    """Return what is next about a module whose version on offer is not here."""
    if asked is not None and asked.state in {SeatAskState.WANTED, SeatAskState.ASKED}:
        return Step.ASKED
    if asked is not None and asked.sha256 == offered.sha256:
        if asked.state is SeatAskState.GRANTED and now < asked.ends_at:
            return Step.INSTALL
        if asked.state is SeatAskState.REFUSED and asked.is_new:
            return Step.REFUSED
    return Step.ASK if offered.has_seats else Step.NO_SEAT


def renewed_at(lease: Lease) -> int:
    """Return from when on a lease is renewed.

    >>> renewed_at(Lease(issued_at=100, ends_at=200))
    150
    """
    return lease.issued_at + round((lease.ends_at - lease.issued_at) * RENEW_AT_SHARE)
