"""An operator's own page: how he proves himself, and where he is signed in."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

from cloud_controller import proofs
from cloud_controller.flows import accounts
from cloud_controller.ports import NotAllowed, Transaction
from cloud_controller.web.admission import is_stale
from cloud_controller.web.faults import NotSignedIn, ProofIsOld
from cloud_controller.web.pages.console.entry import OWN, PasswordText, fault_of
from cloud_controller.web.pages.console.shell import OfStore, shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import Call, Page, Shape

SAID: Final = frozenset(
    ["joined", "kept", "password", "short", "differs", "common", "removed", "only_one", "ended"]
)


BROWSERS: Final = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet")),
    *(("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome")),
    *(("Chrome/", "Chrome"), ("Safari/", "Safari")),
)
"""What browsers say of themselves, those first that say another's name as well."""

SYSTEMS: Final = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS X", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)

UNKNOWN_CHARACTERS_MAX: Final = 60
"""Of what an unknown browser says: about a line."""


class PasswordForm(Shape):
    """Another password, twice."""

    password: PasswordText
    again: PasswordText


async def show_own(call: Call[OfStore]) -> Page:
    """Show an operator how he is known.

    Raises:
        NotSignedIn: a program calls, which has no such page.
    """
    _see_person(call)
    facts = await call.parts.books.read(_own, call)
    return Page(template="console/own.html", facts=facts)


async def change_password(call: Call[PasswordForm]) -> web.Response:
    """Take another password; wherever else he is signed in that ends.

    Raises:
        NotSignedIn, ProofIsOld: a program calls, or he has not shown the second step lately.
    """
    _see_fresh(call)
    said = fault_of(call.asked.password, call.asked.again)
    if said:
        return lead_to(OWN, said=said)
    kept = await asyncio.to_thread(proofs.hashed, call.asked.password)
    books, session = call.parts.books, call.known.session
    await books.transact(accounts.keep_password, call.operator, kept, session)
    return lead_to(OWN, said="password")


async def make_codes(call: Call[None]) -> Page:
    """Make recovery codes; they are on the page that answers, and never again.

    Raises:
        NotSignedIn, ProofIsOld: a program calls, or he has not shown the second step lately.
    """
    _see_fresh(call)
    books = call.parts.books
    codes = await books.transact(accounts.make_recovery_codes, call.operator)
    facts = await books.read(_own, call)
    return Page(template="console/own.html", facts=facts | {"codes": codes, "said": ""})


async def remove_passkey(call: Call[None]) -> web.Response:
    """Take a passkey no more.

    Raises:
        NotSignedIn, ProofIsOld: a program calls, or he has not shown the second step lately.
        NotFound: he has no such passkey.
    """
    _see_fresh(call)
    try:
        passkey = call.names["passkey"]
        await call.parts.books.transact(accounts.remove_passkey, call.operator, passkey)
    except NotAllowed:
        return lead_to(OWN, said="only_one")
    return lead_to(OWN, said="removed")


async def end_session(call: Call[None]) -> web.Response:
    """End one of his sessions, in whatever browser it is."""
    _see_person(call)
    await call.parts.books.transact(accounts.end_other, call.operator, call.names["browser"])
    return lead_to(OWN, said="ended")


def _own(books: Transaction, call: Call[Any]) -> dict[str, Any]:
    row, passkeys = accounts.second_steps(books, call.operator.operator)
    said = getattr(call.asked, "said", "")
    left = books.accounts.recovery_codes_left(operator_id=call.operator.operator)
    return {
        "shell": shell_of(books, call, "people"),
        "row": row,
        "passkeys": passkeys,
        "may_have_passkeys": proofs.may_have_passkeys(call.parts.public_url),
        "sessions": accounts.own_sessions(books, call.operator.operator, call.parts.lives),
        "mine": call.known.session,
        "left": left,
        "said": said if said in SAID else "",
        "codes": (),
        "browser_of": browser_of,
        "now": books.now,
    }


def browser_of(agent: str) -> str:
    """Return which browser on which system this is, as its owner calls them, by what it says.

    Their own names, in every language; where none is known, the first of what was said.
    """
    names = (name for sign, name in BROWSERS if sign in agent)
    systems = (name for sign, name in SYSTEMS if sign in agent)
    known = [each for each in (next(names, ""), next(systems, "")) if each]
    return " · ".join(known) or agent[:UNKNOWN_CHARACTERS_MAX]


def _see_person(call: Call[Any]) -> None:
    if not call.known.session:
        raise NotSignedIn


def _see_fresh(call: Call[Any]) -> None:
    _see_person(call)
    if is_stale(call.known, call.parts.clock.now_ms()):
        raise ProofIsOld
