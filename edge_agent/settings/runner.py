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

    resume_limit_seconds: Annotated[float, Field(ge=0, le=86_400)] = 600.0
    """After how many seconds without power a session still goes on; 0: none does. A PC is back in a
    minute or two; after ten nobody waits in front of it any more."""

    resume_requires_scan: bool = True
    """Whether it goes on only when its ticket is scanned again: somebody else may stand there."""

    boot_id_file: Path = Path("/proc/sys/kernel/random/boot_id")
    """Where agent and runner read which start of the PC this is: the kernel's own word. A container
    that is started apart from its host has to give them another."""

    allowed_users: tuple[str, ...] = ()
    """Names of the users whose processes may ask the runner. With none its own user may, and so may
    every program that it starts: name the agent's user wherever that is another."""

    is_started_by_agent: bool = False
    """Whether the agent starts the runner; where a service manager does, leave it off."""
