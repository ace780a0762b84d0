-- What a watcher counts. Nothing is written here.

-- name: devices()
-- What a device is: gone with its terminal, out of order, or what was told of it last, if anything was.
SELECT store_id, state, count(*) AS number FROM (
    SELECT v.store_id, CASE
        WHEN t.presence <> 'here' THEN 'offline'
        WHEN v.is_out_of_order = 1 THEN 'out_of_order'
        WHEN v.state <> '' THEN v.state
        WHEN s.session_id IS NOT NULL THEN 'in_use' ELSE 'available' END AS state
    FROM devices AS v JOIN terminals AS t USING (terminal_id)
    LEFT JOIN sessions AS s ON s.device_id = v.device_id
        AND s.state IN ('granted', 'starting', 'running', 'ending')
    WHERE t.standing <> 'retired') AS seen
GROUP BY store_id, state ORDER BY store_id, state;

-- name: terminals()
SELECT store_id, standing, presence, count(*) AS number FROM terminals
GROUP BY store_id, standing, presence ORDER BY store_id, standing, presence;

-- name: problems()
SELECT coalesce(store_id, '') AS store_id, kind, count(*) AS number FROM problems
WHERE solved_at IS NULL GROUP BY coalesce(store_id, ''), kind ORDER BY store_id, kind;

-- name: waiting()^
-- What has not gone out yet: to terminals, in letters, to webhooks.
SELECT (SELECT count(*) FROM outbox) AS outbox, (SELECT min(made_at) FROM outbox) AS oldest_at,
    (SELECT count(*) FROM letters WHERE state = 'queued') AS letters,
    (SELECT count(*) FROM hook_deliveries WHERE state = 'waiting') AS webhooks,
    (SELECT count(*) FROM hook_endpoints WHERE removed_at IS NULL AND failing_since IS NOT NULL)
        AS endpoints_failing;
