"""Draws the first figure of a bench: its value as one bar, its floor as the parts it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.bench.figures import Measured

WIDTH, LEFT, BAR = 760, 90, 34
SHADES = ("#264653", "#2a9d8f", "#52b69a", "#8ab17d", "#e9c46a", "#f4a261", "#e76f51", "#b5534a")


def draw(measured: Measured, file: Path) -> None:
    """Write an SVG that explains itself: no script, no font of its own, readable on any ground."""
    figure = measured.figures[0]
    scale = (WIDTH - LEFT - 80) / max(figure.value, sum(measured.parts.values()))
    shapes = [
        _text(LEFT, 22, f"{figure.name}: {figure.ratio:.2f} of the {figure.floor_name}", size=15),
        _bar(LEFT, 40, figure.value * scale, "#6d597a"),
        _text(LEFT - 10, 62, "measured", anchor="end"),
        _text(LEFT + figure.value * scale + 8, 62, f"{figure.value:.2f} {figure.unit}"),
        _text(LEFT - 10, 108, "raw parts", anchor="end"),
        *_stacked(measured.parts, scale),
    ]
    height = 150 + 20 * len(measured.parts)
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' font-family="sans-serif">\n<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
        + "\n".join(shapes)
        + "\n</svg>\n",
        "utf-8",
    )


def _stacked(parts: Mapping[str, float], scale: float) -> Iterator[str]:
    """Yield one piece of the bar for each part, and its line in the key below."""
    left = float(LEFT)
    for number, (name, value) in enumerate(parts.items()):
        shade, line = SHADES[number % len(SHADES)], 150 + 20 * number
        yield _bar(left, 86, value * scale, shade)
        yield f'<rect x="{LEFT}" y="{line - 10}" width="12" height="12" fill="{shade}"/>'
        yield _text(LEFT + 20, line, f"{name}: {value:.2f}")
        left += value * scale
    yield _text(left + 8, 108, f"{sum(parts.values()):.2f}")


def _bar(left: float, top: float, width: float, shade: str) -> str:
    return f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BAR}" fill="{shade}"/>'


def _text(left: float, base: float, words: str, *, anchor: str = "start", size: int = 13) -> str:
    return (
        f'<text x="{left:.1f}" y="{base}" text-anchor="{anchor}" font-size="{size}"'
        f' fill="#222">{words}</text>'
    )
