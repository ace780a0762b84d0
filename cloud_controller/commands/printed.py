"""How commands print: tables without lines, and instants that everybody reads alike."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from rich.table import Table


def table_of(*titles: str, numbers: Collection[str] = (), no_wrap: bool = False) -> Table:
    """Return a table with these columns and no rows; those of `numbers` are ranged right."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in titles:
        table.add_column(title, justify="right" if title in numbers else "left", no_wrap=no_wrap)
    return table


def told(at: int) -> str:
    """Return an instant, in UTC milliseconds, to the second.

    >>> told(1_800_000_000_000)
    '2027-01-15 08:00:00 UTC'
    """
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
