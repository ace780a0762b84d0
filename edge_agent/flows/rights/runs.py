"""Seats for runs of programs: wanted at a start, kept while it runs, given back with its end.

Its law: a run that held a seat says that it is over in the transaction in which it becomes so, and
it becomes so by what the journal says of its session; nothing that is killed between can lose it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.messages.modules import ModuleOverLimit, ModuleRunEnded, RunRequest, RunRight
from common.messages.rights import Refused, Right
from common.rules.modules import (
    RENEW_AT_SHARE,
    RUN,
    Basis,
    Need,
    OverLimit,
    RunEvent,
    RunState,
    run_subject,
)
from common.rules.rights import RightKind, class_of
from edge_agent.flows.rights import exchange, holding
from edge_agent.ports import Identity, Row, Transaction

ANSWER_WITHIN_SECONDS: Final = 10.0
"""How long a start waits for a seat: the customer stands there."""

NO_ANSWER: Final = "no_answer"
LEASE_OVER: Final = "lease_over"


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleWanted:
    """A module that a program needs; `is_ours`: what is here came from our controller."""

    module: str
    is_here: bool
    is_ours: bool


def class_for(module: str, device: str) -> str:
    """Return the class of right that a run on a device needs of a module."""
    return class_of(RightKind.RUN, run_subject(module, device))


def prepare_runs(journal: Transaction, who: Identity, device: str, modules: Iterable[str]) -> None:
    """Have an exchange ready for each module counted by runs: a start costs one round trip."""
    if journal.rows.live_session_on(device=device) is None:
        for module in modules:
            if _licence_of(journal, module)[0] is Basis.CONCURRENT:
                exchange.begin(journal, who, class_for(module, device))


def needs_of(
    journal: Transaction, session: str, device: str, wanted: Sequence[ModuleWanted]
) -> list[Need]:
    """Return how each module that a session's program needs stands here now."""
    return [_need(journal, session, device, each) for each in wanted]


def want_runs(
    journal: Transaction, who: Identity, session: str, device: str, needs: Sequence[Need]
) -> None:
    """Note that this session's program is to run; `look_at_runs` asks for the seats of that."""
    for need in needs:
        if need.basis is not Basis.CONCURRENT:
            continue
        row = journal.rows.module_run(kind=class_for(need.module, device))
        if row is not None and row["state"] != RunState.OVER:
            if row["session"] == session:
                continue
            _end(journal, who, row)  # a device has one session at a time
        journal.rows.begin_run(
            kind=class_for(need.module, device),
            module=need.module,
            device=device,
            run=journal.names.new("u"),
            session=session,
            state=RUN.first,
            wanted_boot_seconds=journal.boot_seconds,
            boot_id=journal.boot_id,
        )


def look_at_runs(journal: Transaction, who: Identity, *, line_is_up: bool = True) -> None:
    """Go on with every run: ask, renew, lapse, and end what does not run any more."""
    for row in list(journal.rows.open_runs()):
        state = RunState(row["state"])
        if row["is_over"]:
            _end(journal, who, row)
        elif state in {RunState.WANTED, RunState.ASKED} and _is_late(journal, row):
            exchange.abandon(journal, who, row["kind"])
            _move(journal, row, RunEvent.REFUSE, NO_ANSWER)
        elif state is RunState.WANTED and not line_is_up:
            _move(journal, row, RunEvent.REFUSE, NO_ANSWER)
        elif state is RunState.WANTED:
            _go_on(journal, who, row)
        elif state is RunState.HELD and _is_lapsed(journal, row) is True:
            _move(journal, row, RunEvent.LAPSE, LEASE_OVER)
        elif state is RunState.HELD and _is_to_renew(journal, row):
            _go_on(journal, who, row)


def ask_run(journal: Transaction, who: Identity, kind: str) -> None:
    """Ask for a run's seat, or for more time of it, if its exchange is announced by now."""
    row = journal.rows.module_run(kind=kind)
    if row is None or row["state"] not in {RunState.WANTED, RunState.HELD}:
        return
    if row["state"] == RunState.HELD and not _is_to_renew(journal, row):
        return
    request = RunRequest(module=row["module"], device=row["device"], run=row["run"])
    is_asked = exchange.freeze(journal, who, kind, request.model_dump(mode="json"))
    if is_asked and row["state"] == RunState.WANTED:
        _move(journal, row, RunEvent.ASK)


def take(journal: Transaction, asked: Row, told: Right, right: RunRight) -> bool:
    """Keep a seat for a run; one that is over gives it back at once. Say whether it may start."""
    exchange.keep_right(journal, told, right.kind)
    row = journal.rows.module_run(kind=right.kind)
    is_of_this = row is not None and row["run"] == right.run
    after = RUN.step(RunState(row["state"]), RunEvent.GRANT) if row is not None else None
    if row is None or not is_of_this or after is None:
        _say_ended(journal, right.module, right.device, right.run)
        return False
    lease_seconds = (right.ends_at - right.issued_at) / 1000
    journal.rows.lease_run(
        kind=right.kind,
        lease_seconds=lease_seconds,
        lease_to_boot_seconds=asked["asked_boot_seconds"] + lease_seconds,
        lease_boot_id=asked["asked_boot_id"],
        ends_at=right.ends_at,
    )
    _move(journal, row, RunEvent.GRANT)
    return True


