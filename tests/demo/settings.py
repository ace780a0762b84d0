"""What the programs of a small chain of stores are told: its settings, as a person writes them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).parent / "program.py"

PROGRAMS = """
[[programs]]
program = "racer"

[[programs.levels]]
level = "high"
requires = { needs_gpu = true }

[[programs.levels]]
level = "plain"
requires = { memory_bytes_min = 500_000_000 }
"""
"""What the store's program asks of a PC, as a controller may be told."""


@dataclass(frozen=True, kw_only=True)
class SlotTerms:
    """How the world's offering is sold: seconds, so that a whole use is watched in one."""

    lengths_seconds: tuple[int, ...] = (12,)
    grid_seconds: int = 2
    turnover_seconds: int = 0
    early_seconds: int = 1
    warn_before_seconds: tuple[int, ...] = (5,)


def controller_settings(
    folder: Path,
    *,
    store: str,
    policy: str = "automatic",
    ports: tuple[int, int] = (0, 0),
    programs: str = "",
    ladder: int = 0,
) -> str:
    """Return the controller's settings; `folder` is the world's.

    The ports are those of pages and broker, 0 is any free one. Above step 0 of the ladder the pages
    too speak TLS, with the controller's own certificate.
    """
    return f"""
state_folder = "{folder / "controller"}"
web = {{ port = {ports[0]}, tls = {"true" if ladder else "false"} }}
broker = {{ port = {ports[1]}, ladder = {ladder} }}

[[stores]]
store = "{store}"
title = "Akihabara"
time_zone = "Asia/Tokyo"
policy = "{policy}"
{programs}"""


def catalogue(folder: Path) -> str:
    """Return the catalogue of a terminal in the world of this folder."""
    return f"""
[programs.racer]
argv = ["{Path(sys.executable).absolute()}", "-S", "{PROGRAM}"]
environment = {{ RUSUBAN_WORLD = "{folder}" }}
"""


SCREEN = """
[display]
port = 0
language = "en"
phone = "03-1234-5678"
"""
"""A customer's screen, on any free port."""


def agent_settings(
    folder: Path, terms: SlotTerms, *, number: int, offering: str | None, devices: int
) -> str:
    """Return the settings of terminal `number`, whose devices share one offering."""
    agent = f"""
state_folder = "{folder / "agent"}"

[runner]
socket = "{folder / "runner.sock"}"
state_folder = "{folder / "runner"}"
catalogue = "{folder / "catalogue.toml"}"
warn_before_seconds = {list(terms.warn_before_seconds)}
is_started_by_agent = true

[retry]
shortest_seconds = 0.1
longest_seconds = 1.0
refused_seconds = 0.3

[[scanners]]
kind = "image"
folder = "{folder / "tickets"}"
"""
    shared = f"racer-{number}" if offering is None else offering
    return agent + "".join(_device(shared, number, nth, terms) for nth in range(1, devices + 1))


def _device(offering: str, number: int, nth: int, terms: SlotTerms) -> str:
    title = f"Booth {number}" if nth == 1 else f"Booth {number}.{nth}"
    return f"""
[[devices]]
key = "booth-{nth}"
title = "{title}"
program = "racer"

[devices.offering]
key = "{offering}"
title = "Racing seat {number}"
content = "A wheel, three pedals and a wide screen."
price_cents = 800
currency = "JPY"
lengths_seconds = {list(terms.lengths_seconds)}
grid_seconds = {terms.grid_seconds}
turnover_seconds = {terms.turnover_seconds}
early_seconds = {terms.early_seconds}

[[devices.offering.texts]]
language = "ja"
title = "レーシングシート {number}"
content = "ハンドルと三つのペダル、広い画面。"
"""
