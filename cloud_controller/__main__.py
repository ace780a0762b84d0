"""The controller's command line, as a program of its own: it loads first, and then works."""

from __future__ import annotations

from common.system import look_for_garbage, look_for_no_garbage


def start() -> None:
    """Do what is asked on the command line."""
    look_for_no_garbage()
    from cloud_controller.main import command_line

    look_for_garbage()
    command_line()


if __name__ == "__main__":
    start()
