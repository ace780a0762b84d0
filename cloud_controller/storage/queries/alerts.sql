-- Whom problems are told to by which rule, and who has been told. Written by the alerts flow.

-- name: rules()
SELECT store_id, mails, escalates_to, language, least, quiet_from_minute, quiet_until_minute,
    is_urgent_loud, wait_seconds, escalate_seconds, uses_webhooks, changed_by, changed_at
FROM alert_rules ORDER BY store_id;

-- name: keep_rule(store_id, mails, escalates_to, language, least, quiet_from_minute, quiet_until_minute, is_urgent_loud, wait_seconds, escalate_seconds, uses_webhooks, changed_by, changed_at)!
INSERT INTO alert_rules (store_id, mails, escalates_to, language, least, quiet_from_minute,
    quiet_until_minute, is_urgent_loud, wait_seconds, escalate_seconds, uses_webhooks, changed_by,
    changed_at)
VALUES (:store_id, :mails, :escalates_to, :language, :least, :quiet_from_minute,
    :quiet_until_minute, :is_urgent_loud, :wait_seconds, :escalate_seconds, :uses_webhooks,
    :changed_by, :changed_at)
ON CONFLICT (store_id) DO UPDATE SET mails = excluded.mails,
    escalates_to = excluded.escalates_to, language = excluded.language, least = excluded.least,
    quiet_from_minute = excluded.quiet_from_minute,
    quiet_until_minute = excluded.quiet_until_minute, is_urgent_loud = excluded.is_urgent_loud,
    wait_seconds = excluded.wait_seconds, escalate_seconds = excluded.escalate_seconds,
    uses_webhooks = excluded.uses_webhooks, changed_by = excluded.changed_by,
    changed_at = excluded.changed_at;

-- name: forget_rule(store_id)!
DELETE FROM alert_rules WHERE store_id = :store_id;

-- name: open(most)
-- What may have to be told: the oldest first, so that a flood of new ones holds up none.
SELECT p.problem_id, p.kind, p.subject, p.store_id, s.title AS store_title, s.time_zone,
    p.raised_at, p.taken_at, p.solved_at
FROM problems AS p LEFT JOIN stores AS s USING (store_id)
WHERE p.solved_at IS NULL ORDER BY p.raised_at, p.problem_id LIMIT :most;

-- name: solved(since, most)
-- What is over, and somebody who was told of it does not know.
SELECT p.problem_id, p.kind, p.subject, p.store_id, s.title AS store_title, s.time_zone,
    p.raised_at, p.taken_at, p.solved_at
FROM problems AS p LEFT JOIN stores AS s USING (store_id)
WHERE p.solved_at > :since AND EXISTS (SELECT 1 FROM alerts AS a
    WHERE a.problem_id = p.problem_id AND a.step <> 'solved' AND NOT EXISTS (
        SELECT 1 FROM alerts AS b WHERE b.problem_id = a.problem_id AND b.step = 'solved'
            AND b.recipient = a.recipient))
ORDER BY p.solved_at, p.problem_id LIMIT :most;

-- name: told(problem_id)
SELECT step, recipient, made_at FROM alerts WHERE problem_id = :problem_id
ORDER BY made_at, step, recipient;

-- name: tell(problem_id, step, recipient, made_at)!
INSERT INTO alerts (problem_id, step, recipient, made_at)
VALUES (:problem_id, :step, :recipient, :made_at) ON CONFLICT DO NOTHING;

-- name: zone()$
-- By whose clock it is quiet where a problem is no store's.
SELECT time_zone FROM stores ORDER BY number LIMIT 1;
