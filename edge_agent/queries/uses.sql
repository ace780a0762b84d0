-- Which use of a module was told of which day. Written by the modules flow.

-- name: note_use_of_module(module, digest, day)!
-- Once a day for what lies here; another copy of it is another use.
INSERT INTO module_uses (module, digest, day) VALUES (:module, :digest, :day)
ON CONFLICT (module, digest) DO UPDATE SET day = excluded.day
WHERE module_uses.day < excluded.day;
