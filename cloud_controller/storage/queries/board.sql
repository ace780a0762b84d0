-- What the console shows around each of its pages, and of every device. Nothing is written here.

-- name: stores()
SELECT store_id, title, time_zone, hours, number FROM stores
WHERE store_id NOT IN (SELECT store_id FROM store_peers) ORDER BY number;

-- name: open_problems()
-- How many are open, by the store of their terminal or reservation; of none where they have neither.
SELECT store_id, count(*) AS open_count FROM (
    SELECT coalesce(t.store_id, r.store_id) AS store_id FROM problems AS p
    LEFT JOIN terminals AS t ON t.terminal_id = p.terminal_id
    LEFT JOIN reservations AS r ON r.reservation_id = p.reservation_id
    WHERE p.solved_at IS NULL) AS found
GROUP BY store_id;
