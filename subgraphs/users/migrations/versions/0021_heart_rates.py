"""Heart rates at rest and at most, each from a day on."""

from alembic import op

revision = "users_0021"
down_revision = "users_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE heart_rate (
            id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            kind text NOT NULL,
            beats_per_minute smallint NOT NULL CHECK (beats_per_minute > 0),
            since date NOT NULL,
            notes text,
            version integer NOT NULL DEFAULT 1,
            idempotency_key text,
            idempotency_content bytea
        )
        """,
        "CREATE INDEX heart_rate_by_user ON heart_rate (user_id, since DESC, id DESC)",
        "CREATE UNIQUE INDEX heart_rate_by_day ON heart_rate (user_id, kind, since)",
        """
        CREATE UNIQUE INDEX heart_rate_by_idempotency_key ON heart_rate (user_id, idempotency_key)
        WHERE idempotency_key IS NOT NULL
        """,
    ):
        op.execute(statement)
