"""What each picture shows: which pages and screens, in which language and light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.rim.eyes import Scheme


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A page of a scene (`tests/rim/scenes.py`), or a state of a terminal's screen.

    Attributes:
        part: which part of the page is shown; empty: what fits the window.
    """

    scene: str
    view: str
    language: str = "en"
    scheme: Scheme = "light"
    part: str = ""


def by_day(scene: str, view: str) -> Shot:
    """Return a page in English, by day."""
    return Shot(scene=scene, view=view)


def by_night(scene: str, view: str) -> Shot:
    """Return a page in Japanese, by night."""
    return Shot(scene=scene, view=view, language="ja", scheme="dark")


def at_booth(view: str, scheme: Scheme = "light") -> Shot:
    """Return a screen in Japanese."""
    return Shot(scene="screen", view=view, language="ja", scheme=scheme)


PHONES: Final[dict[str, tuple[Shot, ...]]] = {
    "look-storefront": (
        by_day("shop", "store"),
        by_night("shop", "store"),
        by_day("shop", "racing"),
        by_night("shop", "vr"),
    ),
    "look-booking": (
        by_day("order", "held with a voucher"),
        by_night("payment", "to be paid"),
        by_day("place", "next in the line"),
        by_night("place", "offered"),
    ),
    "look-ticket": (
        by_day("ticket", "early"),
        by_night("ticket", "to be shown"),
        by_day("ticket", "running"),
        by_night("ticket", "over, with what was given"),
    ),
    "look-help": (
        by_day("helping", "who is there"),
        by_night("helping", "a talk"),
        by_day("helping", "a talk at the helper's"),
        by_night("helping", "a helper's desk"),
    ),
    "look-states": (
        by_day("storefront", "nothing on offer"),
        by_night("offering", "a time just taken"),
        by_day("storefront", "no such page"),
        by_night("finding", "told that a letter comes"),
    ),
}
"""Each picture, and the phones that it shows side by side."""

DESKS: Final[dict[str, tuple[Shot, ...]]] = {
    "modules": (Shot(scene="operator", view="modules, downloading", part="main"),),
    "look-console": (by_day("console", "now"), by_night("console", "day")),
}
"""Each picture of a page that is read at a desk."""

PARTS: Final[dict[str, tuple[Shot, ...]]] = {
    "given": (Shot(scene="ticket", view="over, with what was given", part=".proof"),),
}
"""Each picture of a part of a phone's page."""

SCREENS: Final[dict[str, tuple[Shot, ...]]] = {
    "screen-ja": (
        at_booth("idle"),
        at_booth("running", "dark"),
        at_booth("warned"),
        at_booth("extend"),
    ),
    "screen-help": (at_booth("helpers"), at_booth("call", "dark")),
    "screen-en": tuple(by_day("screen", view) for view in ("opened", "no", "wait", "go")),
    "screen-booths": (by_day("screen", "booths"), by_day("screen", "without the line")),
}
"""Each picture of what hangs at a booth."""
