"""What cannot be done, as the flows say it."""

from __future__ import annotations

from common.errors import RusubanError


class SlotIsTaken(RusubanError):
    """This time has just been taken by somebody else."""


class NotFound(RusubanError):
    """There is no such {what}."""


class NotAllowed(RusubanError):
    """This cannot be done: {why}."""


class NotPermitted(RusubanError):
    """This takes more than you may do here."""


class CodeIsSpent(RusubanError):
    """This enrolment code is unknown, used or out of date."""


class WebhookIsForged(RusubanError):
    """This was not said by the payment provider, or not just now: {why}."""
