"""Who wrote a plan of meals, a planned day or a target last, if that was somebody else by a grant."""

from alembic import op

revision = "nutrition_0013"
down_revision = "nutrition_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("meal_plan", "planned_meal", "nutrition_target"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN author_id text")
        op.execute(f"CREATE INDEX {table}_by_author ON {table} (author_id) WHERE author_id IS NOT NULL")
