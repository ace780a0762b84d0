"""What bookings should come to, in the plainest words: lists and integers, no database."""

from __future__ import annotations

from dataclasses import dataclass, field

LET_GO = "let go"
"""The state of a hold that was over when it was let go of: who looked first has named it."""


@dataclass
class Claim:
    """One reservation as it should be; a hold is over at `hold_ends_at`, looked at or not."""

    reservation: str
    order: str
    device: str
    starts_at: int
    ends_at: int
    cents: int
    state: str
    hold_ends_at: int = 0
    is_charged: bool = False

    def is_live(self, now: int) -> bool:
        """Say whether it takes its place now."""
        return self.state == "confirmed" or (self.state == "held" and now < self.hold_ends_at)

    def let_go(self, now: int) -> None:
        """Note that its customer does not want it any more, before it was confirmed."""
        self.state = "cancelled" if self.is_live(now) else LET_GO

    def overlaps(self, starts_at: int, ends_at: int) -> bool:
        return self.starts_at < ends_at and starts_at < self.ends_at


@dataclass
class Purse:
    """The money of one order: what has come in and what has gone back."""

    paid: int = 0
    refunded: int = 0
    due: int = 0
    """What a provider was asked for and has not paid yet."""


@dataclass
class Model:
    """All claims there ever were, and the money of each order."""

    devices: tuple[str, ...]
    claims: dict[str, Claim] = field(default_factory=dict)
    purses: dict[str, Purse] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)

    def free(self, starts_at: int, ends_at: int, now: int, *, but: str = "") -> set[str]:
        """Return the devices that nothing takes in a stretch of time."""
        taken = {
            claim.device
            for claim in self.claims.values()
            if claim.reservation != but
            and claim.is_live(now)
            and claim.overlaps(starts_at, ends_at)
        }
        return set(self.devices) - taken

    def held_by(self, holder: str) -> list[Claim]:
        """Return what a holder holds and has not confirmed, over or not."""
        if not holder:
            return []
        return [
            claim
            for claim in self.claims.values()
            if claim.state == "held" and self.holders[claim.order] == holder
        ]

    def of(self, order: str) -> list[Claim]:
        """Return the claims of an order."""
        return [claim for claim in self.claims.values() if claim.order == order]

    def give_back(self, order: str, cents: int) -> None:
        """Note that money goes back: never more than came in."""
        purse = self.purses[order]
        purse.refunded += min(cents, purse.paid - purse.refunded)

    def pay(self, order: str, now: int) -> None:
        """Note that all that was asked for has come in: what is still to be had is confirmed.

        Whatever is paid for more than that goes back.
        """
        purse = self.purses[order]
        purse.paid += purse.due
        purse.due = 0
        for claim in self.of(order):
            if not claim.is_charged or claim.state not in {"held", "expired"}:
                continue
            free = self.free(claim.starts_at, claim.ends_at, now, but=claim.reservation)
            in_time = claim.state == "held" and now < claim.hold_ends_at
            may_be_late = claim.ends_at > now and claim.device in free
            claim.state = "confirmed" if in_time or may_be_late else "expired"
        earned = sum(
            claim.cents for claim in self.of(order) if claim.state in {"confirmed", "no_show"}
        )
        purse.refunded += max(0, purse.paid - purse.refunded - earned)
