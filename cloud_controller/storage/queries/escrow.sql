-- Seats from our root: the exchanges that we begin, and the use that they follow.

-- name: own_exchange(epoch, kind)^
SELECT epoch, kind, seq, nonce, state, request, request_digest, answer, answer_digest, done_seq,
    done_nonce, done_digest, moved_at, refused_at
FROM own_exchanges WHERE epoch = :epoch AND kind = :kind;

-- name: own_exchanges(epoch)
SELECT epoch, kind, seq, nonce, state, request, request_digest, answer, answer_digest, done_seq,
    done_nonce, done_digest
FROM own_exchanges WHERE epoch = :epoch ORDER BY kind;

-- name: has_own_exchange(kind)$
SELECT EXISTS (SELECT 1 FROM own_exchanges WHERE kind = :kind);

-- name: keep_own_exchange(epoch, kind, before, seq, nonce, state, request, request_digest, answer, answer_digest, done_seq, done_nonce, done_digest)!
INSERT INTO own_exchanges (epoch, kind, seq, nonce, state, request, request_digest, answer,
    answer_digest, done_seq, done_nonce, done_digest)
VALUES (:epoch, :kind, :seq, :nonce, :state, :request, :request_digest, :answer,
    :answer_digest, :done_seq, :done_nonce, :done_digest)
ON CONFLICT (epoch, kind) DO UPDATE SET seq = excluded.seq, nonce = excluded.nonce,
    state = excluded.state, request = excluded.request, request_digest = excluded.request_digest,
    answer = excluded.answer, answer_digest = excluded.answer_digest,
    done_seq = excluded.done_seq, done_nonce = excluded.done_nonce,
    done_digest = excluded.done_digest
WHERE own_exchanges.state = :before;

-- name: note_moved(epoch, kind, moved_at)!
UPDATE own_exchanges SET moved_at = :moved_at, refused_at = 0 WHERE epoch = :epoch AND kind = :kind;

-- name: note_refused(epoch, kind, refused_at)!
UPDATE own_exchanges SET refused_at = :refused_at WHERE epoch = :epoch AND kind = :kind;

-- name: refused_by_root(kind)$
-- When our root last had no seat left; nought: not since it gave some; nothing: we have no root.
SELECT max(refused_at) FROM own_exchanges WHERE kind = :kind;

-- name: seats_taken(module_kind, run_from, run_to, since)$
-- Seats given out since then; a renewal frees the lease before in the same instant, and is none.
SELECT coalesce(sum(r.amount), 0) FROM rights AS r
WHERE (r.kind = :module_kind OR (r.kind >= :run_from AND r.kind < :run_to))
    AND r.issued_at >= :since AND NOT EXISTS (
        SELECT 1 FROM rights AS b
        WHERE b.party = r.party AND b.kind = r.kind AND b.freed_at = r.issued_at);

-- name: seats_freed(module_kind, run_from, run_to, issued_since, since)$
-- Seats that have come free since then and are not in use again by the same.
SELECT count(DISTINCT r.party || ' ' || r.kind) FROM rights AS r
WHERE (r.kind = :module_kind OR (r.kind >= :run_from AND r.kind < :run_to))
    AND r.issued_at >= :issued_since AND r.freed_at >= :since AND NOT EXISTS (
        SELECT 1 FROM rights AS h
        WHERE h.party = r.party AND h.kind = r.kind AND h.freed_at IS NULL);

-- name: quarantine_own(epoch, state)!
UPDATE own_exchanges SET state = :state WHERE epoch = :epoch;
