"""The page of the nightly audit: what was looked at, what was found, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from cloud_controller.auditor import audit_all
from cloud_controller.flows import audit
from cloud_controller.flows.audit import Audited
from cloud_controller.ports import Transaction
from cloud_controller.web.pages.console.shell import OfStore, Shell, shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import Call, Page
from common.rules.accounts import EVERY_STORE, Permission
from common.rules.audit import PROMISES, Finding, Invariant, next_quiet_at
from common.words import invariant_words_for

NIGHTS_SHOWN: Final = 30
"""Audits that are listed beneath the last one: a month of nights."""


class AuditsWanted(OfStore):
    """Of which store the findings are shown; those of no store to whoever may see every one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What was found of one kind, with its words."""

    invariant: Invariant
    promise: int
    what: str
    next: str
    findings: tuple[Finding, ...]


async def show_audits(call: Call[AuditsWanted]) -> Page:
    """Show the last audit whole, and what those before it have found."""
    facts = await call.parts.books.read(_facts, call)
    return Page(template="console/audits.html", facts=facts)


async def audit_now(call: Call[None]) -> web.Response:
    """Audit the books, then show what was found."""
    await audit_all(call.parts.books, call.parts.clock, call.operator.name)
    return lead_to("/operator/reports/audit", said="done")


def _facts(books: Transaction, call: Call[AuditsWanted]) -> dict[str, Any]:
    shell = shell_of(books, call, "reports")
    every = EVERY_STORE in call.operator.stores(Permission.LOOK) and not shell.store
    made = audit.audits(books, NIGHTS_SHOWN)
    shown = [_seen(each, shell, every=every) for each in made]
    zone = audit.zone_of_quiet(books)
    return {
        "shell": shell,
        "said": call.asked.said == "done",
        "audits": list(zip(made, shown, strict=True)),
        "groups": _groups(shown[0], call.language.code) if shown else (),
        "zone": zone,
        "next_at": next_quiet_at(zone, books.now),
        "now": books.now,
        "may_audit": call.operator.may(Permission.SET_UP),
        "kinds": tuple(Invariant),
    }


def _seen(made: Audited, shell: Shell, *, every: bool) -> tuple[Finding, ...]:
    """Return what of an audit its reader may see."""
    return tuple(each for each in made.findings if every or each.store in shell.ids)


def _groups(findings: Sequence[Finding], language: str) -> tuple[Group, ...]:
    kinds = [each for each in Invariant if any(f.invariant is each for f in findings)]
    return tuple(
        Group(
            invariant=kind,
            promise=PROMISES[kind],
            what=invariant_words_for(kind, language).what,
            next=invariant_words_for(kind, language).next,
            findings=tuple(each for each in findings if each.invariant is kind),
        )
        for kind in kinds
    )
