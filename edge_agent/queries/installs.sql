-- Queries of the journal about versions of packages on their way onto this PC. Written by the modules flow.

-- name: install(package, sha256)^
SELECT package, sha256, kind, version, target, length, document, signature, state, tries,
    release_counter, signed, digest, failure, detail, changed_at
FROM installs WHERE package = :package AND sha256 = :sha256;

-- name: installs()
SELECT package, sha256, kind, version, target, length, document, signature, state, tries,
    release_counter, signed, digest, failure, detail, changed_at
FROM installs ORDER BY changed_at, package, sha256;

-- name: installs_of(package)
SELECT package, sha256, kind, version, target, length, document, signature, state, tries,
    release_counter, signed, digest, failure, detail, changed_at
FROM installs WHERE package = :package ORDER BY changed_at, sha256;

-- name: add_install(package, sha256, kind, version, target, length, document, signature, changed_at)!
INSERT INTO installs (package, sha256, kind, version, target, length, document, signature, state,
    changed_at)
VALUES (:package, :sha256, :kind, :version, :target, :length, :document, :signature, 'reserved',
    :changed_at)
ON CONFLICT (package, sha256) DO NOTHING;

-- name: keep_install_right(package, sha256, document, signature)!
-- A later right for the same archive takes the place of the one before.
UPDATE installs SET document = :document, signature = :signature
WHERE package = :package AND sha256 = :sha256;

-- name: count_install_try(package, sha256)!
UPDATE installs SET tries = tries + 1 WHERE package = :package AND sha256 = :sha256;

-- name: forgive_install(package, sha256)!
UPDATE installs SET tries = 0, failure = '', detail = '', signed = ''
WHERE package = :package AND sha256 = :sha256;

-- name: move_install(package, sha256, before, state, changed_at)!
UPDATE installs SET state = :state, changed_at = :changed_at
WHERE package = :package AND sha256 = :sha256 AND state = :before;

-- name: keep_install_signed(package, sha256, release_counter, signed)!
UPDATE installs SET release_counter = :release_counter, signed = :signed
WHERE package = :package AND sha256 = :sha256;

-- name: keep_install_digest(package, sha256, digest)!
UPDATE installs SET digest = :digest WHERE package = :package AND sha256 = :sha256;

-- name: keep_install_why(package, sha256, failure, detail)!
UPDATE installs SET failure = :failure, detail = :detail
WHERE package = :package AND sha256 = :sha256;

-- name: highest_release(package)$
-- Of all that was ever in use and did not have to be rolled back.
SELECT coalesce(max(release_counter), 0) FROM installs
WHERE package = :package AND digest <> '' AND state <> 'rolled_back';
