"""Who wrote a goal last, if that was somebody else by a grant."""

from alembic import op

revision = "analytics_0007"
down_revision = "analytics_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE goal ADD COLUMN author_id text")
    op.execute("CREATE INDEX goal_by_author ON goal (author_id) WHERE author_id IS NOT NULL")
