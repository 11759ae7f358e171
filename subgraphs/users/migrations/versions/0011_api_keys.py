"""API keys, as hashes, with what each may do."""

from alembic import op

revision = "users_0011"
down_revision = "users_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE api_key (
            id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            name text NOT NULL,
            scopes text[] NOT NULL,
            key_hash bytea NOT NULL,
            hint text NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            last_used_on date
        )
        """,
        "CREATE UNIQUE INDEX api_key_by_hash ON api_key (key_hash)",
        "CREATE INDEX api_key_by_user ON api_key (user_id, created_at DESC, id DESC)",
    ):
        op.execute(statement)
