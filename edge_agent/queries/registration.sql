-- Where this terminal stands, what it is, and what it has told of troubles.

-- name: registration()^
SELECT standing, gate_digest, reason, revision FROM registration;

-- name: keep_registration(standing, gate_digest, reason, revision)!
INSERT OR REPLACE INTO registration (only_row, standing, gate_digest, reason, revision)
VALUES (1, :standing, :gate_digest, :reason, :revision);

-- name: doubt(reason)!
-- What was told no longer counts, and what is older counts still less.
UPDATE registration SET standing = 'doubted', reason = :reason;

-- name: gate()^
-- What opens the gate: the word we were told, and what this PC is.
SELECT told.standing, told.gate_digest, own.gate_digest AS own_digest
FROM inventory AS own LEFT JOIN registration AS told USING (only_row);

-- name: remembered()^
SELECT body, missing_since FROM inventory;

-- name: own_gate_digest()$
SELECT gate_digest FROM inventory;

-- name: remember(gate_digest, body, missing_since)!
INSERT OR REPLACE INTO inventory (only_row, gate_digest, body, missing_since)
VALUES (1, :gate_digest, :body, :missing_since);

-- name: holds_sessions()$
-- Whether a session runs, something of one or of a ticket has still to be told, or tickets are coming.
SELECT EXISTS (SELECT 1 FROM sessions WHERE state IN ('starting', 'running', 'ending'))
    OR EXISTS (SELECT 1 FROM outbox WHERE type GLOB 'session.*' OR type GLOB 'command.*'
        OR type GLOB 'ticket.*')
    OR EXISTS (SELECT 1 FROM exchanges WHERE kind GLOB 'offline:*'
        AND state IN ('requesting', 'completing', 'presenting'));

-- name: note_problem(kind, about)!
INSERT INTO problems (kind, about) VALUES (:kind, :about) ON CONFLICT DO NOTHING;

-- name: forget_problems(kept)!
DELETE FROM problems WHERE told <= (SELECT max(told) FROM problems) - :kept;

-- name: problems_waiting()$
SELECT count(*) FROM outbox WHERE type = 'problem.told';
