-- What came in and must count once, what goes out and must arrive, what happened and who decided it. Written on behalf of every flow.

-- name: keep(recipient, body, made_at)$
INSERT INTO outbox (recipient, body, made_at) VALUES (:recipient, :body, :made_at)
RETURNING outbox_id;

-- name: unsent(most)
SELECT outbox_id, recipient, body FROM outbox ORDER BY outbox_id LIMIT :most;

-- name: sent(outbox_id)!
DELETE FROM outbox WHERE outbox_id = :outbox_id;

-- name: mark(terminal_id, epoch)$
SELECT applied_up_to FROM inbox_marks WHERE terminal_id = :terminal_id AND epoch = :epoch;

-- name: raise_mark(terminal_id, epoch, applied_up_to)!
INSERT INTO inbox_marks (terminal_id, epoch, applied_up_to)
VALUES (:terminal_id, :epoch, :applied_up_to)
ON CONFLICT (terminal_id, epoch) DO UPDATE SET applied_up_to = excluded.applied_up_to;

-- name: receive(terminal_id, epoch, seq, type, body, received_at)!
-- Received again, an event stays as it is; one that is set aside takes the place of what it was.
INSERT INTO inbox (terminal_id, epoch, seq, type, body, received_at)
VALUES (:terminal_id, :epoch, :seq, :type, :body, :received_at)
ON CONFLICT (terminal_id, epoch, seq) DO UPDATE SET type = excluded.type, body = excluded.body
WHERE excluded.type = 'event.set_aside';

-- name: waiting_count(terminal_id, epoch)$
SELECT count(*) FROM inbox WHERE terminal_id = :terminal_id AND epoch = :epoch;

-- name: received(terminal_id, epoch, seq)^
SELECT type, body FROM inbox WHERE terminal_id = :terminal_id AND epoch = :epoch AND seq = :seq;

-- name: applied(terminal_id, epoch, seq)!
DELETE FROM inbox WHERE terminal_id = :terminal_id AND epoch = :epoch AND seq <= :seq;

-- name: enter(at, type, terminal_id, reservation_id, session_id, body)!
-- One line of the ledger: what happened, to whose reservation, in which session.
INSERT INTO ledger (at, type, terminal_id, reservation_id, session_id, body)
VALUES (:at, :type, :terminal_id, :reservation_id, :session_id, :body);

-- name: ledger_of(reservation_id)
SELECT entry_id, at, type, terminal_id, session_id, body FROM ledger
WHERE reservation_id = :reservation_id ORDER BY entry_id;

-- name: audit(at, actor, act, subject, reason)!
-- One privileged act: who did what to whom or what, and why.
INSERT INTO audit (at, actor, act, subject, reason)
VALUES (:at, :actor, :act, :subject, :reason);

-- name: acts_since(subject, act, since, most)$
-- How often this was done to one terminal lately, counted up to `most`.
SELECT count(*) FROM (SELECT at FROM audit WHERE subject = :subject AND act = :act
    ORDER BY entry_id DESC LIMIT :most) AS latest WHERE at > :since;

-- name: audit_of(subject, most)
-- What was done to one terminal, the latest first.
SELECT at, actor, act, reason FROM audit WHERE subject = :subject
ORDER BY entry_id DESC LIMIT :most;
