"""One store PC of the world: its folder, its settings, its scanner."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.demo.settings import SlotTerms, agent_settings, catalogue


@dataclass(kw_only=True)
class Terminal:
    """One store PC: an agent and the runner it starts."""

    name: str
    folder: Path
    settings: Path
    tickets: Path
    agent: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where the agent's log lines go."""
        return self.folder / "agent.log"

    def show(self, picture: bytes, name: str) -> None:
        """Put a picture in front of the scanner, whole at once."""
        beside = self.tickets / f".{name}.part"
        beside.write_bytes(picture)
        beside.rename(self.tickets / f"{name}.png")


def furnish(
    world: Path, terms: SlotTerms, number: int, offering: str | None, devices: int, screen: str
) -> Terminal:
    """Return a PC with its folder and settings in the world's; nothing runs on it yet.

    `screen` is the section of its customers' screen; empty: it has none.
    """
    folder = world / f"terminal-{number}"
    tickets = folder / "tickets"
    tickets.mkdir(parents=True)
    settings = folder / "agent.toml"
    (folder / "catalogue.toml").write_text(catalogue(world), "utf-8")
    told = agent_settings(folder, terms, number=number, offering=offering, devices=devices)
    settings.write_text(told + screen, "utf-8")
    return Terminal(name=f"terminal {number}", folder=folder, settings=settings, tickets=tickets)
