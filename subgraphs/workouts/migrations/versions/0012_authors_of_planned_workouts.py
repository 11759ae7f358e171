"""Who wrote a routine or a planned workout last, if that was somebody else by a grant."""

from alembic import op

revision = "workouts_0012"
down_revision = "workouts_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("routine", "planned_workout"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN author_id text")
        op.execute(f"CREATE INDEX {table}_by_author ON {table} (author_id) WHERE author_id IS NOT NULL")
