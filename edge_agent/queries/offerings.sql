-- Which pictures of its offerings this terminal has told.

-- name: has_told_picture(sha256)$
SELECT EXISTS (SELECT 1 FROM pictures_told WHERE sha256 = :sha256);

-- name: note_picture_told(sha256)!
INSERT INTO pictures_told (sha256) VALUES (:sha256);

-- name: forget_pictures_told(kept)!
-- What is offered no more is told again if it ever comes back: the controller may have forgotten it.
DELETE FROM pictures_told WHERE sha256 NOT IN (SELECT value FROM json_each(:kept));