def take_refused(journal: Transaction, kind: str, told: Refused) -> bool:
    """Note that there is no seat for a run; one that is held lasts as long as it was given for."""
    row = journal.rows.module_run(kind=kind)
    return row is not None and row["state"] == RunState.ASKED and _refused(journal, row, told)


def report_uncovered(
    journal: Transaction, session: str, device: str, modules: Iterable[str]
) -> None:
    """Tell of each module once that a session's program runs without a seat of it."""
    for module in modules:
        if journal.rows.note_uncovered(session=session, module=module):
            journal.say(
                ModuleOverLimit(module=module, device=device, session=session, at=journal.now)
            )


def note_lacking(journal: Transaction, device: str, lacks: str) -> bool:
    """Note which module or package a device waits for, empty: for none; say whether that is new."""
    before = journal.rows.lacks_of(device=device) or ""
    if before == lacks:
        return False
    if lacks:
        journal.rows.note_lacking(device=device, lacks=lacks)
    else:
        journal.rows.lacks_nothing(device=device)
    return not before or not lacks


def _need(journal: Transaction, session: str, device: str, wanted: ModuleWanted) -> Need:
    if not wanted.is_ours:
        return Need(module=wanted.module, is_here=wanted.is_here)
    basis, over_limit = _licence_of(journal, wanted.module)
    return Need(
        module=wanted.module,
        is_here=wanted.is_here,
        basis=basis,
        over_limit=over_limit,
        is_leased=_is_leased(journal, wanted.module, basis),
        run=_run_of(journal, session, class_for(wanted.module, device)),
    )


def _run_of(journal: Transaction, session: str, kind: str) -> RunState | None:
    row = journal.rows.module_run(kind=kind)
    if row is None or row["session"] != session:
        return None
    state = RunState(row["state"])
    if state is RunState.HELD and _is_lapsed(journal, row) is None:
        return RunState.ASKED  # the PC was started anew, and nobody knows yet how late it is
    return state


def _licence_of(journal: Transaction, module: str) -> tuple[Basis, OverLimit]:
    """Return the terms of a module that came from us: of the last offer, else of its right."""
    row = journal.rows.modules_offer()
    offered = json.loads(row["document"])["packages"] if row is not None else ()
    terms: Mapping[str, Any] = next((each for each in offered if each["package"] == module), {})
    right = journal.rows.right(kind=class_of(RightKind.MODULE, module))
    of_right = json.loads(right).get("basis") if right is not None else None
    basis = terms.get("basis") or of_right
    over_limit = terms.get("over_limit")
    return (
        Basis(basis) if basis in set(Basis) else Basis.INSTALLED,
        OverLimit(over_limit) if over_limit in set(OverLimit) else OverLimit.REFUSE,
    )


def _is_leased(journal: Transaction, module: str, basis: Basis) -> bool | None:
    """Say whether this terminal has a seat of its own that lasts; None: no clock can be trusted."""
    right = journal.rows.right(kind=class_of(RightKind.MODULE, module))
    if right is None or basis is Basis.EVER_ISSUED:
        return right is not None
    now = holding.trusted_now(journal)
    return None if now is None else now < int(json.loads(right)["ends_at"])


def _go_on(journal: Transaction, who: Identity, row: Row) -> None:
    if not exchange.begin(journal, who, row["kind"]):
        ask_run(journal, who, row["kind"])


def _end(journal: Transaction, who: Identity, row: Row) -> None:
    """Note that a run is over, and say so where it held a seat."""
    if row["state"] in {RunState.WANTED, RunState.ASKED}:
        exchange.abandon(journal, who, row["kind"])
    # A lease that was over came back by itself, and may be somebody else's by now: told all the
    # same, it frees nothing twice.
    if row["ends_at"]:
        _say_ended(journal, row["module"], row["device"], row["run"])
    _move(journal, row, RunEvent.END)


def _say_ended(journal: Transaction, module: str, device: str, run: str) -> None:
    journal.say(ModuleRunEnded(module=module, device=device, run=run, at=journal.now))


def _refused(journal: Transaction, row: Row, told: Refused) -> bool:
    _move(journal, row, RunEvent.REFUSE, told.reason)
    return True


def _is_late(journal: Transaction, row: Row) -> bool:
    waited = journal.boot_seconds - row["wanted_boot_seconds"]
    return bool(row["boot_id"] != journal.boot_id or waited >= ANSWER_WITHIN_SECONDS)


def _is_lapsed(journal: Transaction, row: Row) -> bool | None:
    """Say whether a run's lease is over; None: after a new start of the PC nobody knows yet."""
    if row["lease_boot_id"] == journal.boot_id:
        return bool(journal.boot_seconds >= row["lease_to_boot_seconds"])
    now = holding.trusted_now(journal)
    return None if now is None else bool(now >= row["ends_at"])


def _is_to_renew(journal: Transaction, row: Row) -> bool:
    if row["lease_boot_id"] != journal.boot_id:
        return True
    left_seconds = row["lease_to_boot_seconds"] - journal.boot_seconds
    return bool(left_seconds <= row["lease_seconds"] * (1 - RENEW_AT_SHARE))


def _move(journal: Transaction, row: Row, event: RunEvent, reason: str = "") -> None:
    after = RUN.step(RunState(row["state"]), event)
    assert after is not None, "whoever moves a run knows how it stands"
    journal.rows.move_run(kind=row["kind"], before=row["state"], state=after, reason=reason)
