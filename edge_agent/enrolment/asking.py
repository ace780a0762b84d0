"""The agent asks: for an identity with a one-time code, later with its key for what is new.

Asked again after any crash, with the same code and key, the controller gives the same terminal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from common.errors import RusubanError
from common.seals import renewal_document
from common.tls import fingerprint_of
from edge_agent.enrolment.answers import (
    CredentialsAnswered,
    EnrolmentAnswered,
    NotOurs,
    ProblemAnswered,
    as_pem,
    identity_in,
    one_certificate,
    read,
    renewed_by,
)
from edge_agent.enrolment.calls import Answer, AnswerIsNonsense, ControllerIsAway, call, plain
from edge_agent.enrolment.keys import TerminalKey
from edge_agent.enrolment.trust import tls_to_anybody, tls_to_pages
from edge_agent.ports import Identity

_PIN = re.compile(r"[0-9a-f]{64}")
_NOT_IN_A_HOSTNAME = re.compile(r"[^A-Za-z0-9._-]")

_AGAIN = "Then say the same again: a code whose answer was lost is still good."
_NEXT: Final[Mapping[str, str]] = {
    "code_is_spent": "Ask the operator for a new code: it is good for 15 minutes and for one PC.",
    "key_is_known": (
        "Ask for a code for that terminal (`enrol-code --terminal`); to be another one, take the"
        " key {key} away first."
    ),
    "too_many_attempts": _AGAIN,
}
"""What to do about it here, where the controller cannot know; else it says so itself."""


class PinIsWrong(RusubanError):
    """A pin is the 64 hex digits that `enrol-code` prints; this is something else."""


class PinIsAnother(RusubanError):
    """{url} is not the controller you were told of: its pin is {found}; nothing was said to it."""


class EnrolmentIsRefused(RusubanError):
    """The controller does not enrol this PC. {why} {next}."""


class NotRenewed(RusubanError):
    """The controller renews nothing for this terminal ({why}): enrol it again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """What a person says on the PC; without a pin, those are believed whom this PC trusts."""

    url: str
    code: str = field(repr=False)
    hostname: str
    pin: str = ""


def enrol(asking: Asking, key: TerminalKey) -> Identity:
    """Return who we are. The code is told to nobody who is not vouched for.

    Raises:
        EnrolmentIsRefused: the controller will not, and says why.
        PinIsWrong, PinIsAnother: the pin is none, or another controller's.
        RusubanError: that of `call`.
    """
    pinned = _authority_by(asking.pin, asking.url) if asking.pin else ""
    body = {
        "code": asking.code.strip(),
        "public_key": key.public,
        "hostname": _NOT_IN_A_HOSTNAME.sub("-", asking.hostname)[:253] or "pc",
    }
    answer = call(asking.url, "/enrolments", tls_to_pages(pinned), body=body)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise _refusal_in(answer, key)
    try:
        told = read(EnrolmentAnswered, _good(answer).body)
        return identity_in(told, key, url=asking.url.rstrip("/"), pinned=pinned)
    except NotOurs as fault:
        raise AnswerIsNonsense(url=asking.url, why=plain(str(fault.facts["why"]))) from fault


def renew(who: Identity, key: TerminalKey) -> Identity:
    """Return who we are with newer credentials, from whom the old ones vouch for.

    Raises:
        NotRenewed: our epoch or our registration is over.
        RusubanError: that of `call`.
    """
    seal = key.seal(renewal_document(who.terminal, who.epoch))
    body = {"epoch": who.epoch, "signature": seal}
    path = f"/terminals/{who.terminal}/credentials"
    answer = call(who.url, path, tls_to_pages(who.pinned), body=body)
    if answer.status == HTTPStatus.FORBIDDEN:
        raise NotRenewed(why=_problem_in(answer).detail or "it does not say why")
    if answer.status >= HTTPStatus.BAD_REQUEST:
        why = _problem_in(answer).detail or f"it answers {answer.status}"
        raise ControllerIsAway(url=who.url, why=why)
    try:
        return renewed_by(read(CredentialsAnswered, _good(answer).body), who, key)
    except NotOurs as fault:
        raise AnswerIsNonsense(url=who.url, why=plain(str(fault.facts["why"]))) from fault


def _authority_by(pin: str, url: str) -> str:
    """Return the authority that the controller says is its own and that has this pin."""
    wanted = re.sub(r"[\s:]", "", pin).lower()
    if not _PIN.fullmatch(wanted):
        raise PinIsWrong
    answer = call(url, "/authority", tls_to_anybody())
    try:
        authority = as_pem(one_certificate(_good(answer).body.decode("ascii", "replace")))
    except NotOurs as fault:
        raise AnswerIsNonsense(url=url, why="it shows no authority to compare") from fault
    found = fingerprint_of(authority)
    if found != wanted:
        raise PinIsAnother(url=url, found=found)
    return authority


def _good(answer: Answer) -> Answer:
    """Return an answer that is one; nobody is followed to another address.

    Raises:
        NotOurs: it says something else.
    """
    if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
        raise NotOurs(why=f"it answers {answer.status}")
    return answer


def _refusal_in(answer: Answer, key: TerminalKey) -> EnrolmentIsRefused:
    problem = _problem_in(answer)
    by_us = _NEXT.get(problem.code, "").format(key=key.file)
    why = problem.detail or f"It answers {answer.status}."
    what_next = by_us or problem.next or _AGAIN
    return EnrolmentIsRefused(why=why, next=what_next.removesuffix("."))


def _problem_in(answer: Answer) -> ProblemAnswered:
    """Return what the controller says of it, fit to be shown; nothing, where it says nothing."""
    try:
        told = read(ProblemAnswered, answer.body)
    except NotOurs:
        return ProblemAnswered()
    return ProblemAnswered(
        code=told.code, detail=plain(told.detail), next=plain(told.next or "") or None
    )
