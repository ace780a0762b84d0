-- Exchanges of rights of every kind, what was received, and what time the controller said it is.

-- name: exchange(kind)^
SELECT kind, seq, nonce, state, request, request_digest, asked_boot_seconds, asked_boot_id, answer,
    answer_digest, done_seq, done_nonce, done_digest
FROM exchanges WHERE kind = :kind;

-- name: exchanges()
SELECT kind, seq, nonce, state, request, request_digest, asked_boot_seconds, asked_boot_id, answer,
    answer_digest, done_seq, done_nonce, done_digest
FROM exchanges ORDER BY kind;

-- name: in_a_state(first, second)$
SELECT EXISTS (SELECT 1 FROM exchanges WHERE state IN (:first, :second));

-- name: is_owed_an_answer()$
SELECT EXISTS (SELECT 1 FROM exchanges WHERE state IN
    ('announcing', 'requesting', 'completing', 'presenting', 'aborting', 'contesting'));

-- name: keep_exchange(kind, before, seq, nonce, state, request, request_digest, answer, answer_digest, done_seq, done_nonce, done_digest)^
INSERT INTO exchanges (kind, seq, nonce, state, request, request_digest, answer, answer_digest,
    done_seq, done_nonce, done_digest)
VALUES (:kind, :seq, :nonce, :state, :request, :request_digest, :answer, :answer_digest,
    :done_seq, :done_nonce, :done_digest)
ON CONFLICT (kind) DO UPDATE SET seq = excluded.seq, nonce = excluded.nonce,
    state = excluded.state, request = excluded.request, request_digest = excluded.request_digest,
    answer = excluded.answer, answer_digest = excluded.answer_digest, done_seq = excluded.done_seq,
    done_nonce = excluded.done_nonce, done_digest = excluded.done_digest
WHERE exchanges.state = :before
RETURNING kind, seq, nonce, state, request, request_digest, answer, answer_digest,
    done_seq, done_nonce, done_digest;

-- name: note_asked(kind, boot_seconds, boot_id)!
UPDATE exchanges SET asked_boot_seconds = :boot_seconds, asked_boot_id = :boot_id
WHERE kind = :kind;

-- name: quarantine_all(state)!
UPDATE exchanges SET state = :state WHERE state <> 'contesting';

-- name: keep_right(kind, comm_id, document, signature, stored_at)!
INSERT OR REPLACE INTO held_rights (kind, comm_id, document, signature, stored_at)
VALUES (:kind, :comm_id, :document, :signature, :stored_at);

-- name: right(kind)$
SELECT document FROM held_rights WHERE kind = :kind;

-- name: forget_rights()!
DELETE FROM held_rights;

-- name: keep_time(server_at, boot_seconds, boot_id)!
INSERT OR REPLACE INTO controller_clock (only_row, server_at, boot_seconds, boot_id, floor_at)
VALUES (1, :server_at, :boot_seconds, :boot_id, :server_at);

-- name: raise_floor(floor_at)!
UPDATE controller_clock SET floor_at = :floor_at WHERE floor_at < :floor_at;

-- name: controller_time()^
SELECT server_at, boot_seconds, boot_id, floor_at FROM controller_clock;
