"""Who is told of problems: one rule a store, or that of every store; changed by a form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from cloud_controller.flows import alerts, registration
from cloud_controller.flows.alerts import Kept
from cloud_controller.ports import NotPermitted, Transaction
from cloud_controller.web.pages.console.shell import OfStore, shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import Call, Page, Shape
from common.ids import StoreId
from common.rules.accounts import EVERY_STORE, Permission
from common.rules.letters import address_of
from common.rules.problems import (
    ESCALATE_SECONDS_MAX,
    MAILS_MAX,
    WAIT_SECONDS_MAX,
    AlertRule,
    Severity,
)
from common.words import LANGUAGES

WRONG: Final = 422

PAGE: Final = "/operator/setup/alerts"

SAID: Final = ("kept", "forgotten")
"""What this page tells of what has just been done."""

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")

Addresses = Annotated[str, Field(max_length=4_000)]


class AlertsForm(Shape):
    """How a store's problems are told, as the form has it; a box that is not ticked is not sent."""

    mails: Addresses
    escalates_to: Addresses
    language: Annotated[str, Field(max_length=8)] = "en"
    least: Severity = Severity.SOON
    quiet_from: Annotated[str, Field(max_length=8)] = ""
    quiet_until: Annotated[str, Field(max_length=8)] = ""
    loud: Annotated[str, Field(max_length=8)] = ""
    wait_minutes: Annotated[int, Field(ge=0, le=WAIT_SECONDS_MAX // 60)] = 1
    escalate_minutes: Annotated[int, Field(ge=0, le=ESCALATE_SECONDS_MAX // 60)] = 0
    webhooks: Annotated[str, Field(max_length=8)] = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A rule as the form shows it."""

    mails: str
    escalates_to: str
    quiet_from: str
    quiet_until: str
    rule: AlertRule


async def show_alerts(call: Call[OfStore]) -> Page:
    """Show how the problems of a store, or of every store, are told."""
    facts = await call.parts.books.read(_facts, call)
    return Page(template="console/alerts.html", facts=facts)


async def keep_alerts(call: Call[AlertsForm]) -> web.Response | Page:
    """Keep a rule: that of the store in the path, or without one that of every store.

    Raises:
        NotFound: there is no such store.
    """
    store = call.names.get("store", EVERY_STORE)
    wrong = _wrong(call.asked)
    if wrong:
        facts = await call.parts.books.read(_facts, call, store, wrong)
        return Page(template="console/alerts.html", facts=facts, status=WRONG)
    await call.parts.books.transact(_keep, store, _rule(call.asked), call.operator.name)
    return _back(store, "kept")


async def forget_alerts(call: Call[None]) -> web.Response:
    """Have a store's problems told as those of every store are.

    Raises:
        NotFound: there is no such store.
    """
    store = call.names["store"]
    await call.parts.books.transact(_forget, store, call.operator.name)
    return _back(store, "forgotten")


def _keep(books: Transaction, store: str, rule: AlertRule, actor: str) -> None:
    if store != EVERY_STORE:
        registration.store(books, StoreId(store))
    alerts.keep_rule(books, store, rule, actor)


def _forget(books: Transaction, store: str, actor: str) -> None:
    registration.store(books, StoreId(store))
    alerts.forget_rule(books, store, actor)


def _back(store: str, said: str) -> web.Response:
    return lead_to(PAGE, store="" if store == EVERY_STORE else store, said=said)


def _facts(
    books: Transaction, call: Call[Any], of: str | None = None, wrong: Sequence[str] = ()
) -> dict[str, Any]:
    shell = shell_of(books, call, "setup")
    is_all = EVERY_STORE in call.operator.stores(Permission.SET_UP)
    his = [each for each in shell.ids if call.operator.may(Permission.SET_UP, each)]
    if not (his or is_all):
        raise NotPermitted  # of this store he may not even read who is told
    store = of or shell.store or (EVERY_STORE if is_all else his[0])
    rules = {each.store: each for each in alerts.kept(books)}
    unsaid = Kept(store=store, rule=AlertRule(language=call.language.code))
    kept = rules.get(store) or rules.get(EVERY_STORE) or unsaid
    titles = {row["store_id"]: row["title"] for row in shell.stores}
    said = getattr(call.asked, "said", "")
    return {
        "shell": shell,
        "now": books.now,
        "store": "" if store == EVERY_STORE else store,
        "store_title": titles.get(store, ""),
        "is_own": store in rules,
        "kept": kept,
        "is_all": is_all,
        "form": _written(kept.rule) if not wrong else _as_sent(call.asked),
        "wrong": wrong,
        "said": said if said in SAID else "",
    }


def _wrong(form: AlertsForm) -> list[str]:
    """Return the names of the fields that cannot be kept."""
    found = [
        name
        for name in ("mails", "escalates_to")
        if len(lines := _lines(getattr(form, name))) > MAILS_MAX
        or any(address_of(each) is None for each in lines)
    ]
    for name in ("quiet_from", "quiet_until"):
        text = getattr(form, name)
        if text and _CLOCK.fullmatch(text) is None:
            found.append(name)
    if bool(form.quiet_from) is not bool(form.quiet_until) and "quiet_from" not in found:
        found.append("quiet_from")
    if form.language not in LANGUAGES:
        found.append("language")
    return found


def _rule(form: AlertsForm) -> AlertRule:
    return AlertRule(
        mails=_addresses(form.mails),
        escalates_to=_addresses(form.escalates_to),
        language=form.language,
        least=form.least,
        quiet_from_minute=_minute(form.quiet_from),
        quiet_until_minute=_minute(form.quiet_until),
        is_urgent_loud=bool(form.loud),
        wait_seconds=form.wait_minutes * 60,
        escalate_seconds=form.escalate_minutes * 60,
        uses_webhooks=bool(form.webhooks),
    )


def _lines(text: str) -> list[str]:
    return [each for each in re.split(r"[\s,;]+", text) if each]


def _addresses(text: str) -> tuple[str, ...]:
    found = (address_of(each) for each in _lines(text))
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _minute(text: str) -> int:
    matched = _CLOCK.fullmatch(text)
    return 0 if matched is None else int(matched[1]) * 60 + int(matched[2])


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _written(rule: AlertRule) -> Written:
    is_quiet = rule.quiet_from_minute != rule.quiet_until_minute
    return Written(
        mails="\n".join(rule.mails),
        escalates_to="\n".join(rule.escalates_to),
        quiet_from=_clock(rule.quiet_from_minute) if is_quiet else "",
        quiet_until=_clock(rule.quiet_until_minute) if is_quiet else "",
        rule=rule,
    )


def _as_sent(form: AlertsForm) -> Written:
    return Written(
        mails=form.mails,
        escalates_to=form.escalates_to,
        quiet_from=form.quiet_from,
        quiet_until=form.quiet_until,
        rule=_rule(form),
    )
