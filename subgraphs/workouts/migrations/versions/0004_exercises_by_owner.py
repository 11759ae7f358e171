"""A person's own exercises are counted by an index of their own."""

from alembic import op

revision = "workouts_0004"
down_revision = "workouts_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX exercise_by_owner ON exercise (created_by) WHERE created_by IS NOT NULL")
