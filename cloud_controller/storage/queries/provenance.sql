-- The log of modules: our own lines, numbered without gaps, and copies of other controllers' lines. Written on behalf of every flow.

-- name: next_own()^
-- The number that our next line has; the row is ours until the transaction ends.
UPDATE module_origins SET last_lseq = last_lseq + 1 WHERE is_own = 1 RETURNING origin, last_lseq;

-- name: begin_origin(origin)!
-- A controller names itself when it has something to say; whoever comes second finds it named.
INSERT INTO module_origins (origin, is_own) VALUES (:origin, 1) ON CONFLICT DO NOTHING;

-- name: add(origin, lseq, kind, module, client, version, digest, right_comm_id, at, facts)!
INSERT INTO module_events (origin, lseq, kind, module, client, version, digest, right_comm_id, at, facts)
VALUES (:origin, :lseq, :kind, :module, :client, :version, :digest, :right_comm_id, :at, :facts);
