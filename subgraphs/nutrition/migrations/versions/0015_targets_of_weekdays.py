"""What a target is on some weekdays in place of what it is on the others."""

from alembic import op

revision = "nutrition_0015"
down_revision = "nutrition_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE nutrition_target ADD COLUMN weekday_targets jsonb NOT NULL DEFAULT '[]'")
