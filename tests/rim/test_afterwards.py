"""What can wait is done a moment later: in order, all of it, and at once when there is no later."""

from __future__ import annotations

import asyncio
from functools import partial

from edge_agent.afterwards import WAITING_MAX, Afterwards


async def test_what_can_wait_is_done_after_what_was_already_due() -> None:
    done: list[str] = []
    all_done = asyncio.Event()
    afterwards = Afterwards()
    afterwards.do(lambda: done.append("told"))
    afterwards.do(all_done.set)
    asyncio.get_running_loop().call_soon(done.append, "started")
    await all_done.wait()
    assert done == ["started", "told"]


async def test_a_goodbye_leaves_nothing_for_later() -> None:
    done: list[int] = []
    afterwards = Afterwards()
    for number in range(3):
        afterwards.do(partial(done.append, number))
    afterwards.wait_no_more()
    afterwards.do(partial(done.append, 3))
    assert done == [0, 1, 2, 3]


async def test_a_step_may_leave_another_for_later() -> None:
    done = asyncio.Event()
    afterwards = Afterwards()
    afterwards.do(lambda: afterwards.do(done.set))
    await done.wait()


async def test_a_crowd_does_not_wait() -> None:
    done: list[int] = []
    afterwards = Afterwards()
    for number in range(WAITING_MAX + 1):
        afterwards.do(partial(done.append, number))
    assert done == list(range(WAITING_MAX + 1))


async def test_a_step_that_fails_does_not_take_the_next_ones_with_it() -> None:
    done = asyncio.Event()
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: told.append(said["message"]))
    afterwards = Afterwards()
    afterwards.do(lambda: 1 / 0)
    afterwards.do(done.set)
    await done.wait()
    assert len(told) == 1
