"""`./dev prove pages`: every page in every state, in both languages, by day and night, for all.

Each is looked at by axe-core, on a phone of 320 and on a desk at 200 %, in type of 200 %, gone
through by the Tab key alone, and opened without script. A page whose words are pale, whose field
has no name, that runs off, that hides its focus, that cannot do without script or takes a word
for code has to be caught.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from common.words import LANGUAGES
from tests.prove.counts import Counts
from tests.rim.eyes import Eyes, Scheme, axe_faults, cut_off, eyes, undoable, unreachable
from tests.rim.hostile import HIT, WORDS, foreign, told_badly, typed_badly, without_policy
from tests.rim.looking import look_at, reach
from tests.rim.scenes import SCENES, finding

NAME: Final = "pages"
SECONDS: Final = 1_200.0
"""At most; it comes to its end by itself after some minutes."""

SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")

SPOILS: Final = {
    "pale words": "() => { document.querySelector('h1').style.color = '#ccc' }",
    "a field without a name": "() => { document.querySelector('label').remove() }",
    "a page that runs off": "() => { document.querySelector('main').style.minWidth = '700px' }",
    "a word that is cut": """() => {
      const style = document.querySelector("h1").style;
      Object.assign(style, { width: "30px", overflow: "hidden", whiteSpace: "nowrap" });
    }""",
    "a focus nobody sees": """() => {
      const style = document.querySelector("main button").style;
      Object.assign(style, { outline: "none", boxShadow: "none" });
    }""",
    "a button out of turn": "() => { document.querySelector('main button').tabIndex = 1 }",
    "a word that is code": """() => {
      document.querySelector("main p").innerHTML += "<img alt='' src=/x onerror=hit(1)>";
    }""",
    "a link made by script": """() => {
      const link = Object.assign(document.createElement("a"), { href: "/x", textContent: "x" });
      document.querySelector("main").append(link);
    }""",
}
"""What a page is broken with, each of which has to be caught."""


class Tally:
    """What was looked at so far."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self.views = self.looks = 0
        self.told: list[str] = []
        self.violations: list[str] = []

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends_at


async def prove(seconds: float, seed: int) -> Counts:
    """Return what was looked at, and what was wrong with it."""
    tally = Tally(seconds)
    with tempfile.TemporaryDirectory(prefix="rusuban-") as folder:
        async with eyes() as sight:
            caught = [each async for each in _caught(sight, Path(folder))]
            sight.complaints.clear()
            await _look(sight, Path(folder), tally)
            await _attack(sight, Path(folder), tally)
            tally.violations += sight.wrongs
    return Counts(
        name=NAME,
        seed=seed,
        states=tally.views,
        schedules=tally.looks,
        executions=0,
        violations=tally.violations,
        variants=tuple(SPOILS),
        caught=caught,
        told=[f"{tally.views} pages and states, {tally.looks} looks at them", *tally.told],
    )


async def _look(sight: Eyes, folder: Path, tally: Tally) -> None:
    """Look at every scene in turn, and say how far it is."""
    for number, scene in enumerate(SCENES, start=1):
        if tally.is_over:
            tally.violations.append(f"there was no time for {scene.__name__}")
            continue
        place = folder / scene.__name__
        place.mkdir()
        names = []
        async for view in scene(place):
            for language in LANGUAGES:
                tally.violations += await look_at(sight, view, language, SCHEMES)
                tally.violations += await reach(sight, view, language)
                tally.looks += len(SCHEMES)
            await sight.rest()
            names.append(view.name)
            tally.views += 1
        said = f"{scene.__name__}: {', '.join(names)}"
        tally.told.append(said)
        print(f"{number}/{len(SCENES)} {said}: {len(tally.violations)} faults so far", flush=True)


async def _attack(sight: Eyes, folder: Path, tally: Tally) -> None:
    """Tell and type words that would become code."""
    page = await without_policy(sight)
    tally.violations += await told_badly(page, folder, WORDS)
    typed = await typed_badly(page, folder, WORDS)
    tally.violations += typed.wrong
    tally.told.append(f"{len(WORDS)} hostile words told, and typed into {len(typed.forms)} forms")


async def _caught(sight: Eyes, folder: Path) -> AsyncIterator[str]:
    """Yield which spoilt pages are caught."""
    (folder / "spoilt").mkdir()
    async for view in finding(folder / "spoilt"):
        for name, spoil in SPOILS.items():
            page, plain = await sight.page("en"), await sight.page("en", script=False)
            for each in (page, plain):
                await each.goto(view.url)
            await page.evaluate(spoil)
            await page.evaluate(HIT)
            found = [
                *await foreign(page),
                *await axe_faults(page),
                *await cut_off(page),
                *await undoable(page, plain),
            ]
            if found or await unreachable(page):
                yield name
        return
