"""A terminal that comes or is lost, onto a page that is open: real processes, from end to end."""

from __future__ import annotations

import time
from typing import Final

from tests.bench.figures import Figure, limited, median
from tests.bench.live_viewers import Viewers
from tests.demo.world import World, a_world

REPETITIONS: Final = 3

LOSS_SECONDS_MAX: Final = 20.0
OFFER_SECONDS_MAX: Final = 2.0

BESIDE: Final = "beside"
HERE: Final = "here"


class Open:
    """A page that is open at one controller."""

    def __init__(self, url: str) -> None:
        self._viewers = Viewers(int(url.rsplit(":", 1)[1]), 1)

    def until(self, *, is_there: bool) -> float:
        """Return when the page shows the offering, or no more (monotonic seconds)."""
        while True:
            (at,) = self._viewers.told()
            if (b'"html":""' in self._viewers.last) is not is_there:
                return at

    def close(self) -> None:
        self._viewers.close()


def measure() -> tuple[list[Figure], dict[str, float]]:
    """Kill a terminal's agent and start it again, some times; two controllers have pages open."""
    losses: dict[str, list[float]] = {HERE: [], BESIDE: []}
    offers: dict[str, list[float]] = {HERE: [], BESIDE: []}
    starts = []
    with a_world() as world:
        apart = world.start_beside("web")
        terminal = world.add_terminal()
        world.wait_until_on_offer(1)
        pages = {HERE: Open(world.url), BESIDE: Open(apart)}
        for _ in range(REPETITIONS):
            began = time.monotonic()
            assert terminal.agent is not None
            terminal.agent.kill()
            terminal.agent.wait()
            for name, page in pages.items():
                losses[name].append(page.until(is_there=False) - began)
            began = time.monotonic()
            world.start_agent(terminal)
            came = {name: page.until(is_there=True) for name, page in pages.items()}
            starts.append(came[HERE] - began)
            for name, at in came.items():
                offers[name].append(at - _here_since(world))
        for page in pages.values():
            page.close()
    figures = [
        limited("loss_to_page", losses[HERE], "s", LOSS_SECONDS_MAX),
        limited("loss_to_page_beside", losses[BESIDE], "s", LOSS_SECONDS_MAX),
        limited("offer_to_page", offers[HERE], "s", OFFER_SECONDS_MAX),
        limited("offer_to_page_beside", offers[BESIDE], "s", OFFER_SECONDS_MAX),
    ]
    return figures, {"from an agent's start to the page, s": median(starts)}


def _here_since(world: World) -> float:
    """Return when the controller has heard that the terminal is here, in monotonic seconds."""
    (row,) = world.books("SELECT presence_at FROM terminals")
    return float(row["presence_at"]) / 1000 - (time.time() - time.monotonic())
