"""Work that may hang, in a thread of its own: the loop goes on, and nobody waits at the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def in_own_thread(name: str, work: Callable[[], T]) -> asyncio.Future[T]:
    """Begin to work beside the loop; await what it brings, or what it raises."""
    brought: Future[T] = Future()

    def go() -> None:
        try:
            brought.set_result(work())
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is raised where it is awaited
            brought.set_exception(fault)

    brought.set_running_or_notify_cancel()
    threading.Thread(target=go, name=name, daemon=True).start()
    return asyncio.wrap_future(brought)
