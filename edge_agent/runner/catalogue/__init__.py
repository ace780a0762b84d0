"""The catalogue: what each id means on this terminal; nothing else on it can be started."""

from edge_agent.runner.catalogue.entries import (
    IN_PACKAGE,
    Catalogue,
    Command,
    Program,
    Ready,
    ReadyKind,
    Restarts,
    Startable,
)
from edge_agent.runner.catalogue.reading import CatalogueIsWrong, read_catalogue

__all__ = [
    "IN_PACKAGE",
    "Catalogue",
    "CatalogueIsWrong",
    "Command",
    "Program",
    "Ready",
    "ReadyKind",
    "Restarts",
    "Startable",
    "read_catalogue",
]
