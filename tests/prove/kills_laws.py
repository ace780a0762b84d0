"""What must be true after every kill, each law a query over the evidence that finds what broke it.

Each law comes with damage that it must see: a law that sees nothing is worth nothing.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.rules.sessions import OWED_FROM_SECONDS

SHOWN_MAX: Final = 5
"""Breaches of one law that are told: more say no more."""

ROUNDING_SECONDS: Final = 0.01
"""What the seconds of several rows may be off by together."""

MORE_SECONDS_MAX: Final = 1.0
"""By how much more may be told as delivered than the program ran."""

LESS_SECONDS_MAX: Final = 4.0
"""By how much less: an answer that came late, for three seconds, moves the end that was promised,
and a program runs on while nobody is there to end it."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """A query that finds what broke a promise, and a statement that breaks it."""

    finds: str
    damage: str


_LIMITS: Final = {
    "owed_from": OWED_FROM_SECONDS,
    "rounding": ROUNDING_SECONDS,
    "more_max": MORE_SECONDS_MAX,
    "less_max": LESS_SECONDS_MAX,
}

LAWS: Final[Mapping[str, Law]] = {
    "a ticket ran more than once": Law(
        finds="""SELECT k.ticket FROM ran JOIN kept_sessions AS k USING (terminal, session)
            GROUP BY k.ticket HAVING count(*) > 1""",
        damage="INSERT INTO ran SELECT terminal, session FROM ran LIMIT 1",
    ),
    "a program ran without a session": Law(
        finds="""SELECT session FROM ran WHERE NOT EXISTS (SELECT 1 FROM kept_sessions AS k
            WHERE k.terminal = ran.terminal AND k.session = ran.session)""",
        damage="INSERT INTO ran VALUES ('t-nobody', 's-nobody')",
    ),
    "a program ran and the books do not know it": Law(
        finds="""SELECT session FROM ran WHERE NOT EXISTS (SELECT 1 FROM sessions AS s
            WHERE s.session_id = ran.session AND s.running_at IS NOT NULL)""",
        damage="""UPDATE sessions SET running_at = NULL
            WHERE session_id = (SELECT session_id FROM a_use)""",
    ),
    "the books know of a use that was none": Law(
        finds="""SELECT session_id FROM sessions WHERE delivered_seconds > :owed_from
            AND session_id NOT IN (SELECT session FROM ran)""",
        damage="""DELETE FROM ran WHERE session = (SELECT session_id FROM sessions
            ORDER BY delivered_seconds DESC LIMIT 1)""",
    ),
    "a right was issued and is held by nobody": Law(
        finds="""SELECT comm_id FROM rights WHERE session_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM kept_sessions AS k WHERE k.terminal = rights.party
            AND k.session = rights.session_id)""",
        damage="DELETE FROM kept_sessions WHERE session = (SELECT session_id FROM rights LIMIT 1)",
    ),
    "an exchange made two rights": Law(
        finds="SELECT comm_id FROM rights GROUP BY comm_id HAVING count(*) > 1",
        damage="INSERT INTO rights SELECT * FROM rights LIMIT 1",
    ),
    "an exchange is still open": Law(
        finds="""SELECT party || ' ' || kind FROM exchanges WHERE state IN ('issued', 'refused')
            UNION ALL SELECT terminal || ' ' || kind FROM kept_exchanges
            WHERE state NOT IN ('idle', 'announced')""",
        damage="UPDATE exchanges SET state = 'issued' WHERE rowid = 1",
    ),
    "a session is not over, or nobody has said how it ended": Law(
        finds="""SELECT session_id FROM sessions WHERE state NOT IN ('ended', 'failed')
            OR is_presumed = 1 OR delivered_seconds IS NULL OR is_to_move = 1""",
        damage="""UPDATE sessions SET is_presumed = 1
            WHERE session_id = (SELECT session_id FROM a_use)""",
    ),
    "books and journal tell another end": Law(
        finds="""SELECT s.session_id FROM sessions AS s JOIN kept_sessions AS k
            ON k.session = s.session_id AND k.terminal = s.terminal_id WHERE k.state <> s.state""",
        damage="UPDATE kept_sessions SET state = 'failed' WHERE rowid IN ("
        "SELECT rowid FROM kept_sessions WHERE state = 'ended' LIMIT 1)",
    ),
    "a session began by itself and is not in the books": Law(
        finds="""SELECT session FROM kept_sessions WHERE session NOT IN (
            SELECT session_id FROM sessions)""",
        damage="INSERT INTO kept_sessions VALUES ('t-1', 's-lost', '00', 'ended', 'held')",
    ),
    "a ticket's state is not what became of it": Law(
        finds="""SELECT t.ticket_id FROM tickets AS t JOIN reservations AS r USING (reservation_id)
            WHERE t.state = 'reserved' OR (t.state = 'spent') <> EXISTS (SELECT 1 FROM sessions AS s
                WHERE s.ticket_id = t.ticket_id AND s.running_at IS NOT NULL)""",
        damage="""UPDATE tickets SET state = 'reserved'
            WHERE ticket_id = (SELECT ticket_id FROM a_use)""",
    ),
    "a reservation's state is not what became of it": Law(
        finds="""SELECT r.reservation_id FROM reservations AS r WHERE r.state = 'in_use'
            OR (r.state = 'completed') <> EXISTS (SELECT 1 FROM sessions AS s
                WHERE s.reservation_id = r.reservation_id AND s.state = 'ended')
            OR (r.state IN ('confirmed', 'no_show') AND EXISTS (SELECT 1 FROM sessions AS s
                WHERE s.reservation_id = r.reservation_id))""",
        damage="""UPDATE reservations SET state = 'no_show'
            WHERE reservation_id = (SELECT reservation_id FROM a_use)""",
    ),
    "granted is not delivered and compensated": Law(
        finds="""WITH uses AS (
                SELECT reservation_id, sum(delivered_seconds) AS delivered,
                    (SELECT f.granted_seconds FROM sessions AS f
                        WHERE f.reservation_id = s.reservation_id
                        ORDER BY f.granted_at, f.fence LIMIT 1) AS granted
                FROM sessions AS s GROUP BY reservation_id),
            paid AS (SELECT reservation_id, sum(seconds) AS seconds FROM compensations
                GROUP BY reservation_id)
            SELECT reservation_id || ': ' || granted || ' granted, ' || delivered || ' delivered, '
                || coalesce(seconds, 0) || ' compensated'
            FROM uses LEFT JOIN paid USING (reservation_id)
            WHERE abs(granted - delivered - coalesce(seconds, 0))
                > :owed_from + :rounding""",
        damage="""UPDATE sessions SET granted_seconds = granted_seconds + 2
            WHERE session_id = (SELECT session_id FROM a_use)""",
    ),
    "the cents do not add up": Law(
        finds="""WITH paid AS (SELECT reservation_id, sum(seconds) AS seconds, sum(cents) AS cents
                FROM compensations GROUP BY reservation_id)
            SELECT reservation_id || ': ' || cents || ' cents' FROM paid
            JOIN reservations AS r USING (reservation_id)
            WHERE cents NOT BETWEEN 0 AND r.price_cents
                OR (cents > 0) <> (seconds > 0)
                OR (cents <> r.price_cents AND abs(cents - min(r.price_cents,
                    r.price_cents * seconds * 1000.0
                        / (coalesce(r.booked_ends_at, r.ends_at) - r.starts_at))) > 0.51)
                OR (seconds > 0 AND cents <> r.price_cents AND NOT EXISTS (
                    SELECT 1 FROM sessions AS s WHERE s.reservation_id = paid.reservation_id
                    AND s.delivered_seconds > 0))""",
        damage="INSERT INTO compensations (reservation_id, seconds, cents) "
        "VALUES ((SELECT reservation_id FROM a_use), 0.0, -7)",
    ),
    "delivered is not the time that it ran": Law(
        finds="""WITH uses AS (SELECT *, (ended_at - running_at) / 1000.0 AS ran FROM sessions
                WHERE state = 'ended')
            SELECT session_id || ': ' || delivered_seconds || ' delivered, ' || ran || ' ran'
            FROM uses WHERE delivered_seconds > min(ran, granted_seconds) + :more_max
                OR (delivered_seconds < min(ran, granted_seconds) - :less_max
                    AND end_reason <> 'unknown')""",
        damage="""UPDATE sessions SET delivered_seconds = delivered_seconds + 60
            WHERE session_id = (SELECT session_id FROM a_use)""",
    ),
    "an honest disk is taken for a copy": Law(
        finds="""SELECT party FROM quarantines UNION ALL SELECT subject FROM problems
            WHERE kind = 'identity_copied'""",
        damage="INSERT INTO quarantines (party, epoch, kind) VALUES ('t-1', 'e', 'k')",
    ),
    "an honest start is doubted": Law(
        finds="""SELECT subject || ' ' || why FROM problems WHERE kind = 'offline_start_doubted'""",
        damage="INSERT INTO problems (kind, subject, why) "
        "VALUES ('offline_start_doubted', 's-1', 'why')",
    ),
    "events wait, or are not all applied": Law(
        finds="""SELECT k.terminal || ': ' || k.posted || ' posted, ' || k.waiting || ' wait, '
                || coalesce(m.applied_up_to, 0) || ' applied' FROM kept_marks AS k
            LEFT JOIN inbox_marks AS m ON m.terminal_id = k.terminal AND m.epoch = k.epoch
            WHERE k.waiting > 0 OR k.posted <> coalesce(m.applied_up_to, 0)
            UNION ALL SELECT terminal_id || ' ' || seq FROM inbox
            UNION ALL SELECT terminal_id || ' ' || body FROM ledger WHERE type = 'events.lost'""",
        damage="UPDATE inbox_marks SET applied_up_to = applied_up_to - 1 WHERE rowid = 1",
    ),
    "the ledger tells a thing twice": Law(
        finds="""SELECT session_id || ' ' || type FROM ledger WHERE session_id IS NOT NULL
                AND type NOT IN ('command.state')
            GROUP BY session_id, type,
                CASE WHEN type IN ('session.warned', 'device.told') THEN body END
            HAVING count(*) > 1
            UNION ALL SELECT reservation_id || ' ' || type FROM ledger
            WHERE type IN ('reservation.confirmed', 'reservation.completed',
                'reservation.undelivered', 'reservation.no_show', 'reservation.cancelled')
            GROUP BY reservation_id, type HAVING count(*) > 1""",
        damage="INSERT INTO ledger SELECT * FROM ledger WHERE type = 'session.ended' LIMIT 1",
    ),
    "the ledger is out of order": Law(
        finds="""WITH turns (type, turn) AS (VALUES ('right.issued', 0), ('session.admitted', 0),
                ('session.starting', 1), ('session.running', 2), ('session.ended', 3))
            SELECT a.session_id || ' ' || a.type || ' before ' || b.type FROM ledger AS a
            JOIN turns AS x ON x.type = a.type JOIN ledger AS b ON b.session_id = a.session_id
            JOIN turns AS y ON y.type = b.type
            WHERE a.entry_id < b.entry_id AND x.turn > y.turn""",
        damage="""UPDATE ledger SET entry_id = 0 WHERE entry_id = (SELECT entry_id FROM ledger
            WHERE type = 'session.ended' LIMIT 1)""",
    ),
    "a use is not told in full": Law(
        finds="""SELECT session_id FROM sessions AS s WHERE state = 'ended' AND (SELECT count(*)
            FROM ledger AS l WHERE l.session_id = s.session_id AND l.type IN ('session.running',
            'session.ended')) <> 2""",
        damage="""DELETE FROM ledger WHERE type = 'session.running'
            AND session_id = (SELECT session_id FROM a_use)""",
    ),
}


def breaches(evidence: Path) -> Iterator[str]:
    """Yield a sentence for each law that does not hold, with the first of what broke it."""
    with contextlib.closing(sqlite3.connect(f"file:{evidence}?mode=ro", uri=True)) as looked_at:
        for name, law in LAWS.items():
            found = [str(row[0]) for row in looked_at.execute(law.finds, _LIMITS)]
            if found:
                more = f" and {len(found) - SHOWN_MAX} more" if len(found) > SHOWN_MAX else ""
                yield f"{name}: {'; '.join(found[:SHOWN_MAX])}{more}"


def blind(evidence: Path) -> list[str]:
    """Return the laws that do not see it when what they guard is broken."""
    return [name for name, law in LAWS.items() if not _is_seen(evidence, name, law)]


def _is_seen(evidence: Path, name: str, law: Law) -> bool:
    damaged = evidence.with_name("damaged.db")
    shutil.copyfile(evidence, damaged)
    with contextlib.closing(sqlite3.connect(damaged)) as broken:
        broken.execute(law.damage)
        broken.commit()
    try:
        return any(sentence.startswith(name) for sentence in breaches(damaged))
    finally:
        damaged.unlink()
