"""One page of paper: where words, rows and a code are drawn, and in which font.

Fonts are those every reader of PDF brings: Helvetica, and Heisei Kaku Gothic for all else. The
same words give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from unicodedata import category

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from cloud_controller.web.language import Language
from cloud_controller.web.qr import QR_MODULES, ticket_rows

QR_MM: Final = 74.0
"""Side of the printed code with its quiet zone: a module of 1.5 mm, read from half a metre away."""

MM: Final = float(mm)
_INK, _SOFT, _LINE, ACCENT = "#1d1815", "#665950", "#d8cbb8", "#a43e20"
_LATIN, _BOLD, _WIDE, _TYPED = "Helvetica", "Helvetica-Bold", "HeiseiKakuGo-W5", "Courier-Bold"
_ENDS: Final = frozenset({"Pe", "Pf", "Po"})  # punctuation that closes: no line begins with it
_NOT_FIRST: Final = frozenset("ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ")
LEFT: Final = 22.5 * mm
WIDTH: Final = A4[0] - 2 * LEFT
HEIGHT: Final = A4[1]
BOTTOM: Final = 34 * MM


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One thing a ticket says: what it is, the words, and smaller ones below."""

    label: str
    words: str
    size: float
    more: str = ""


class Page:
    """One page of A4, written from the top; lengths are in points, from the lower left corner."""

    def __init__(self, file: io.BytesIO, title: str, language: Language) -> None:
        """Begin a page; two made from the same words are the same to the byte."""
        _register_fonts()
        self._canvas = Canvas(file, pagesize=A4, invariant=1, pageCompression=1, lang=language.code)
        self._canvas.setTitle(title)
        self._canvas.setAuthor(language.say("site.name"))
        self._language = language

    def done(self, file: io.BytesIO) -> bytes:
        """Return the page as a file."""
        self._canvas.showPage()
        self._canvas.save()
        return file.getvalue()

    def turn(self) -> None:
        """Go on on another page."""
        self._canvas.showPage()

    def brand(self, kind: str) -> None:
        """Write whose paper it is, and what."""
        at = A4[1] - 32 * mm
        self.text(self._language.say("site.name"), LEFT, at, 20, bold=True, colour=ACCENT)
        self.right(kind, LEFT + WIDTH, at, 14)

    def card(self, top: float, height: float) -> None:
        """Draw the ticket's edge."""
        self._canvas.setStrokeColor(_LINE)
        self._canvas.setLineWidth(1)
        self._canvas.roundRect(LEFT, top - height, WIDTH, height, 5 * mm)

    def perforation(self, at: float) -> None:
        """Draw a line to tear at."""
        self._canvas.saveState()
        self._canvas.setStrokeColor(_LINE)
        self._canvas.setDash(3, 3)
        self._canvas.line(LEFT + 4 * mm, at, LEFT + WIDTH - 4 * mm, at)
        self._canvas.restoreState()

    def rule(self, at: float, *, strong: bool = False) -> None:
        """Draw a line across."""
        self._canvas.setStrokeColor(_INK if strong else _LINE)
        self._canvas.setLineWidth(1.2 if strong else 0.7)
        self._canvas.line(LEFT, at, LEFT + WIDTH, at)

    def code(self, token: str, x: float, y: float) -> None:
        """Draw a ticket's QR, each row of dark modules as bars, quiet zone included."""
        module = QR_MM * mm / QR_MODULES
        self._canvas.setFillColor("#000000")
        for row, runs in enumerate(ticket_rows(token)):
            for column, length in runs:
                # A hair taller than a module: no reader may show light between two rows.
                top = y + (QR_MODULES - row) * module
                self._canvas.rect(
                    x + column * module, top - module, length * module, module + 0.05, 0, 1
                )

    def facts(self, facts: Iterable[Fact], x: float, at: float, width: float) -> None:
        """Write facts below each other."""
        for fact in facts:
            self.text(fact.label, x, at, 9, soft=True)
            size = fact.size
            lines = _wrapped(fact.words, size, width, bold=True)[:2]
            for line in lines:
                at -= size * 0.8 + 7
                self.text(line, x, at, size, bold=True)
            if fact.more:
                for line in _wrapped(fact.more, 10, width)[:2]:
                    at -= 15
                    self.text(line, x, at, 10, soft=True)
            at -= 7.5 * mm

    def paragraph(self, title: str, words: str, at: float, *, most: int, link: str = "") -> float:
        """Write a titled paragraph; return where the next begins."""
        self.text(title, LEFT, at, 10.5, bold=True)
        for line in _wrapped(words, 10.5, WIDTH)[:most]:
            at -= 16
            self.text(line, LEFT, at, 10.5, colour=ACCENT if link else _INK)
            if link:
                self._canvas.linkURL(link, (LEFT, at - 3, LEFT + WIDTH, at + 11))
        return at - 12 * MM

    def table(
        self,
        rows: Iterable[tuple[str, str]],
        at: float,
        *,
        size: float = 11,
        bold: bool = False,
        soft_left: bool = False,
    ) -> float:
        """Write rows of words and, to the right, what they come to; return where to go on.

        Rows that find no room go on at the top of another page.
        """
        for words, amount in rows:
            lines = _wrapped(words, size, WIDTH * 0.66)[:3]
            if at - len(lines) * size * 1.45 < BOTTOM:
                self.turn()
                at = HEIGHT - 30 * MM
            self.right(amount, LEFT + WIDTH, at, size, bold=bold)
            for number, line in enumerate(lines):
                small = number > 0
                self.text(
                    line,
                    LEFT,
                    at,
                    size - 1.5 if small else size,
                    bold=bold,
                    soft=soft_left or small,
                )
                at -= size * 1.45
            at -= 4
        return at - 3

    def right(self, words: str, x: float, y: float, size: float, *, bold: bool = False) -> None:
        """Write words that end at `x`."""
        self.text(words, x - _width(words, size, bold=bold), y, size, bold=bold)

    def centred(self, words: str, x: float, y: float, size: float, *, typed: bool = False) -> None:
        """Write words around `x`; `typed` ones have letters of one width."""
        if typed:
            self._canvas.setFillColor(_INK)
            self._canvas.setFont(_TYPED, size)
            self._canvas.drawCentredString(x, y, words)
            return
        self.text(words, x - _width(words, size) / 2, y, size, soft=True)

    def text(  # noqa: PLR0913 - what, where, and how it looks
        self,
        words: str,
        x: float,
        y: float,
        size: float,
        *,
        bold: bool = False,
        soft: bool = False,
        colour: str = _INK,
    ) -> None:
        """Write one line from `x` on, each run of it in the font that has its letters."""
        self._canvas.setFillColor(_SOFT if soft else colour)
        for font, run in _runs(words, bold=bold):
            self._canvas.setFont(font, size)
            self._canvas.drawString(x, y, run)
            x += _run_width(run, font, size)


