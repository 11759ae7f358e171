"""Which side a set was of, whether an exercise is done one side at a time, and links to its pictures and videos."""

from alembic import op

revision = "workouts_0021"
down_revision = "workouts_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workout_set ADD COLUMN side text")
    op.execute(
        "ALTER TABLE exercise ADD COLUMN one_sided boolean, ADD COLUMN video_url text, ADD COLUMN picture_url text"
    )
