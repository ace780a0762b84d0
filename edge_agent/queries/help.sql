-- Queries of the journal about helpers, calls to them and their lines. Written by the help flow.

-- name: there()^
SELECT number, helpers FROM help_there;

-- name: keep_there(number, helpers)!
-- The newest list is the whole of it; an older one changes nothing.
INSERT INTO help_there (only_row, number, helpers) VALUES (1, :number, :helpers)
ON CONFLICT (only_row) DO UPDATE SET number = excluded.number, helpers = excluded.helpers
WHERE help_there.number < excluded.number;

-- name: forget_there()!
DELETE FROM help_there;

-- name: call_of(call)^
SELECT call, device, session, helper, name, state, why, place, heard, is_left FROM help_calls
WHERE call = :call;

-- name: live_call_on(device)^
SELECT call, session, state FROM help_calls WHERE device = :device AND state <> 'ended';

-- name: add_call(call, device, session, helper, name, touched_boot_seconds, boot_id)!
INSERT INTO help_calls (call, device, session, helper, name, state, touched_boot_seconds, boot_id)
VALUES (:call, :device, :session, :helper, :name, 'waiting', :touched_boot_seconds, :boot_id);

-- name: calls()
-- Those that are over first: a live one of the same device comes after them, and stands for it.
SELECT call, device, session, name, state, why, place, is_left, touched_boot_seconds, boot_id,
    EXISTS (SELECT 1 FROM outbox WHERE type = 'help.chosen'
        AND json_extract(body, '$.call') = call) AS is_untold
FROM help_calls ORDER BY state <> 'ended', touched_boot_seconds;

-- name: move_call(call, before, state, why)!
UPDATE help_calls SET state = :state, why = :why WHERE call = :call AND state = :before;

-- name: note_place(call, place)!
UPDATE help_calls SET place = :place WHERE call = :call;

-- name: leave_call(call)!
UPDATE help_calls SET is_left = 1 WHERE call = :call;

-- name: adopt_call(call, session)!
UPDATE help_calls SET session = :session WHERE call = :call AND session IS NULL;

-- name: touch_call(call, touched_boot_seconds, boot_id)!
UPDATE help_calls SET touched_boot_seconds = :touched_boot_seconds, boot_id = :boot_id
WHERE call = :call;

-- name: note_heard(call, heard)!
UPDATE help_calls SET heard = :heard WHERE call = :call;

-- name: forget_call(call)!
DELETE FROM help_calls WHERE call = :call;

-- name: forget_lines(call)!
DELETE FROM help_lines WHERE call = :call;

-- name: forget_calls()!
DELETE FROM help_calls;

-- name: forget_all_lines()!
DELETE FROM help_lines;

-- name: lines_of(call)
-- As the controller has put them in order; what it has not, comes after.
SELECT number, own, by, text, EXISTS (SELECT 1 FROM outbox WHERE type = 'help.line'
    AND json_extract(body, '$.call') = call AND json_extract(body, '$.number') = own) AS is_untold
FROM help_lines WHERE call = :call ORDER BY number IS NULL, number, own;

-- name: last_own_line(call)$
SELECT coalesce(max(own), 0) FROM help_lines WHERE call = :call;

-- name: line_count(call)$
SELECT count(*) FROM help_lines WHERE call = :call;

-- name: add_own_line(call, own, text)!
INSERT INTO help_lines (call, own, by, text) VALUES (:call, :own, 'customer', :text);

-- name: place_own_line(call, own, number)!
UPDATE help_lines SET number = :number WHERE call = :call AND own = :own AND number IS NULL;

-- name: add_line(call, number, by, text)!
INSERT INTO help_lines (call, number, by, text) VALUES (:call, :number, :by, :text)
ON CONFLICT (call, number) DO NOTHING;

-- name: has_to_tell_heard(call, number, state)$
-- Whether this is being told already.
SELECT EXISTS (SELECT 1 FROM outbox WHERE type = 'help.heard'
    AND json_extract(body, '$.call') = :call AND json_extract(body, '$.number') >= :number
    AND json_extract(body, '$.state') = :state);
