"""What each device of this terminal needs between two customers, by settings and catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Protocol

from common.rules.devices import Care, ConfirmBy
from edge_agent.flows.devices import Hosted, Served
from edge_agent.settings import DeviceSettings, TurnoverPart


class Kept(Protocol):
    """A program of the catalogue, as far as a turnover needs it."""

    @property
    def reset(self) -> str | None:
        """The command that resets it."""

    @property
    def wipe(self) -> Sequence[PurePosixPath]:
        """The folders that are emptied."""


def served_by(
    devices: Sequence[DeviceSettings], catalogue: Mapping[str, Kept]
) -> Callable[[Hosted], Served]:
    """Return what says of a device of our profile what it needs."""
    told = {device.key: device.turnover for device in devices}

    def served(hosted: Hosted) -> Served:
        part = told.get(hosted.key, TurnoverPart())
        program = catalogue.get(hosted.program)
        return Served(
            device=hosted.device,
            program=hosted.program,
            care=Care(
                wipes=program is not None and bool(program.wipe),
                reset=None if program is None else program.reset,
                confirm_by=part.confirm_by,
            ),
            sensor=part.sensor if part.confirm_by is ConfirmBy.SENSOR else None,
            wipe_seconds=part.wipe_seconds,
            reset_seconds=part.reset_seconds,
            confirm_seconds=part.confirm_seconds,
            sensor_each_seconds=part.sensor_each_seconds,
        )

    return served
