"""The log of modules between controllers: each says how far it has every log, and gets the rest.

Its law: a number of ours is given once in all databases. So whoever starts doubts that its own log
is the newest until every mirror has said how far it has it, and goes on under a new origin where it
must write before that, or where another has more of it (D10).

A *mirror* is another controller with which lines are exchanged: our root, those that take seats
from us, and those that a setting names. Whoever has a line says it on, whosever it is; so a root
relays between its branches, and in a mesh it does not matter who hears what from whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cloud_controller.flows.modules.said import (
    LINES_LENGTH_MAX,
    LINES_MAX,
    ORIGINS_MAX,
    SIGNERS_MAX,
    LogSaid,
    heads_in,
    lines_in,
    said_of,
)
from cloud_controller.ports import NotAllowed, NotFound, Problem, Row, Transaction
from common.rules.modules import Heads, LogHead, LogLine, following, lagging
from common.rules.problems import ProblemKind


def begin(books: Transaction, called: Iterable[str]) -> None:
    """Begin to exchange lines with those that we call, by their addresses, and those that call us.

    Until each has said how far it has our log, we doubt that we have all of it ourselves.
    """
    books.provenance.call_no_mirror()
    for name in called:
        books.provenance.call_mirror(name=name)
    books.provenance.be_sure_of_no_mirror()
    if books.provenance.unsure():
        books.provenance.doubt()
    else:
        books.provenance.settle_doubts()
    if books.provenance.own() is None:
        books.provenance.begin_origin(origin=books.names.new("o"))


def say_log(books: Transaction, theirs: LogSaid | None) -> LogSaid:
    """Return how far we have each log, and what a mirror lacks by what it has said last."""
    rows = books.provenance.origins()
    heads = _heads(books, rows)
    lacking = [] if theirs is None else _lines_for(books, heads, heads_in(theirs))
    return said_of(heads, lacking, _signers(books))


def take_log(books: Transaction, mirror: str, said: LogSaid) -> bool:
    """Take what a mirror says of every log, all of it at once; say whether a line was new to us.

    Raises:
        NotAllowed: more logs are named than can be known.
    """
    theirs = heads_in(said)
    known = _meet(books, mirror, theirs)
    _keep_signers(books, mirror, said.signers)
    lines = lines_in(said)
    is_sure, has_moved = True, False
    for origin, head in theirs.items():
        row = known[origin]
        is_ours = row["is_vouched"] == 1 and row["is_closed"] == 0
        said_of_it = lines.get(origin, [])
        if is_ours and _last_of(head, said_of_it) > row["last_lseq"]:
            _set_back(books, mirror, row)
        taken = _take_lines(books, row, said_of_it)
        has_moved |= taken > row["last_lseq"]
        if row["is_closed"]:
            continue
        if head.last > taken:
            is_sure &= not is_ours
        elif _is_one_log(books, origin, head, row):
            _complete(books, row, head)
        else:
            is_sure &= not is_ours
            _forked(books, mirror, origin, head, is_ours=is_ours)
    books.provenance.heard_mirror(name=mirror, is_sure=int(is_sure), heard_at=books.now)
    if is_sure and not books.provenance.unsure():
        books.provenance.settle_doubts()
    return has_moved


def answer_log(books: Transaction, mirror: str, said: LogSaid) -> LogSaid:
    """Take what a mirror says, and return how far we have each log now, with what it lacks.

    Raises:
        NotAllowed: more logs are named than can be known.
    """
    take_log(books, mirror, said)
    return say_log(books, said)


def lacks(theirs: LogSaid, said: LogSaid) -> bool:
    """Say whether a mirror still lacks lines that it was told of when it answered so."""
    return any(lagging(heads_in(said), heads_in(theirs)))


def answer_for(books: Transaction, origin: str, actor: str, reason: str) -> None:
    """Say that nobody need wait for further lines of a log: it is taken as it is here.

    Its controller is gone for good, or two databases wrote it.

    Raises:
        NotFound: no such log is known.
    """
    if books.provenance.origin(origin=origin) is None:
        raise NotFound(what="origin")
    if books.provenance.answer_for(origin=origin):
        books.solve_problem(ProblemKind.MODULE_LOG_FORKED, origin)
        books.audit(actor, "modules.answered_for", origin, reason)


def origins(books: Transaction) -> list[Row]:
    """Return every log that is known, how far we have it, and who answers for it."""
    return list(books.provenance.origins())


def mirrors(books: Transaction) -> list[Row]:
    """Return with whom lines are exchanged, and when each has spoken last."""
    return list(books.provenance.mirrors())


def _heads(books: Transaction, rows: Iterable[Row]) -> dict[str, LogHead]:
    """Return how far we have each log.

    What is ours we have up to now: whatever was committed before is in what this transaction sees,
    since its instant is older. But before every mirror has spoken once, nobody shall take us as
    having said all: there may be controllers whose logs we do not even know of.
    """
    is_whole = not books.provenance.unheard()

    def complete_at(row: Row) -> int:
        is_ours = row["is_vouched"] == 1 and row["is_doubted"] == 0
        return books.now if is_whole and is_ours else int(row["complete_at"])

    return {
        row["origin"]: LogHead(
            last=row["last_lseq"],
            tail=_line_of(row["origin"], row["last_lseq"], row).tail() if row["last_lseq"] else "",
            complete_at=complete_at(row),
        )
        for row in rows
    }


def _signers(books: Transaction) -> tuple[str, ...]:
    """Return by which keys receipts are signed: ours, and those that we have heard of."""
    heard = (row["public_key"] for row in books.provenance.signers())
    return tuple(dict.fromkeys((*books.keys.public_keys().values(), *heard)))[:SIGNERS_MAX]


def _keep_signers(books: Transaction, mirror: str, signers: Iterable[str]) -> None:
    """Know by which keys receipts are signed elsewhere: what came by one may go here (D8)."""
    known = {*books.keys.public_keys().values()}
    known.update(row["public_key"] for row in books.provenance.signers())
    for public_key in sorted(set(signers) - known)[: max(0, SIGNERS_MAX - len(known))]:
        books.provenance.keep_signer(public_key=public_key, heard_from=mirror, heard_at=books.now)


def _lines_for(books: Transaction, ours: Heads, theirs: Heads) -> list[LogLine]:
    """Return lines that a mirror lacks, as many as are said at once, of what is one log."""
    lines: list[LogLine] = []
    length = 0
    for origin, after in lagging(ours, theirs):
        if after and not _is_one_log(books, origin, theirs[origin]):
            continue
        most = LINES_MAX - len(lines)
        for row in books.provenance.lines_after(origin=origin, after=after, most=most):
            line = _line_of(origin, row["lseq"], row)
            length += sum(len(str(getattr(line, name))) for name in LogLine.__slots__)
            if len(lines) == LINES_MAX or length > LINES_LENGTH_MAX:
                return lines
            lines.append(line)
    return lines


def _meet(books: Transaction, mirror: str, theirs: Mapping[str, LogHead]) -> dict[str, Row]:
    """Know every log by its name, so that what is not known of it is known to be missing."""
    known = {row["origin"]: row for row in books.provenance.origins()}
    new = [origin for origin in theirs if origin not in known]
    if len(known) + len(new) > ORIGINS_MAX:
        raise NotAllowed(why=f"more than {ORIGINS_MAX} logs of modules are named")
    for origin in new:
        books.provenance.meet_origin(origin=origin, heard_from=mirror)
        known[origin] = books.provenance.origin(origin=origin)
    return known


def _last_of(head: LogHead, lines: Iterable[LogLine]) -> int:
    """Return the last number that a mirror has of a log, by what it says and by what it shows."""
    return max([head.last, *(line.lseq for line in lines)])


def _take_lines(books: Transaction, row: Row, lines: list[LogLine]) -> int:
    """Add what follows the lines that we have; return the number of the last one then."""
    before = int(row["last_lseq"])
    new = following(before, lines)
    for line in new:
        books.provenance.add(
            origin=line.origin,
            lseq=line.lseq,
            kind=line.kind,
            module=line.module,
            client=line.client,
            version=line.version,
            digest=line.digest,
            right_comm_id=line.right,
            at=line.at,
            facts=line.facts,
        )
    if not new:
        return before
    last: int = new[-1].lseq
    books.provenance.take_up_to(origin=row["origin"], before=before, last_lseq=last)
    return last


def _is_one_log(books: Transaction, origin: str, head: LogHead, ours: Row | None = None) -> bool:
    """Say whether the last line that another has is the same as ours of that number.

    `ours` is the log with its last line, where that has been read: mostly it is that one.
    """
    if not head.last:
        return True
    if ours is None or ours["last_lseq"] != head.last:
        ours = books.provenance.line(origin=origin, lseq=head.last)
    return ours is not None and _line_of(origin, head.last, ours).tail() == head.tail


def _complete(books: Transaction, row: Row, head: LogHead) -> None:
    """Take over up to when a log is complete; what is vouched for here says so itself."""
    if row["is_vouched"] == 0 and head.complete_at > row["complete_at"]:
        at = min(head.complete_at, books.now)
        books.provenance.complete(origin=row["origin"], complete_at=at)


def _set_back(books: Transaction, mirror: str, row: Row) -> None:
    """Go on under another origin: our database is older than what a mirror has of our log."""
    books.provenance.be_sure_of_no_mirror()
    if books.provenance.leave_origin(origin=row["origin"]) and row["is_own"]:
        books.provenance.begin_origin(origin=books.names.new("o"))
        evidence = {"origin": row["origin"], "heard_from": mirror, "last_here": row["last_lseq"]}
        why = "Another controller has lines of our log that we do not have: an old backup."
        _raise(books, ProblemKind.MODULE_LOG_SET_BACK, row["origin"], why, evidence)


def _forked(books: Transaction, mirror: str, origin: str, head: LogHead, *, is_ours: bool) -> None:
    """Have an operator look: two lines have one number, and neither may be lost."""
    if is_ours:
        books.provenance.leave_origin(origin=origin)
    evidence = {"origin": origin, "heard_from": mirror, "lseq": head.last, "is_ours": is_ours}
    why = "Two databases have written the same log: one was a copy, or was set back."
    _raise(books, ProblemKind.MODULE_LOG_FORKED, origin, why, evidence)


def _raise(
    books: Transaction, kind: ProblemKind, subject: str, why: str, evidence: Mapping[str, object]
) -> None:
    books.raise_problem(
        Problem(kind=kind, subject=subject, why=why, evidence=evidence, proposals=())
    )


def _line_of(origin: str, lseq: int, row: Row) -> LogLine:
    return LogLine(
        origin=origin,
        lseq=lseq,
        kind=row["kind"],
        module=row["module"],
        client=row["client"],
        version=row["version"],
        digest=row["digest"],
        right=row["right_comm_id"],
        at=row["at"],
        facts=row["facts"],
    )
