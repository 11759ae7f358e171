"""Passkeys, the challenges that they sign, and which sign-ins were made with one."""

from alembic import op

revision = "users_0015"
down_revision = "users_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE passkey (
            id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            name text NOT NULL,
            credential_id bytea NOT NULL UNIQUE,
            credential bytea NOT NULL,
            sign_count bigint NOT NULL,
            is_synced boolean NOT NULL,
            version integer NOT NULL,
            created_at timestamptz NOT NULL,
            last_used_at timestamptz,
            blocked_at timestamptz
        )
        """,
        "CREATE INDEX passkey_by_user ON passkey (user_id, created_at DESC, id DESC)",
        """
        CREATE TABLE passkey_challenge (
            id text PRIMARY KEY,
            challenge bytea NOT NULL,
            user_id text REFERENCES account (id) ON DELETE CASCADE,
            expires_at timestamptz NOT NULL
        )
        """,
        "CREATE INDEX passkey_challenge_by_user ON passkey_challenge (user_id)",
        "CREATE INDEX passkey_challenge_by_expiry ON passkey_challenge (expires_at)",
        "ALTER TABLE session ADD COLUMN passkey_id text",
    ):
        op.execute(statement)
