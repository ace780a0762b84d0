"""What stands around each device, asked of the controller while somebody looks at it (E5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from common.messages.devices import DeviceAround, DeviceAsk
from common.topics import Channel
from edge_agent.ports import Asked, DeviceOnScreen

AGAIN_SECONDS: Final = 60.0
"""How old an answer may be: others book, and what was extended elsewhere costs more."""


class Line(Protocol):
    """The line to the controller."""

    is_connected: bool

    def post(self, asked: Sequence[Asked]) -> None:
        """Send a question, which may get lost."""
        ...


class Surroundings:
    """Asks anew when a device's session begins, ends or goes on, and when an answer is old."""

    def __init__(self) -> None:
        """Begin with nothing known, and nobody who could be asked."""
        self.line: Line | None = None
        self._told: dict[str, DeviceAround] = {}
        self._asked: dict[str, tuple[object, float]] = {}

    @property
    def told(self) -> Mapping[str, DeviceAround]:
        """Return what was answered last of each device, by its id."""
        return self._told

    def take(self, told: DeviceAround) -> None:
        """Take an answer; of a device that nobody has asked about nothing is kept."""
        if told.device in self._asked:
            self._told[told.device] = told

    def look(self, devices: Iterable[DeviceOnScreen], now: float) -> None:
        """Ask about each device of which something has changed, or was answered long ago."""
        if self.line is None or not self.line.is_connected:
            self._asked.clear()  # what is known is old when the line is back
            self._told.clear()
            return
        for each in devices:
            if each.device is not None and self._is_due(each, each.device, now):
                ask = DeviceAsk(device=each.device)
                self.line.post([Asked(channel=Channel.REQUESTS, message=ask)])

    def _is_due(self, seen: DeviceOnScreen, device: str, now: float) -> bool:
        use = seen.session
        stands = None if use is None else (use.session, use.granted_seconds, use.ends_at)
        before, asked_at = self._asked.get(device, ("never", 0.0))
        if before == stands and now < asked_at + AGAIN_SECONDS:
            return False
        self._asked[device] = stands, now
        return True
