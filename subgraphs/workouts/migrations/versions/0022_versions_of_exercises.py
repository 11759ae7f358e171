"""How often an exercise was changed."""

from alembic import op

revision = "workouts_0022"
down_revision = "workouts_0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE exercise ADD COLUMN version integer NOT NULL DEFAULT 1")
