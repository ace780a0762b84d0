"""Into the console: the password, then the second step; and how somebody invited gets both."""

from __future__ import annotations

import asyncio
import re
from base64 import urlsafe_b64encode
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import AfterValidator, Field

from cloud_controller import proofs
from cloud_controller.flows import accounts
from cloud_controller.flows.accounts import Browser, Known
from cloud_controller.ports import NotAllowed, Row, Transaction
from cloud_controller.proofs import PasskeyIsRefused, PasskeyMade
from cloud_controller.web.admission import is_stale, session_cookie
from cloud_controller.web.faults import ProofIsOld, SignInNeeded, TooManyAttempts
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.qr import address_svg
from cloud_controller.web.routes import Call, Page, Shape
from common.rules.help import clean_line

HOME: Final = "/operator"
SIGN_IN: Final = f"{HOME}/sign-in"
SECOND: Final = f"{SIGN_IN}/second"
PROVE: Final = f"{HOME}/prove"
OWN: Final = f"{HOME}/me"

ANSWER_MAX: Final = 8_192
"""Characters of what a browser says of a passkey; ours have some hundreds."""

MAKE, SHOW, CODES = "make:", "show:", "codes:"
"""How what is kept of a question begins, by what it asks for."""

_WITHIN = re.compile(r"/operator(?!/sign-in)[A-Za-z0-9/_.?=&%:*-]{0,300}")

NextText = Annotated[str, Field(max_length=400)]


def _readable(name: str) -> str:
    if clean_line(name) != name:
        message = "it holds what nobody sees"
        raise ValueError(message)
    return name


