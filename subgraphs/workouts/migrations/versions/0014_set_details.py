"""The tempo of a set, and the person's words about it."""

from alembic import op

revision = "workouts_0014"
down_revision = "workouts_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workout_set ADD COLUMN tempo text, ADD COLUMN notes text")
