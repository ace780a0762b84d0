-- Tickets that this terminal alone may redeem, and those that are dead.

-- name: revision()$
SELECT revision FROM desired;

-- name: keep_revision(revision, revoked_until)!
INSERT OR REPLACE INTO desired (only_row, revision, revoked_until)
VALUES (1, :revision, :revoked_until);

-- name: revoked_until()$
SELECT revoked_until FROM desired;

-- name: forget_revoked()!
DELETE FROM revoked_tickets;

-- name: add_revoked(ticket, revision, dies_at)!
INSERT OR REPLACE INTO revoked_tickets (ticket, revision, dies_at)
VALUES (:ticket, :revision, :dies_at);

-- name: dead_revision(ticket)$
SELECT revision FROM revoked_tickets WHERE ticket = :ticket;

-- name: held_ticket(ticket)^
SELECT ticket, device, token_digest, opens_at, ends_at, right_id, is_released
FROM held_tickets WHERE ticket = :ticket;

-- name: held_and_unused()
SELECT ticket, right_id, ends_at FROM held_tickets AS h WHERE NOT is_released AND NOT EXISTS (
    SELECT 1 FROM sessions AS s WHERE s.ticket = h.ticket AND s.state <> 'failed')
ORDER BY opens_at;

-- name: hold_ticket(ticket, device, token_digest, opens_at, ends_at, right_id)!
-- What was given back by this right stays given back, whichever of the two came first.
INSERT INTO held_tickets (ticket, device, token_digest, opens_at, ends_at, right_id)
VALUES (:ticket, :device, :token_digest, :opens_at, :ends_at, :right_id)
ON CONFLICT (ticket) DO UPDATE SET device = excluded.device, token_digest = excluded.token_digest,
    opens_at = excluded.opens_at, ends_at = excluded.ends_at, right_id = excluded.right_id,
    is_released = 0
WHERE NOT held_tickets.is_released OR held_tickets.right_id <> excluded.right_id;

-- name: release_ticket(ticket, right_id, ends_at)!
-- Also one that is not known: the right to hold it may still be on its way.
INSERT INTO held_tickets (ticket, device, token_digest, opens_at, ends_at, right_id, is_released)
VALUES (:ticket, '', '', 0, :ends_at, :right_id, 1)
ON CONFLICT (ticket) DO UPDATE SET right_id = excluded.right_id, is_released = 1;

-- name: forget_held(device)!
DELETE FROM held_tickets WHERE device = :device AND NOT is_released;

-- name: forget_all_held()!
DELETE FROM held_tickets;

-- name: forget_over(before)!
DELETE FROM held_tickets WHERE ends_at < :before;
