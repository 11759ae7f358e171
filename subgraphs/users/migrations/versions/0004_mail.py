"""Mail that waits to be sent, tokens that were mailed, registrations that wait to be confirmed, and whose address is proven."""

from alembic import op

revision = "users_0004"
down_revision = "users_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        "ALTER TABLE account ADD COLUMN email_verified_at timestamptz",
        """
        CREATE TABLE registration (
            id text PRIMARY KEY,
            email_key text NOT NULL,
            password_hash text NOT NULL,
            details text NOT NULL,
            created_at timestamptz NOT NULL,
            idempotency_key text,
            idempotency_content bytea
        )
        """,
        """
        CREATE UNIQUE INDEX registration_by_idempotency_key ON registration (idempotency_key)
        WHERE idempotency_key IS NOT NULL
        """,
        "CREATE INDEX registration_by_time ON registration (created_at)",
        """
        CREATE TABLE pending_mail (
            id text PRIMARY KEY,
            kind text NOT NULL,
            recipient text NOT NULL,
            user_id text REFERENCES account (id) ON DELETE CASCADE,
            registration_id text REFERENCES registration (id) ON DELETE CASCADE,
            created_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            attempts integer NOT NULL DEFAULT 0
        )
        """,
        """
        CREATE UNIQUE INDEX pending_mail_once
        ON pending_mail (kind, recipient, COALESCE(user_id, ''), COALESCE(registration_id, ''))
        """,
        "CREATE INDEX pending_mail_by_due ON pending_mail (due_at, id)",
        """
        CREATE TABLE mailed_token (
            token_hash bytea PRIMARY KEY,
            purpose text NOT NULL,
            email text NOT NULL,
            email_key text NOT NULL,
            user_id text REFERENCES account (id) ON DELETE CASCADE,
            registration_id text REFERENCES registration (id) ON DELETE CASCADE,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL
        )
        """,
        "CREATE INDEX mailed_token_by_address ON mailed_token (email_key, purpose, created_at)",
        "CREATE INDEX mailed_token_by_user ON mailed_token (user_id)",
        "CREATE INDEX mailed_token_by_registration ON mailed_token (registration_id)",
        "CREATE INDEX mailed_token_by_expiry ON mailed_token (expires_at)",
    ):
        op.execute(statement)
