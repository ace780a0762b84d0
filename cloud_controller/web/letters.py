"""A letter becomes words, HTML and enclosures, in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from cloud_controller.flows.letters import Letter
from cloud_controller.ports import NotFound, Transaction
from cloud_controller.web import calendar
from cloud_controller.web.alerts import ProblemTold, named, problems_told
from cloud_controller.web.language import Language, Languages
from cloud_controller.web.paper import MEDIA_TYPE as PDF, grouped, receipts_pdf, ticket_pdf
from cloud_controller.web.qr import ticket_png
from cloud_controller.web.receipts import receipts_of
from cloud_controller.web.tickets import Shown, entry_of, look, paper_of
from common.rules.letters import OF_PROBLEMS, WITH_TICKETS, WITHOUT_TICKETS, LetterKind

ENCLOSED_MAX: Final = 6
"""Tickets whose calendar entry and print come with a letter; of more, the links are there."""

PNG_MODULE_PIXELS: Final = 6
"""294 pixels a side: sharp in a letter on a phone, and 2 kB."""

_WITH_RECEIPTS: Final = frozenset({LetterKind.CONFIRMED, LetterKind.RECEIPT, LetterKind.REFUNDED})
"""Letters to whom the money is from."""

_PAGES = Path(__file__).parent / "pages"


@dataclass(frozen=True, kw_only=True, slots=True)
class Enclosed:
    """A file that comes with a letter; one with a `cid` is shown in it."""

    name: str
    media_type: str
    body: bytes
    cid: str = ""
    method: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A letter in words."""

    subject: str
    text: str
    html: str
    language: str
    enclosed: tuple[Enclosed, ...]


class LetterWriter:
    """Writes letters from the books as they stand when a letter is sent."""

    def __init__(self, public_url: Callable[[], str]) -> None:
        """Read the words and the sheets; `public_url` is where customers reach us, once known."""
        self._public_url = public_url
        self._languages = Languages()
        self._sheets = Environment(
            loader=FileSystemLoader(_PAGES),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def write(self, books: Transaction, letter: Letter) -> Written | None:
        """Return a letter in words, or None: what it would say is not true any more."""
        language = self._languages.known(letter.language)
        tickets = self._tickets(books, letter)
        if letter.kind in WITH_TICKETS and not any(_is_wanted(each, letter) for each in tickets):
            return None
        problems = problems_told(books, letter, language)
        if letter.kind in OF_PROBLEMS and not problems:
            return None
        facts = self._facts(letter, language, tickets, problems, books.now)
        return Written(
            subject=language.say(f"letter.{letter.kind}.subject", **facts["told"]).strip(),
            text=self._sheets.get_template("letter.txt").render(**facts),
            html=self._sheets.get_template("letter.html").render(**facts),
            language=language.code,
            enclosed=tuple(self._enclosed(books, tickets, letter, language)),
        )

    def _tickets(self, books: Transaction, letter: Letter) -> list[Shown]:
        if letter.kind in WITHOUT_TICKETS:
            return []
        found = []
        for link in letter.links:
            try:
                found.append(look(books, link, self._public_url(), letter.language))
            except NotFound:
                continue  # it has been given to somebody else since
        return found

    def _facts(
        self,
        letter: Letter,
        language: Language,
        tickets: list[Shown],
        problems: list[ProblemTold],
        now: int,
    ) -> dict[str, Any]:
        told = _told(letter, language, now)
        if problems:
            told["what"] = named(problems, letter, language)
        path = letter.facts.get("path", "")
        return {
            "letter": letter,
            "told": told,
            "tickets": tickets,
            "problems": problems,
            "language": language,
            "say": language.say,
            "now": now,
            "grouped": grouped,
            "url": f"{self._public_url()}{path}" if path else "",
            "find_url": f"{self._public_url()}/find",
        }

    def _enclosed(
        self, books: Transaction, tickets: list[Shown], letter: Letter, language: Language
    ) -> list[Enclosed]:
        now = books.now
        files: list[Enclosed] = []
        for number, shown in enumerate(tickets[:ENCLOSED_MAX], start=1):
            entry = entry_of(shown, language, self._public_url(), now)
            if letter.kind in WITH_TICKETS and shown.is_good:
                if not shown.rotates:
                    files.append(_picture_of(shown, number))
                paper = ticket_pdf(paper_of(shown), language, now)
                files.append(Enclosed(name=f"ticket-{number}.pdf", media_type=PDF, body=paper))
            elif letter.kind is not LetterKind.CANCELLED:
                continue
            files.append(
                Enclosed(
                    name=f"ticket-{number}.ics",
                    media_type=calendar.MEDIA_TYPE,
                    body=calendar.calendar_of(entry),
                    method=calendar.method_of(entry),
                )
            )
        if letter.kind in _WITH_RECEIPTS and letter.order is not None:
            receipts = receipts_of(books, letter.order)
            if receipts:
                body = receipts_pdf(receipts, language)
                files.append(Enclosed(name="receipt.pdf", media_type=PDF, body=body))
        return files


def _picture_of(shown: Shown, number: int) -> Enclosed:
    picture = ticket_png(shown.ticket.token, module_pixels=PNG_MODULE_PIXELS)
    cid = f"code-{shown.reservation}@rusuban"
    return Enclosed(name=f"ticket-{number}.png", media_type="image/png", body=picture, cid=cid)


def _is_wanted(shown: Shown, letter: Letter) -> bool:
    """Say whether a ticket is worth a letter: it opens something, or can be completed yet."""
    if letter.kind is LetterKind.FOUND_AGAIN:
        return True  # the books were asked for those that are before their holder
    return shown.is_good


def _told(letter: Letter, language: Language, now: int) -> dict[str, str]:
    """Return what the words of a letter may name; empty where it is not about such a thing."""
    facts = letter.facts
    zone = facts.get("time_zone", "UTC")
    told = dict.fromkeys(("offering", "store", "when", "was", "until", "amount"), "")
    told["offering"] = facts.get("offering_title", "")
    told["store"] = facts.get("store_title", "")
    if "starts_at" in facts and "ends_at" in facts:
        told["when"] = language.say(
            "letter.when",
            day=language.date(facts["starts_at"], zone, now=now),
            starts=language.time(facts["starts_at"], zone),
            ends=language.time(facts["ends_at"], zone),
        )
    for name, key in (("was", "was_starts_at"), ("until", "until_at")):
        if key in facts:
            day = language.date(facts[key], zone, now=now)
            told[name] = f"{day} {language.time(facts[key], zone)}"
    if "cents" in facts and "currency" in facts:
        told["amount"] = language.amount(facts["cents"], facts["currency"])
    return told
