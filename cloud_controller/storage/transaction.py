"""One open transaction as the flows see it: named queries on one connection, and what was said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloud_controller.ports import (
    LATELY_MAX,
    LATELY_SECONDS,
    Actor,
    Clock,
    Keys,
    Movement,
    Names,
    Problem,
    Queries,
    Registry,
    RoleGiven,
    Said,
    SetupChange,
)
from cloud_controller.storage.events import tell
from cloud_controller.storage.records import RECORDS
from cloud_controller.storage.registry import BooksRegistry
from common.ids import TerminalId
from common.messages.base import Message
from common.queries import PLAIN, BoundQueries, Connection, Style
from common.rules.hooks import Happened, HookType, happened_of
from common.rules.modules import FACTS_LENGTH_MAX, ModuleEvent
from common.rules.payments import is_balanced
from common.rules.problems import ProblemKind
from common.rules.setup import REASON_MAX, VERSIONS_MAX
from common.topics import BrokerRole, Channel

_FILES = (
    *("findings", "figures"),
    *("enrolment", "registration", "service"),
    *("offerings", "reservations", "rights", "escrow", "sessions", "devices"),
    *("extensions", "letters", "actions", "payments", "lending", "directory", "lists"),
    *("modules", "provenance", "royalties", "help"),
    *("setup", "accounts", "hooks", "privacy", "post", "problems"),
    *("console", "acts", "home", "metrics"),
    *("alerts", "watches"),
)
_QUERIES = Path(__file__).parent / "queries"


class OpenTransaction:
    """The queries bound to one connection, and what has been said so far."""

    findings: Queries
    figures: Queries
    enrolment: Queries
    registration: Queries
    service: Queries
    offerings: Queries
    reservations: Queries
    rights: Queries
    escrow: Queries
    sessions: Queries
    extensions: Queries
    acts: Queries
    devices: Queries
    letters: Queries
    actions: Queries
    payments: Queries
    lending: Queries
    directory: Queries
    lists: Queries
    console: Queries
    home: Queries
    metrics: Queries
    modules: Queries
    provenance: Queries
    royalties: Queries
    help: Queries
    setup: Queries
    accounts: Queries
    hooks: Queries
    privacy: Queries
    post: Queries
    problems: Queries
    alerts: Queries
    watches: Queries
    registry: Registry

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        names: Names,
        keys: Keys,
        style: Style = PLAIN,
    ) -> None:
        """Have every named query run on the connection, in the style of its driver."""
        self.names = names
        self.keys = keys
        self.now = 0
        self.said: list[Said | RoleGiven] = []
        self._clock = clock
        for file in _FILES:
            records = RECORDS.get(file)
            setattr(self, file, BoundQueries(_QUERIES / f"{file}.sql", connection, records, style))
        self.registry = BooksRegistry(self.service)

    def begin(self) -> None:
        """Look at the clock once, for all that this transaction does."""
        self.now = self._clock.now_ms()
        self.said = []

    def say(
        self,
        terminal: TerminalId,
        channel: Channel,
        message: Message,
        *,
        corr: str = "",
        tail: str = "",
        kept: bool = False,
    ) -> None:
        """Have a message sent after the commit; see `ports.Transaction`."""
        outbox_id = None
        if kept:
            data = message.model_dump(mode="json")
            body = {
                "channel": channel,
                "tail": tail,
                "corr": corr,
                "type": message.type,
                "data": data,
            }
            outbox_id = self._keep(terminal, body)
        self.said.append(
            Said(
                terminal=terminal,
                channel=channel,
                message=message,
                corr=corr,
                tail=tail,
                outbox_id=outbox_id,
            )
        )

    def tell_broker(
        self, terminal: TerminalId, role: BrokerRole | None, *, secret: str | None = None
    ) -> None:
        """Have the broker give a terminal this role; see `ports.Transaction`."""
        outbox_id = self._keep(terminal, {"role": role}) if secret is None else None
        given = RoleGiven(terminal=terminal, role=role, secret=secret, outbox_id=outbox_id)
        self.said.append(given)

    def enter(
        self,
        kind: str,
        facts: Mapping[str, Any],
        *,
        terminal: str | None = None,
        reservation: str | None = None,
        session: str | None = None,
        at: int | None = None,
    ) -> None:
        """Add a line to the ledger; see `ports.Transaction`."""
        self.post.enter(
            at=self.now if at is None else at,
            type=kind,
            terminal_id=terminal,
            reservation_id=reservation,
            session_id=session,
            body=json.dumps(dict(facts)),
        )
        ids = {"terminal": terminal, "reservation": reservation, "session": session}
        happened = happened_of(kind, facts, {name: each for name, each in ids.items() if each})
        if happened is not None:
            tell(self, happened)

    def log_module(self, event: ModuleEvent) -> None:
        """Add a line to our own log of modules; see `ports.Transaction`."""
        facts = json.dumps(dict(event.facts), sort_keys=True)
        assert len(facts) <= FACTS_LENGTH_MAX, "other controllers take no longer line"
        mine = self.provenance.next_own()
        if mine is None:
            self.provenance.leave_doubted()
            self.provenance.begin_origin(origin=self.names.new("o"))
            mine = self.provenance.next_own()
        self.provenance.add(
            origin=mine["origin"],
            lseq=mine["last_lseq"],
            kind=event.kind,
            module=event.module,
            client=event.client,
            version=event.version.replace("\0", ""),  # PostgreSQL takes none, nor would any copy
            digest=event.digest,
            right_comm_id=event.right,
            at=self.now if event.at is None else event.at,
            facts=facts,
        )

    def move_money(self, moved: Movement) -> None:
        """Enter a movement of money; see `ports.Transaction`."""
        assert is_balanced(moved.postings), "money is neither made nor lost"
        if not moved.postings:
            return
        entry_id = self.payments.add_entry(
            kind=moved.kind,
            store_id=moved.store,
            order_id=moved.order,
            payment_id=moved.payment,
            reservation_id=moved.reservation,
            why=moved.why,
            at=self.now,
        )
        for line, posting in enumerate(moved.postings):
            self.payments.add_posting(
                entry_id=entry_id,
                line=line,
                account=posting.account,
                cents=posting.cents,
                currency=posting.currency,
            )
        ids = {"payment": moved.payment, "order": moved.order, "reservation": moved.reservation}
        facts = {name: each for name, each in ids.items() if each}
        if facts:
            about = next(iter(facts.values()))
            kind = HookType(f"payment.{moved.kind}")
            self.tell_hooks(Happened(type=kind, about=about, facts=facts), store=moved.store)

    def tell_hooks(self, happened: Happened, *, store: str | None = None) -> None:
        """Have webhooks told of an event; see `ports.Transaction`."""
        tell(self, happened, store)

    def raise_problem(self, problem: Problem) -> None:
        """Have an operator look at something; see `ports.Transaction`."""
        self.problems.enter(
            problem_id=self.names.new("p"),
            kind=problem.kind,
            subject=problem.subject,
            terminal_id=problem.terminal,
            reservation_id=problem.reservation,
            store_id=problem.store,
            why=problem.why,
            evidence=json.dumps(dict(problem.evidence), sort_keys=True),
            proposals=json.dumps([dict(each) for each in problem.proposals]),
            at=self.now,
        )

    def solve_problem(self, kind: ProblemKind, subject: str) -> None:
        """Note that it is solved; see `ports.Transaction`."""
        self.problems.solve(kind=kind, subject=subject, at=self.now)

    def audit(self, actor: str, act: str, subject: str, reason: str = "") -> None:
        """Enter a privileged act; see `ports.Transaction`."""
        self.post.audit(at=self.now, actor=actor, act=act, subject=subject, reason=reason)

    def keep_version(self, change: SetupChange, actor: str, reason: str = "") -> None:
        """Keep a document's next version; see `ports.Transaction`."""
        which = {"kind": change.kind, "subject": change.subject}
        latest = self.setup.latest(**which)
        number = latest["number"] if latest is not None else 0
        document = json.dumps(dict(change.after), sort_keys=True)
        said_by = None if latest is None else latest["actor"]
        is_adopted = said_by == Actor.SETTINGS and actor != said_by  # somebody stands by it now
        if latest is not None and latest["document"] == document and not is_adopted:
            return
        before = json.dumps(dict(change.before or {}), sort_keys=True)
        is_as_before = before == document and actor == Actor.SETTINGS  # the file changes nothing
        if latest is None and change.before is not None and not is_as_before:
            number += 1
            self.setup.keep(
                **which, number=number, document=before, at=self.now, actor="", reason=""
            )
        number += 1
        self.setup.keep(
            **which,
            number=number,
            document=document,
            at=self.now,
            actor=actor,
            reason=reason[:REASON_MAX],
        )
        self.setup.forget(**which, up_to=number - VERSIONS_MAX)

    def acts_lately(self, act: str, subject: str) -> int:
        """Return how often this was done of late; see `ports.Transaction`."""
        since = self.now - LATELY_SECONDS * 1000
        count = self.post.acts_since(subject=subject, act=act, since=since, most=LATELY_MAX)
        return int(count)

    def _keep(self, recipient: str, body: dict[str, Any]) -> int:
        kept: int = self.post.keep(recipient=recipient, body=json.dumps(body), made_at=self.now)
        return kept
