"""Who wrote a template last, if that was somebody else by a grant."""

from alembic import op

revision = "workouts_0011"
down_revision = "workouts_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workout_template ADD COLUMN author_id text")
    op.execute("CREATE INDEX workout_template_by_author ON workout_template (author_id) WHERE author_id IS NOT NULL")
