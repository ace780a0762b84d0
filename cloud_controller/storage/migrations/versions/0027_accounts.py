"""Operators, what each may do where, how they prove who they are, and programs' tokens."""

from __future__ import annotations

from typing import Final

from cloud_controller.storage.migrations.dialect import run

revision = "0027"
down_revision = "0026"

_TABLES: Final = """
CREATE TABLE operators (
    operator_id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL DEFAULT '',
    totp_secret TEXT NOT NULL DEFAULT '',
    totp_step BIGINT NOT NULL DEFAULT 0,
    link_digest TEXT UNIQUE,
    link_until BIGINT NOT NULL DEFAULT 0,
    made_at BIGINT NOT NULL,
    ready_at BIGINT,
    removed_at BIGINT
);
CREATE TABLE operator_roles (
    operator_id TEXT NOT NULL REFERENCES operators,
    store_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'staff', 'viewer')),
    PRIMARY KEY (operator_id, store_id)
);
CREATE TABLE operator_sessions (
    session_id TEXT PRIMARY KEY,
    key_digest TEXT NOT NULL UNIQUE,
    operator_id TEXT NOT NULL REFERENCES operators,
    state TEXT NOT NULL CHECK (state IN ('half', 'whole', 'ended')),
    peer TEXT NOT NULL,
    browser TEXT NOT NULL,
    challenge TEXT NOT NULL DEFAULT '',
    made_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    proved_at BIGINT NOT NULL
);
CREATE INDEX operator_sessions_by_operator ON operator_sessions (operator_id, state);
CREATE TABLE passkeys (
    passkey_id TEXT PRIMARY KEY,
    operator_id TEXT NOT NULL REFERENCES operators,
    credential TEXT NOT NULL UNIQUE,
    public_key TEXT NOT NULL,
    signs BIGINT NOT NULL,
    title TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX passkeys_by_operator ON passkeys (operator_id);
CREATE TABLE recovery_codes (
    code_digest TEXT PRIMARY KEY,
    operator_id TEXT NOT NULL REFERENCES operators,
    used_at BIGINT
);
CREATE INDEX recovery_codes_by_operator ON recovery_codes (operator_id);
CREATE TABLE sign_in_failures (
    subject TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    failed_at BIGINT NOT NULL,
    closed_until BIGINT NOT NULL
);
CREATE INDEX sign_in_failures_by_age ON sign_in_failures (failed_at);
CREATE TABLE api_tokens (
    token_id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    used_at BIGINT,
    ended_at BIGINT
);
CREATE TABLE api_token_scopes (
    token_id TEXT NOT NULL REFERENCES api_tokens,
    store_id TEXT NOT NULL,
    permission TEXT NOT NULL CHECK (permission IN ('look', 'serve', 'set_up', 'own')),
    PRIMARY KEY (token_id, store_id, permission)
);
CREATE INDEX audit_by_age ON audit (at, entry_id);
"""

_NONE: Final = """
DROP INDEX audit_by_age;
DROP TABLE api_token_scopes;
DROP TABLE api_tokens;
DROP TABLE sign_in_failures;
DROP TABLE recovery_codes;
DROP TABLE passkeys;
DROP TABLE operator_sessions;
DROP TABLE operator_roles;
DROP TABLE operators;
"""


def upgrade() -> None:
    """Keep who runs the stores, and let nobody be one yet."""
    run(_TABLES)


def downgrade() -> None:
    """Forget them: only the controller's own token opens anything then."""
    run(_NONE)
