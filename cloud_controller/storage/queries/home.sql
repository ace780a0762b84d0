-- What Home Assistant is shown: devices and switches as they stand. Nothing is written here.

-- name: devices(store_id, most)
-- Each device with its session; of every store where none is named.
SELECT v.device_id, v.number, v.title, v.is_out_of_order, t.presence, e.title AS store,
    s.state AS session_state, s.deadline_at
FROM devices AS v JOIN terminals AS t USING (terminal_id) JOIN stores AS e ON e.store_id = v.store_id
LEFT JOIN sessions AS s ON s.device_id = v.device_id
    AND s.state IN ('granted', 'starting', 'running', 'ending')
WHERE t.standing <> 'retired' AND (:store_id = '' OR v.store_id = :store_id)
ORDER BY v.device_id LIMIT :most;

-- name: switches(store_id, most)
-- Each switch; those of the controller belong to no store.
SELECT w.owner, w.switch, w.title, w.wanted, w.standing, e.title AS store
FROM switches AS w LEFT JOIN terminals AS t ON t.terminal_id = w.terminal_id
LEFT JOIN stores AS e ON e.store_id = t.store_id
WHERE w.standing <> 'gone' AND (:store_id = '' OR t.store_id IS NULL OR t.store_id = :store_id)
ORDER BY w.owner, w.switch LIMIT :most;
