"""What agent and runner can be told, each setting with its meaning, unit and default's reason."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from common.settings import Settings
from common.switches import SWITCHES_MAX, SwitchBroker, checked_together
from edge_agent.settings.devices import DeviceSettings, OfferingSettings
from edge_agent.settings.display import DisplayPart
from edge_agent.settings.modules import ModuleElsewhere, ModulesPart
from edge_agent.settings.part import Part
from edge_agent.settings.runner import RunnerPart
from edge_agent.settings.scanners import (
    AnyScanner,
    CameraScanner,
    ImageScanner,
    KeyboardScanner,
    SerialScanner,
    StandardInputScanner,
)
from edge_agent.settings.switches import AgentSwitch
from edge_agent.settings.turnover import TurnoverPart

__all__ = [
    "AgentSettings",
    "AgentSwitch",
    "CameraScanner",
    "DeviceSettings",
    "DisplayPart",
    "ImageScanner",
    "KeyboardScanner",
    "ModuleElsewhere",
    "ModulesPart",
    "OfferingSettings",
    "RetryPart",
    "RunnerPart",
    "SerialScanner",
    "StandardInputScanner",
    "TurnoverPart",
]


class RetryPart(Part):
    """How long the agent waits before it connects again."""

    shortest_seconds: Annotated[float, Field(gt=0)] = 1.0
    """The first wait is a random part of this; each further one of twice as much."""

    longest_seconds: Annotated[float, Field(gt=0)] = 120.0
    """No wait is longer than this."""

    refused_seconds: Annotated[float, Field(gt=0)] = 60.0
    """The wait after the broker did not let us in."""


class AgentSettings(Settings):
    """Everything the agent and its runner can be told."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="RUSUBAN_", env_nested_delimiter="__"
    )

    state_folder: Path
    """Where the journal and the terminal's key are kept; only the agent may read it."""

    runner: RunnerPart
    """The runner beside the agent."""

    devices: Annotated[tuple[DeviceSettings, ...], Field(max_length=64)] = ()
    """The devices of this terminal."""

    scanners: Annotated[tuple[AnyScanner, ...], Field(max_length=8)] = ()
    """Where tickets are read."""

    display: DisplayPart | None = None
    """The customer's screen; without it there is none."""

    switches: Annotated[tuple[AgentSwitch, ...], Field(max_length=SWITCHES_MAX)] = ()
    """What this terminal switches: doors, lights, power sockets."""

    switch_broker: SwitchBroker | None = None
    """The MQTT broker that they listen to; never the controller's own."""

    modules: ModulesPart = ModulesPart()
    """Packages of programs and modules, which are installed from the controller."""

    retry: RetryPart = RetryPart()
    """How the connection is made again."""

    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    """The lowest level that is logged."""

    @property
    def packages_folder(self) -> Path:
        """Return where packages lie."""
        return self.modules.folder or self.state_folder

    @model_validator(mode="after")
    def _can_move_its_switches(self) -> Self:
        checked_together(self.switches, self.switch_broker)
        known = {device.key for device in self.devices}
        for switch in self.switches:
            if strange := switch.devices - known:
                message = (
                    f"the switch {switch.switch} is for a device {min(strange)} not hosted here"
                )
                raise ValueError(message)
        return self
