"""How long to wait after a loss, and what losses together mean; time and chance are arguments."""

from __future__ import annotations

from collections.abc import Callable

from common.mqtt.values import LossReason, RetrySettings

STABLE_SECONDS = 60.0
"""Only a connection this old makes the retries start over; else a broker that kicks is stormed."""

SHORT_LIFE_SECONDS = 5.0
SHORT_LIVES_MAX = 3
"""So many lost so soon after CONNACK: another has our name (mosquitto 2.0.11 does not say it)."""

AT_ONCE_MAX = 3
"""Reconnects without a pause in a row; a role changes once, not in a loop."""


class Patience:
    """Remembers the losses since the last stable connection."""

    def __init__(self, settings: RetrySettings, random: Callable[[], float]) -> None:
        self._settings = settings
        self._random = random
        self._attempts = 0
        self._at_once = 0
        self._short_lives = 0

    def after(self, reason: LossReason, lived_seconds: float | None) -> tuple[LossReason, float]:
        """Return why it was lost, seen together with the losses before, and the seconds to wait.

        `lived_seconds` is None when there was no connection, only an attempt.
        """
        if lived_seconds is not None and lived_seconds >= STABLE_SECONDS:
            self._start_over()
        is_short = (
            reason is LossReason.NETWORK
            and lived_seconds is not None
            and lived_seconds < SHORT_LIFE_SECONDS
        )
        self._short_lives = self._short_lives + 1 if is_short else 0
        if self._short_lives >= SHORT_LIVES_MAX:
            reason = LossReason.TAKEN_OVER
        return reason, self._seconds_after(reason)

    def _start_over(self) -> None:
        self._attempts = self._at_once = self._short_lives = 0

    def _seconds_after(self, reason: LossReason) -> float:
        settings = self._settings
        if reason is LossReason.TAKEN_OVER:
            shortest, longest = settings.taken_over_seconds
            return shortest + (longest - shortest) * self._random()
        if reason is LossReason.NOT_AUTHORISED:
            return settings.refused_seconds * (1 - self._random() / 2)
        if reason is LossReason.ADMINISTRATIVE and self._at_once < AT_ONCE_MAX:
            self._at_once += 1
            return 0.0
        ceiling = min(settings.longest_seconds, settings.shortest_seconds * 2.0**self._attempts)
        self._attempts += ceiling < settings.longest_seconds
        return ceiling * self._random()
