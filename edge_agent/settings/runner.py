"""The runner beside the agent: where it listens and writes, and what it may start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from edge_agent.settings.part import Part


class RunnerPart(Part):
    """The runner beside the agent, which holds running programs and their deadlines."""

    socket: Path
    """The Unix socket on which agent and runner speak."""

    state_folder: Path
    """Where the runner keeps its records."""

    catalogue: Path
    """The TOML file of programs that may be started."""

    catalogue_key: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    """The operator's key in hex; with it, a catalogue that it has not signed is refused."""

    warn_before_seconds: tuple[Annotated[int, Field(ge=1)], ...] = (600, 300, 60)
    """How long before the end the customer is warned, in seconds."""

    allowed_users: tuple[str, ...] = ()
    """Names of further users whose processes may ask the runner; its own user always may."""

    is_started_by_agent: bool = False
    """Whether the agent starts the runner; where a service manager does, leave it off."""
