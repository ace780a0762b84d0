"""What is served, what is to be done, and where a device stands: the words of this flow."""

from __future__ import annotations

from dataclasses import dataclass

from common.rules.devices import Care, DeviceState, Step


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A device that this terminal serves customers on, and what it needs between two of them.

    `sensor` is the catalogue's command that says whether it is clean, where one does.
    """

    device: str
    program: str
    care: Care
    sensor: str | None = None
    wipe_seconds: float = 300.0
    reset_seconds: float = 300.0
    confirm_seconds: float = 3_600.0
    sensor_each_seconds: float = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Hosted:
    """A device of our profile: its id, our own key for it, and its program."""

    device: str
    key: str
    program: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ToDo:
    """A step that the runner is to carry out, under an id by which it is done once.

    `command` is the catalogue's; None: the folders of `program` are to be emptied.
    """

    device: str
    run: str
    program: str
    command: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceNow:
    """Where a device stands; `step` is what is being done in a turnover.

    `takes_code`: it waits for whoever has cleaned it to say so.
    """

    device: str
    state: DeviceState
    since_at: int
    session: str | None
    step: Step | None
    fault: str
    detail: str
    takes_code: bool = False
