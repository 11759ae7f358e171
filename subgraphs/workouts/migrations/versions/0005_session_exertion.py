"""How hard a whole session was, as the person told it."""

from alembic import op

revision = "workouts_0005"
down_revision = "workouts_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workout ADD COLUMN session_rpe numeric(3, 1)")
