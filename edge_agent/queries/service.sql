-- The service information that was made for this terminal.

-- name: profile()^
SELECT gate_digest, body FROM profile;

-- name: profile_digest()$
SELECT gate_digest FROM profile;

-- name: keep_profile(gate_digest, body)!
INSERT OR REPLACE INTO profile (only_row, gate_digest, body) VALUES (1, :gate_digest, :body);
