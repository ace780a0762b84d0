-- What is on offer and wished, rights that are asked for, and the receipts of those that came. Written by the modules and rights flows.

-- name: keep_offer(document, signature, taken_at)!
INSERT OR REPLACE INTO modules_offer (only_row, document, signature, taken_at)
VALUES (1, :document, :signature, :taken_at);

-- name: modules_offer()^
SELECT document, signature, taken_at FROM modules_offer;

-- name: keep_module_wish(module, number, wish)!
-- A word that was heard before changes nothing.
INSERT INTO module_wishes (module, number, wish) VALUES (:module, :number, :wish)
ON CONFLICT (module) DO UPDATE SET number = excluded.number, wish = excluded.wish
WHERE module_wishes.number < excluded.number;

-- name: module_wishes()
SELECT module, number, wish FROM module_wishes ORDER BY module;

-- name: module_wishes_heard()$
SELECT coalesce(max(number), 0) FROM module_wishes;

-- name: forget_modules_offer()!
DELETE FROM modules_offer;

-- name: forget_module_wishes()!
DELETE FROM module_wishes;

-- name: forget_module_requests()!
DELETE FROM module_requests;
