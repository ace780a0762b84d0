"""Packages on this terminal's disk: fetched, verified, installed, and what is to come next."""

from edge_agent.modules.store import Store

__all__ = ["Store"]