NameText = Annotated[
    str, Field(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$"), AfterValidator(_readable)
]
"""What the audit calls somebody: no marks in it that show another name than is written."""

PasswordText = Annotated[str, Field(max_length=proofs.LENGTH_MAX)]


class WayIn(Shape):
    """Where to go on after it, and what was wrong the last time."""

    next: NextText = ""
    said: Annotated[str, Field(max_length=64, pattern=r"^[a-z_]*$")] = ""
    lang: str = ""


class SignInForm(Shape):
    """The first step."""

    name: Annotated[str, Field(max_length=80)]
    password: PasswordText
    next: NextText = ""


class SecondForm(Shape):
    """The second step: a code, or what a passkey has signed."""

    code: Annotated[str, Field(max_length=64)] = ""
    answer: Annotated[str, Field(max_length=ANSWER_MAX)] = ""
    next: NextText = ""


class JoinForm(Shape):
    """What somebody invited is called, and his password, twice."""

    name: NameText
    password: PasswordText
    again: PasswordText


class ProveForm(Shape):
    """The first code of a new secret, or a new passkey with what it is called."""

    code: Annotated[str, Field(max_length=64)] = ""
    answer: Annotated[str, Field(max_length=ANSWER_MAX)] = ""
    title: Annotated[str, Field(max_length=80)] = ""


async def show_sign_in(call: Call[WayIn]) -> Page:
    """Show the form of the first step."""
    return sign_in_page(call.asked.next, said=call.asked.said)


def sign_in_page(after: str, *, said: str = "", status: int = 200) -> Page:
    """Return the form of the first step, wherever it is asked for."""
    facts = {"next": _within(after), "said": said if said in {"wrong", "out"} else ""}
    return Page(template="console/sign_in.html", facts=facts, status=status)


async def sign_in(call: Call[SignInForm]) -> web.Response:
    """Take the first step; who fails hears the same whoever he is, after the same time.

    Raises:
        TooManyAttempts: it failed too often under this name, or from this address.
    """
    books, asked = call.parts.books, call.asked
    await _count_try(call, asked.name)
    row = await books.read(lambda each: each.accounts.operator_by_name(name=asked.name))
    kept = "" if row is None else row["password"]
    if not await asyncio.to_thread(proofs.is_password, asked.password, kept):
        operator = "" if row is None else row["operator_id"]
        await books.transact(accounts.note_failed, operator, asked.name, "password")
        return lead_to(_at(SIGN_IN, asked.next, "wrong"))
    await books.transact(accounts.take_back_try, asked.name, call.peer)
    key = await books.transact(accounts.begin_half, row, _browser(call))
    if not key:
        return lead_to(_at(SIGN_IN, asked.next, "wrong"))
    is_ready = row["ready_at"] is not None
    return known_by(call, key, _at(SECOND, asked.next) if is_ready else PROVE)


async def show_second(call: Call[WayIn]) -> Page:
    """Ask for the second step, of whoever has taken the first, or takes the second once more.

    Raises:
        SignInNeeded: he has not.
    """
    known = await _known(call)
    row, passkeys = await call.parts.books.read(accounts.second_steps, known.operator.operator)
    question = ""
    if passkeys and proofs.may_have_passkeys(call.parts.public_url):
        challenge = await _ask(call, known, SHOW)
        credentials = [each["credential"] for each in passkeys]
        question = proofs.asked_of_passkeys(call.parts.public_url, challenge, credentials)
    facts = {
        "next": _within(call.asked.next),
        "said": call.asked.said if call.asked.said == "wrong" else "",
        "name": known.operator.name,
        "again": known.is_whole,
        "has_codes": bool(row and row["totp_secret"]),
        "question": question,
    }
    return Page(template="console/second.html", facts=facts)


async def take_second(call: Call[SecondForm]) -> web.Response:
    """Take the second step: from now on this browser is the operator's, by another key.

    Raises:
        SignInNeeded: he has not taken the first.
        TooManyAttempts: it failed too often.
    """
    known, books = await _known(call), call.parts.books
    await _count_try(call, known.operator.name)
    if not await _is_second(call, known):
        await books.transact(
            accounts.note_failed, known.operator.operator, known.operator.name, "second step"
        )
        return lead_to(_at(SECOND, call.asked.next, "wrong"))
    await books.transact(accounts.take_back_try, known.operator.name, call.peer)
    if known.is_whole:
        await books.transact(accounts.prove_again, known)
        return lead_to(_within(call.asked.next))
    key = await books.transact(accounts.finish, known, _browser(call))
    return known_by(call, key, _within(call.asked.next))


async def sign_out(call: Call[None]) -> web.Response:
    """End this browser's session."""
    await call.parts.books.transact(accounts.end_session, call.known.session, call.operator)
    return known_by(call, "", _at(SIGN_IN, "", "out"))


async def show_join(call: Call[WayIn]) -> Page:
    """Ask somebody invited for his name and password.

    Raises:
        NotFound: it is no open link.
    """
    row = await call.parts.books.read(accounts.by_link, call.names["link"])
    facts = {"link": call.names["link"], "name": row["name"], "said": call.asked.said}
    return Page(template="console/join.html", facts=facts)


async def join(call: Call[JoinForm]) -> web.Response:
    """Take the name and password of somebody invited; he has to show a second step next.

    Raises:
        NotFound: it is no open link.
    """
    books, asked, link = call.parts.books, call.asked, call.names["link"]
    await books.read(accounts.by_link, link)
    said = fault_of(asked.password, asked.again)
    if said:
        return lead_to(f"{HOME}/join/{link}", said=said)
    kept = await asyncio.to_thread(proofs.hashed, asked.password)
    try:
        key = await books.transact(accounts.join, link, asked.name, kept, _browser(call))
    except NotAllowed:
        return lead_to(f"{HOME}/join/{link}", said="taken")
    return known_by(call, key, PROVE)


async def show_prove(call: Call[WayIn]) -> Page:
    """Ask for a first code, or another passkey, of whoever has none yet or adds one.

    Raises:
        SignInNeeded, ProofIsOld: he has not taken the step before, or not lately.
    """
    known = await _may_add(call)
    dice = call.parts.names.secret_bytes(proofs.SECRET_BYTES)
    secret, challenge = proofs.fresh_secret(dice), _challenge(call)
    word = f"{CODES}{secret}:{MAKE}{challenge}"
    await call.parts.books.transact(accounts.keep_challenge, known.session, word)
    question = ""
    if proofs.may_have_passkeys(call.parts.public_url):
        _, passkeys = await call.parts.books.read(accounts.second_steps, known.operator.operator)
        question = proofs.wanted_of_browser(
            call.parts.public_url,
            known.operator,
            challenge,
            [each["credential"] for each in passkeys],
        )
    facts = {
        "said": call.asked.said if call.asked.said == "wrong" else "",
        "qr": address_svg(proofs.code_address(secret, known.operator.name)),
        "secret": " ".join(re.findall("....", secret)),
        "question": question,
        "is_new": not known.is_whole,
    }
    return Page(template="console/prove.html", facts=facts)


async def prove(call: Call[ProveForm]) -> web.Response:
    """Take the first code of the secret that was shown, or a new passkey.

    Raises:
        SignInNeeded, ProofIsOld: he has not taken the step before, or not lately.
    """
    known, books, asked = await _may_add(call), call.parts.books, call.asked
    await _count_try(call, known.operator.name)
    secret, _, challenge = known.challenge.removeprefix(CODES).partition(f":{MAKE}")
    if asked.answer:
        try:
            made = proofs.made_by(asked.answer, call.parts.public_url, challenge)
        except PasskeyIsRefused:
            return lead_to(PROVE, said="wrong")
        key = (made.credential, made.public_key, made.signs)
        await books.transact(accounts.keep_passkey, known.operator, key, asked.title or "Passkey")
    else:
        code = asked.code.replace(" ", "")
        step = proofs.step_of(secret, code, call.parts.clock.now_ms()) if secret else None
        if step is None:
            return lead_to(PROVE, said="wrong")
        await books.transact(accounts.keep_codes, known.operator, secret, step)
    await books.transact(accounts.take_back_try, known.operator.name, call.peer)
    if known.is_whole:
        await books.transact(accounts.prove_again, known)
        return lead_to(OWN, said="kept")
    session = await books.transact(accounts.finish, known, _browser(call))
    return known_by(call, session, f"{OWN}?said=joined")


def fault_of(password: str, again: str) -> str:
    """Return by a word what is wrong with a new password; empty: nothing."""
    if len(password) < proofs.LENGTH_MIN:
        return "short"
    if password != again:
        return "differs"
    return "common" if proofs.is_common(password) else ""


def known_by(call: Call[Any], key: str, path: str) -> web.Response:
    """Return the way on, with the key by which the browser is known; empty: it is known no more."""
    response = lead_to(path)
    public_url = call.parts.public_url
    response.set_cookie(
        session_cookie(public_url),
        key,
        max_age=None if key else 0,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=urlsplit(public_url).scheme == "https",
    )
    return response


async def _known(call: Call[Any]) -> Known:
    known = None
    if call.session_key:
        read = call.parts.books.read
        known = await read(accounts.known_by_session, call.session_key, call.parts.lives)
    if known is None:
        raise SignInNeeded
    return known


async def _may_add(call: Call[Any]) -> Known:
    """Return who adds a proof: whoever has none yet, or has just shown one again.

    Raises:
        SignInNeeded: he has not taken the first step, or not the second that he has.
    """
    known = await _known(call)
    if known.is_whole:
        if is_stale(known, call.parts.clock.now_ms()):
            raise ProofIsOld
        return known
    row, _ = await call.parts.books.read(accounts.second_steps, known.operator.operator)
    if row is None or row["ready_at"] is not None:
        raise SignInNeeded
    return known


async def _count_try(call: Call[Any], name: str) -> None:
    waits = await call.parts.books.transact(accounts.count_try, name, call.peer)
    if waits:
        raise TooManyAttempts(retry_seconds=waits)


async def _is_second(call: Call[SecondForm], known: Known) -> bool:
    """Say whether a second step is good; it is spent by that."""
    books, asked, operator = call.parts.books, call.asked, known.operator
    row, passkeys = await books.read(accounts.second_steps, operator.operator)
    if asked.answer:
        return await _is_passkey(call, known, passkeys)
    code = re.sub(r"[\s-]", "", asked.code).lower()
    if row is not None and row["totp_secret"]:
        step = proofs.step_of(row["totp_secret"], code, call.parts.clock.now_ms())
        if step is not None:
            return await books.transact(accounts.spend_code, operator.operator, step)
    return await books.transact(accounts.spend_recovery_code, operator, code)


async def _is_passkey(call: Call[SecondForm], known: Known, passkeys: list[Row]) -> bool:
    kept = {
        each["passkey_id"]: PasskeyMade(
            credential=each["credential"], public_key=each["public_key"], signs=each["signs"]
        )
        for each in passkeys
    }
    challenge = known.challenge.removeprefix(SHOW)
    if not known.challenge.startswith(SHOW):
        return False
    try:
        shown = proofs.shown_by(
            call.asked.answer, call.parts.public_url, challenge, list(kept.values())
        )
    except PasskeyIsRefused:
        return False
    passkey = next(name for name, each in kept.items() if each.credential == shown.credential)

    def note(books: Transaction) -> None:
        accounts.keep_challenge(books, known.session, "")
        accounts.note_passkey(books, passkey, shown.signs)

    await call.parts.books.transact(note)
    return True


async def _ask(call: Call[Any], known: Known, kind: str) -> str:
    """Return a fresh question for a passkey, which is kept with the session."""
    challenge = _challenge(call)
    word = f"{kind}{challenge}"
    await call.parts.books.transact(accounts.keep_challenge, known.session, word)
    return challenge


def _challenge(call: Call[Any]) -> str:
    dice = call.parts.names.secret_bytes(proofs.CHALLENGE_BYTES)
    return urlsafe_b64encode(dice).decode().rstrip("=")


def _browser(call: Call[Any]) -> Browser:
    return Browser(peer=call.peer, name=call.browser)


def _within(path: str) -> str:
    """Return a way on that stays within the console."""
    return path if _WITHIN.fullmatch(path) else HOME


def _at(path: str, after: str, said: str = "") -> str:
    """Return a page of signing in, which remembers where to go after it."""
    on = _within(after)
    asked = [f"said={said}"] if said else []
    if on != HOME:
        asked.append("next=" + on.replace("%", "%25").replace("&", "%26").replace("?", "%3F"))
    return f"{path}?{'&'.join(asked)}" if asked else path
