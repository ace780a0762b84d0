"""The agent's command line, as a program of its own: it loads first, and then works."""

from __future__ import annotations

from common.system import look_for_no_garbage


def start() -> None:
    """Do what is asked on the command line."""
    look_for_no_garbage()
    from edge_agent.main import command_line

    command_line()


if __name__ == "__main__":
    start()
