"""What the runner is told once, when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RunnerSettings:
    """Where the runner listens and writes, what it may start, and who may ask it."""

    socket: Path
    """The Unix socket it listens on; only `allowed_uids` are heard there."""

    state_folder: Path
    """Where its records live; the folder also names the runner to the programs it starts."""

    catalogue: Path
    """The TOML file of the programs it may start."""

    catalogue_key: str = ""
    """The public half of the key that must have signed it, in hex; empty: nobody must."""

    warn_before_seconds: tuple[int, ...]
    """How long before the end the customer is warned; each is said once."""

    allowed_uids: frozenset[int]
    """The users whose processes may ask."""

    resume_limit_seconds: float = 0.0
    """How long the PC may have been off for a session to go on afterwards; 0: none ever does."""

    resume_requires_scan: bool = True
    """Whether its customer has to show the ticket again for that."""

    boot_id_file: Path = Path("/proc/sys/kernel/random/boot_id")
    """Where the kernel tells one start of the computer from the next."""

    packages_folder: Path | None = None
    """Where the agent keeps what it has installed, `programs` and `modules`; None: nowhere."""

    modules_elsewhere: Mapping[str, Path] = field(default_factory=dict)
    """The folders of modules that were on this PC already, by their names."""

    package_owners: frozenset[int] = frozenset()
    """The users who may have put packages there, besides root and the runner's own."""
