"""What a target is on days of training, and which days those are by what workouts tells."""

from alembic import op

revision = "nutrition_0017"
down_revision = "nutrition_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        "ALTER TABLE nutrition_target ADD COLUMN training_target jsonb",
        """
        CREATE TABLE training_entry (
            id text PRIMARY KEY,
            user_id text NOT NULL,
            local_date date NOT NULL,
            kept_at timestamptz NOT NULL DEFAULT now()
        )
        """,
        "CREATE INDEX training_entry_by_day ON training_entry (user_id, local_date)",
        "CREATE INDEX training_entry_by_time ON training_entry (kept_at)",
    ):
        op.execute(statement)
