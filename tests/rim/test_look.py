"""The look: every word is read on every ground it may lie on; no sheet has its own colours."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from common.look import shared

ROOT = Path(__file__).parents[2]
OURS = [
    *ROOT.glob("cloud_controller/web/static/*.css"),
    *ROOT.glob("edge_agent/display/static/*.css"),
    *ROOT.glob("common/look/*.css"),
]
TOKENS = shared()["tokens.css"].decode()

DOCS = ROOT / "docs"

PICTURE_BYTES_MAX = 60 * 1024
"""The documentation is read over a phone's line too."""

VIEWS = {
    "day": (),
    "night": ("dark",),
    "day, more contrast": ("more", "more light"),
    "night, more contrast": ("dark", "more", "more dark"),
    "paper": ("print",),
}
"""Which blocks of the tokens hold together."""

GROUNDS = "paper dawn card sunk tint tint-deep good-tint warn-tint bad-tint".split()
INKS = "ink soft accent good warn bad".split()
FILLED = [
    *product(["on-accent"], ["accent", "accent-deep"]),
    *product(["on-signal"], ["signal-good", "signal-go", "signal-no", "signal-wait-ink"]),
    *[(f"signal-{tone}-soft", f"signal-{tone}") for tone in ("good", "go", "no", "wait")],
    *product(["signal-wait-ink"], ["signal-wait", "glow"]),
    ("signal-wait-accent", "signal-wait"),
    *product(["wall-ink", "wall-soft"], ["wall"]),
    ("code-ink", "code-ground"),
]
"""Which words lie on what is filled."""

READ = [*product(INKS, GROUNDS), *FILLED]
BOUND = [*product(["edge", "ring"], GROUNDS), ("signal-wait-ring", "signal-wait")]
"""What is no word but must be seen: the bounds of a field, and the focus."""

LETTERS_AA = 4.5
SHAPES_AA = 3.0
"""WCAG 2.2, 1.4.3 and 1.4.11."""

COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch|lab)\(")
RULE = re.compile(r"([^{};]+)\{([^{}]*)\}")


@pytest.mark.parametrize("view", VIEWS)
def test_every_word_is_read_on_every_ground_and_every_bound_is_seen(view: str):
    tokens = tokens_of(view)
    pairs = [(*pair, LETTERS_AA) for pair in READ] + [(*pair, SHAPES_AA) for pair in BOUND]
    faint = {
        (upper, lower): round(contrast(tokens[upper], tokens[lower]), 2)
        for upper, lower, least in pairs
        if contrast(tokens[upper], tokens[lower]) < least
    }
    assert faint == {}


@pytest.mark.parametrize("sheet", OURS, ids=lambda path: path.name)
def test_a_sheet_takes_its_colours_from_the_tokens_and_in_pairs_that_were_judged(sheet: Path):
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    if sheet.name != "tokens.css":
        assert COLOUR.findall(text) == []
    known = set(re.findall(r"--([\w-]+):", TOKENS)) | set(re.findall(r"--([\w-]+):", text))
    assert set(re.findall(r"var\(--([\w-]+)\)", text)) - known - OF_A_SCREEN == set()
    for selector, body in RULE.findall(text):
        ground = re.search(r"background(?:-color)?: var\(--([\w-]+)\)", body)
        ink = re.search(r"(?<!-)color: var\(--([\w-]+)\)", body)
        if ground and ink and not {ground[1], ink[1]} & OF_A_SCREEN:
            assert (ink[1], ground[1]) in READ, selector.strip()


OF_A_SCREEN = {"ground", "text", "quiet", "rule", "key", "tone"}
"""What a tone of a screen or a notice gives a token to; the tokens themselves are judged above."""


def test_no_token_is_there_for_nothing():
    drawn = " ".join(sheet.read_text() for sheet in OURS)
    assert {
        name for name in re.findall(r"--([\w-]+):", TOKENS) if f"var(--{name})" not in drawn
    } == set()


def test_the_browser_s_own_bar_has_the_colour_of_the_page_s_head():
    page = (ROOT / "cloud_controller/web/pages/base.html").read_text()
    told = dict(re.findall(r'"\(prefers-color-scheme: (\w+)\)" content="(#\w+)"', page))
    assert told == {"light": tokens_of("day")["dawn"], "dark": tokens_of("night")["dawn"]}


def test_the_page_about_the_look_names_every_token_and_no_other():
    told = re.findall(r"`--([\w-]+)`", (DOCS / "look.md").read_text())
    assert len(told) == len(set(told))
    assert set(told) == set(re.findall(r"--([\w-]+):", TOKENS))


def test_the_pictures_of_the_documentation_are_small_and_each_is_shown():
    shown = " ".join(page.read_text() for page in (ROOT / "README.md", *DOCS.glob("*.md")))
    for picture in DOCS.glob("*.webp"):
        assert picture.stat().st_size <= PICTURE_BYTES_MAX, picture.name
        assert f"{picture.name})" in shown


def test_a_contrast_is_computed_as_wcag_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777", "#fff") == pytest.approx(4.48, abs=0.01)


def tokens_of(view: str) -> dict[str, str]:
    """Return the tokens that hold in a view, each as its own value."""
    blocks: dict[str, str] = {}
    for media, body in re.findall(r"(@media [^{]+\{)?\s*:root \{(.*?)\}", TOKENS, re.DOTALL):
        words = [word for word in ("print", "more", "light", "dark") if word in media]
        blocks[" ".join(words)] = body
    tokens: dict[str, str] = {}
    for name in ("", *VIEWS[view]):
        tokens |= dict(re.findall(r"--([\w-]+): ([^;]+);", blocks[name]))
    return {name: resolved(value, tokens) for name, value in tokens.items()}


def resolved(value: str, tokens: dict[str, str]) -> str:
    """Return what a token that names another stands for."""
    named = re.fullmatch(r"var\(--([\w-]+)\)", value)
    return resolved(tokens[named[1]], tokens) if named else value


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21, as WCAG defines it."""
    darker, brighter = sorted((luminance(one), luminance(other)))
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return a colour's relative luminance as WCAG defines it."""
    digits = colour.removeprefix("#")
    whole = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    parts = [int(whole[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
