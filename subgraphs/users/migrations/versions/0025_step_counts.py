"""What each source counted of the steps of a person's day."""

from alembic import op

revision = "users_0025"
down_revision = "users_0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE step_count (
            id text PRIMARY KEY,
            user_id text NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            local_date date NOT NULL,
            source text NOT NULL,
            steps integer NOT NULL CHECK (steps >= 0),
            counted_at timestamptz NOT NULL,
            version integer NOT NULL DEFAULT 1
        )
        """,
        "CREATE INDEX step_count_by_user ON step_count (user_id, local_date DESC, id DESC)",
        "CREATE UNIQUE INDEX step_count_by_source ON step_count (user_id, local_date, source)",
    ):
        op.execute(statement)