def _register_fonts() -> None:
    if _WIDE not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(_WIDE))


def _runs(words: str, *, bold: bool) -> Iterator[tuple[str, str]]:
    """Return the runs of a line, each with its font; what cannot be printed is left out."""
    printed = "".join(letter for letter in words if letter.isprintable())
    for font, run in groupby(printed, lambda letter: _font(letter, bold=bold)):
        yield font, "".join(run)


def _font(letter: str, *, bold: bool) -> str:
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return _WIDE
    return _BOLD if bold else _LATIN


def _width(words: str, size: float, *, bold: bool = False) -> float:
    runs = _runs(words, bold=bold)
    return sum(_run_width(run, font, size) for font, run in runs)


def _run_width(run: str, font: str, size: float) -> float:
    return float(pdfmetrics.stringWidth(run, font, size))


def _wrapped(words: str, size: float, width: float, *, bold: bool = False) -> list[str]:
    """Return words as lines no wider than this: broken at spaces, and between Japanese letters."""
    lines: list[str] = []
    for line in words.strip().splitlines() or [""]:
        lines.append("")
        for piece in _pieces(line):
            for part in _fitting(piece, size, width, bold=bold):
                grown = lines[-1] + part
                if lines[-1].strip() and _width(grown.rstrip(), size, bold=bold) > width:
                    lines.append(part.lstrip())
                else:
                    lines[-1] = grown
    return [line.rstrip() for line in lines]


def _pieces(line: str) -> Iterator[str]:
    """Return what may not be broken: a word with its space, a letter with what may not begin."""
    piece = ""
    for letter in line:
        if piece and _may_begin(letter) and (piece[-1] == " " or _is_wide(piece[-1] + letter)):
            yield piece
            piece = ""
        piece += letter
    yield piece


def _may_begin(letter: str) -> bool:
    """Say whether a line may begin with this."""
    return letter != " " and letter not in _NOT_FIRST and category(letter) not in _ENDS


def _is_wide(letters: str) -> bool:
    return any(_font(letter, bold=False) == _WIDE for letter in letters)


def _fitting(piece: str, size: float, width: float, *, bold: bool) -> Iterator[str]:
    """Return a piece in parts that fit a line: a long address is broken anywhere."""
    part = ""
    for letter in piece:
        if part and _width(part + letter, size, bold=bold) > width:
            yield part
            part = ""
        part += letter
    yield part
