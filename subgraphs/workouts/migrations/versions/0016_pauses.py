"""When a workout was paused and resumed, pause by pause: the last may have no end yet."""

from alembic import op

revision = "workouts_0016"
down_revision = "workouts_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workout ADD COLUMN paused_at timestamptz[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE workout ADD COLUMN resumed_at timestamptz[] NOT NULL DEFAULT '{}'")
