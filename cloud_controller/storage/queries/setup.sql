-- What a store is set up as, version by version, and how far its first hour is. Written on behalf of every flow.

-- name: latest(kind, subject)^
SELECT number, document, actor FROM setup_versions
WHERE kind = :kind AND subject = :subject ORDER BY number DESC LIMIT 1;

-- name: keep(kind, subject, number, document, at, actor, reason)!
INSERT INTO setup_versions (kind, subject, number, document, at, actor, reason)
VALUES (:kind, :subject, :number, :document, :at, :actor, :reason);

-- name: forget(kind, subject, up_to)!
DELETE FROM setup_versions WHERE kind = :kind AND subject = :subject AND number <= :up_to;

-- name: version(kind, subject, number)^
SELECT number, document, at, actor, reason FROM setup_versions
WHERE kind = :kind AND subject = :subject AND number = :number;

-- name: versions(kind, subject)
-- All there are of a document, the latest first.
SELECT number, document, at, actor, reason FROM setup_versions
WHERE kind = :kind AND subject = :subject ORDER BY number DESC;

-- name: has_spoken(kind, subject)$
-- Whether anybody but the settings file has said what this is.
SELECT EXISTS (SELECT 1 FROM setup_versions WHERE kind = :kind AND subject = :subject
    AND actor <> 'settings' AND actor <> '');

-- name: first_hour(store_id)^
-- What its guide goes by: counts, none of them of more than there are devices or terminals.
SELECT s.store_id, s.hours,
    (SELECT count(*) FROM terminals AS t WHERE t.store_id = s.store_id
        AND t.standing NOT IN ('rejected', 'retired')) AS enrolled,
    (SELECT count(*) FROM terminals AS t WHERE t.store_id = s.store_id
        AND t.standing = 'confirmed') AS confirmed,
    (SELECT count(*) FROM devices AS v JOIN terminals AS t USING (terminal_id)
        WHERE v.store_id = s.store_id AND t.standing = 'confirmed') AS devices,
    (SELECT count(*) FROM offerings AS o WHERE o.store_id = s.store_id AND EXISTS (
        SELECT 1 FROM offered_devices AS d WHERE d.offering_id = o.offering_id)) AS offerings,
    (SELECT count(*) FROM offerings AS o WHERE o.store_id = s.store_id AND (o.price_cents > 0
        OR o.told_by = 'operator' OR EXISTS (SELECT 1 FROM prices AS p
            WHERE p.offering_id = o.offering_id))) AS priced,
    (SELECT count(*) FROM offered_devices AS d JOIN devices AS v USING (device_id)
        JOIN terminals AS t USING (terminal_id) WHERE v.store_id = s.store_id AND d.state = 'on'
        AND t.standing = 'confirmed' AND t.presence <> 'gone' AND v.is_out_of_order = 0) AS on_offer,
    (SELECT count(*) FROM (SELECT 1 FROM reservations AS r WHERE r.store_id = s.store_id
        AND r.state IN ('confirmed', 'in_use', 'completed') LIMIT 1) AS sold) AS sold
FROM stores AS s WHERE s.store_id = :store_id;

-- name: waiting_terminals(store_id)
-- Terminals of a store that nobody has decided on, the oldest first.
SELECT terminal_id, hostname, standing FROM terminals
WHERE store_id = :store_id AND standing IN ('claimed', 'pending')
ORDER BY enrolled_at, terminal_id;

-- name: devices(store_id)
-- A store's devices of terminals that are not sent away, each with what it serves.
SELECT v.device_id, v.number, v.title, v.place, v.program, v.is_out_of_order, t.terminal_id,
    t.hostname, t.standing, t.presence, d.state, d.reason, o.offering_id, o.title AS offering_title
FROM devices AS v JOIN terminals AS t USING (terminal_id)
LEFT JOIN offered_devices AS d USING (device_id) LEFT JOIN offerings AS o USING (offering_id)
WHERE v.store_id = :store_id AND t.standing NOT IN ('rejected', 'retired') ORDER BY v.number;

-- name: device(device_id)^
SELECT device_id, store_id, number, title, place, program FROM devices WHERE device_id = :device_id;

-- name: offering(offering_id)^
SELECT o.offering_id, o.store_id, o.key, o.title, o.currency, o.told_by, p.body AS prices
FROM offerings AS o LEFT JOIN prices AS p USING (offering_id) WHERE o.offering_id = :offering_id;

-- name: has_terminals(store_id)$
SELECT EXISTS (SELECT 1 FROM terminals WHERE store_id = :store_id)
    OR EXISTS (SELECT 1 FROM reservations WHERE store_id = :store_id);

-- name: shut_out(store_id)$
-- Claims that were sold for times that are closed now, and that an operator is called to.
SELECT count(*) FROM problems AS p JOIN reservations AS r USING (reservation_id)
WHERE p.kind = 'reservation_shut_out' AND p.solved_at IS NULL AND r.store_id = :store_id;

-- name: is_named(program)$
SELECT EXISTS (SELECT 1 FROM devices WHERE program = :program);

-- name: offerings(store_id)
-- What is registered in a store with its prices, and how many of its devices can be had now.
SELECT o.offering_id, o.key, o.title, o.price_cents, o.currency, o.lengths_seconds,
    o.turnover_seconds, o.told_by, p.body AS prices,
    (SELECT count(*) FROM offered_devices AS d WHERE d.offering_id = o.offering_id) AS devices,
    (SELECT count(*) FROM offered_devices AS d WHERE d.offering_id = o.offering_id
        AND d.state = 'on') AS on_offer
FROM offerings AS o LEFT JOIN prices AS p USING (offering_id)
WHERE o.store_id = :store_id ORDER BY o.title, o.offering_id;

-- name: helpers(store_id)
SELECT h.helper_id, h.name, h.state FROM helpers AS h JOIN helper_stores AS p USING (helper_id)
WHERE p.store_id = :store_id AND h.removed_at IS NULL ORDER BY h.name, h.helper_id;
