"""Fasts: from when to when a person ate nothing, one running at a time."""

from alembic import op

revision = "nutrition_0009"
down_revision = "nutrition_0008"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE fast (
        id text PRIMARY KEY,
        user_id text NOT NULL,
        started_at timestamptz NOT NULL,
        ended_at timestamptz CHECK (ended_at > started_at),
        target_minutes integer,
        version integer NOT NULL DEFAULT 1,
        idempotency_key text,
        idempotency_content bytea
    )
    """,
    "CREATE INDEX fast_by_user ON fast (user_id, started_at DESC, id DESC)",
    "CREATE UNIQUE INDEX fast_running ON fast (user_id) WHERE ended_at IS NULL",
    "CREATE UNIQUE INDEX fast_by_key ON fast (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
