"""Functions before a writer, in the order they came, and how their callers hear what came of it."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cloud_controller.ports import RoleGiven, Said
from cloud_controller.storage.transaction import OpenTransaction

WAITING_MAX: Final = 4_096
"""Functions waiting for the writers; more would wait longer than anybody who asked."""


@dataclass(slots=True)
class Waiting:
    """A function before a writer, and then what came of it."""

    call: Callable[[OpenTransaction], Any]
    future: asyncio.Future[Any]
    result: Any = None
    fault: Exception | None = None
    said: list[Said | RoleGiven] = field(default_factory=list)


class Lane:
    """What waits for one writer, who takes it in groups and in order."""

    def __init__(self, group_max: int) -> None:
        """Give out at most so many functions at once."""
        self._group_max = group_max
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self.put = self._waiting.put

    def next_group(self) -> tuple[list[Waiting], bool]:
        """Return what waits, once there is something, and whether there will be more.

        The lane ends at the first None put into it.
        """
        group: list[Waiting] = []
        item = self._waiting.get()
        while item is not None:
            group.append(item)
            if len(group) == self._group_max:
                return group, True
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return group, True
        return group, False


def settle(group: Sequence[Waiting], on_said: Callable[[Sequence[Said | RoleGiven]], None]) -> None:
    """Hand results back, then what was said on; in the loop's thread."""
    for item in group:
        if item.future.done():
            continue
        if item.fault is None:
            item.future.set_result(item.result)
        else:
            item.future.set_exception(item.fault)
    said = [each for item in group if item.fault is None for each in item.said]
    if said:
        on_said(said)


def nobody() -> None:
    """Nobody wants to know that something was committed."""
