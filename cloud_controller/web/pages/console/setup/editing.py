"""A sheet of the set-up is shown, kept, and undone: the same for every document.

Its law: what was written is never lost; a page that cannot be kept comes back as it was sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller import bookings
from cloud_controller.bookings import Word
from cloud_controller.flows import setup
from cloud_controller.flows.setup import Version
from cloud_controller.ports import Actor, NotAllowed, NotFound, Transaction
from cloud_controller.web.pages.console.setup.fields import (
    Document,
    FieldsAreWrong,
    Sheet,
    SheetForm,
    Wrong,
    marked,
    wrong_words,
)
from cloud_controller.web.pages.console.shell import shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import Answer, Call, Page
from common.rules.accounts import EVERY_STORE, Permission
from common.rules.setup import Changed, difference

VERSIONS_SHOWN: Final = 12
"""Versions that a page shows, the latest: what somebody remembers having changed."""

FILE: Final = "file"
"""In place of a version's number: what the settings file says."""

CANNOT_BE_KEPT: Final = 422
IN_THE_WAY: Final = 409

Make = Callable[[Transaction, Call[Any]], Sheet]
"""Makes the sheet of a page's subject; raises NotFound where there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionShown:
    """One version as it is shown, with what it changed in the one before."""

    version: Version
    changed: Sequence[Changed]
    is_latest: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A form that could not be kept, with what is wrong; `why` is about the whole of it."""

    form: SheetForm
    wrong: Mapping[str, Wrong]
    why: str = ""


def show_sheet(make: Make) -> Callable[[Call[Any]], Awaitable[Answer]]:
    """Return what shows a sheet."""

    async def show(call: Call[Any]) -> Page:
        return await _page(call, make)

    return show


def keep_sheet(make: Make) -> Callable[[Call[Any]], Awaitable[Answer]]:
    """Return what keeps a sheet as it was written, or says one of its versions again."""

    async def keep(call: Call[Any]) -> Answer:
        try:
            what = await call.parts.books.transact(_keep, call, make)
        except FieldsAreWrong as fault:
            refused = Refused(form=call.asked, wrong=fault.wrong, why=_of_the_whole(fault))
            return await _page(call, make, refused, CANNOT_BE_KEPT)
        except NotAllowed:
            refused = Refused(form=call.asked, wrong={}, why="not_allowed")
            return await _page(call, make, refused, IN_THE_WAY)
        return lead_to(_path(call), said=what)

    return keep


async def _page(
    call: Call[Any], make: Make, refused: Refused | None = None, status: int = 200
) -> Page:
    facts = await call.parts.books.read(_facts, call, make, refused)
    return Page(template=facts["sheet"].template, facts=facts, status=status)


def _facts(
    books: Transaction, call: Call[Any], make: Make, refused: Refused | None
) -> dict[str, Any]:
    sheet = make(books, call)
    now = bookings.stands_as(books, sheet.kind, sheet.subject)
    kept = setup.versions(books, sheet.kind, sheet.subject)
    seed = call.parts.seeds.get((sheet.kind, sheet.subject))
    sections = sheet.sections(now)
    why = ""
    if refused is not None and not refused.form.undo:
        sections = marked(sections, refused.form.said, refused.wrong, call.language)
    if refused is not None and refused.why:
        why = wrong_words(Wrong(why=refused.why), call.language)
    shell = shell_of(books, call, "setup")
    return {
        "shell": shell,
        "zone": shell.zone,
        "now": books.now,
        "sheet": sheet,
        "sections": sections,
        "here": _path(call),
        "why": why,
        "is_wrong": refused is not None,
        "reason": "" if refused is None else refused.form.reason,
        "seen": kept[0].number if kept else 0,
        "before": kept[1].number if len(kept) > 1 else 0,
        "said": getattr(call.asked, "said", ""),
        "may_set_up": call.operator.may(Permission.SET_UP, sheet.store or EVERY_STORE),
        "history": _history(sheet, kept),
        "of_the_file": () if seed is None else difference(sheet.shown(now), sheet.shown(seed)),
        "has_seed": seed is not None,
        **sheet.more,
    }


def _history(sheet: Sheet, kept: Sequence[Version]) -> tuple[VersionShown, ...]:
    shown = [sheet.shown(each.document) for each in kept[: VERSIONS_SHOWN + 1]]
    return tuple(
        VersionShown(
            version=each,
            changed=difference(shown[place + 1], shown[place]) if place + 1 < len(shown) else (),
            is_latest=place == 0,
        )
        for place, each in enumerate(kept[:VERSIONS_SHOWN])
    )


def _keep(books: Transaction, call: Call[SheetForm], make: Make) -> str:
    """Keep what was written; return by which word it is told."""
    sheet, form = make(books, call), call.asked
    word = Word(actor=call.operator.name or Actor.OPERATOR, reason=form.reason.strip())
    if form.seen != setup.latest_number(books, sheet.kind, sheet.subject):
        raise FieldsAreWrong({"": Wrong(why="meanwhile")})
    if form.undo == FILE:
        seed = call.parts.seeds.get((sheet.kind, sheet.subject))
        if seed is None:
            raise NotFound(what="version")
        bookings.keep_document(books, sheet.kind, sheet.subject, seed, word)
        return "undone"
    if form.undo:
        older = setup.version(books, sheet.kind, sheet.subject, int(form.undo))
        if not sheet.may_say(older.document):
            raise NotAllowed(why="it is about a store that is not yours to set up")
        bookings.undo(books, sheet.kind, sheet.subject, int(form.undo), word)
        return "undone"
    now = bookings.stands_as(books, sheet.kind, sheet.subject)
    written: Document = sheet.read(form.said, now)
    bookings.keep_document(books, sheet.kind, sheet.subject, written, word)
    return "kept"


def _of_the_whole(fault: FieldsAreWrong) -> str:
    return fault.wrong[""].why if "" in fault.wrong else "some_fields"


def _path(call: Call[Any]) -> str:
    """Return the address of the page that the call is about."""
    path = call.route.partition(" ")[2]
    for name, said in call.names.items():
        path = path.replace(f"{{{name}}}", said)
    return path
