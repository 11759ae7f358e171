"""Targets hold aims of single nutrients beside energy and macronutrients."""

from alembic import op

revision = "nutrition_0008"
down_revision = "nutrition_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE nutrition_target ADD COLUMN nutrient_aims jsonb NOT NULL DEFAULT '[]'")
