"""The rest after a set: when it began and when it ends; and how long a person rests where nothing is planned."""

from alembic import op

revision = "workouts_0008"
down_revision = "workouts_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        ALTER TABLE workout
            ADD COLUMN rest_started_at timestamptz,
            ADD COLUMN rest_ends_at timestamptz,
            ADD COLUMN rest_place_id text,
            ADD COLUMN rest_version integer NOT NULL DEFAULT 0
        """,
        "CREATE TABLE default_rest (user_id text PRIMARY KEY, seconds integer NOT NULL)",
    ):
        op.execute(statement)
