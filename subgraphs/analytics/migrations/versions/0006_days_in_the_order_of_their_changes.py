"""Days in the order in which they changed, for subscribers that go on from a state that they know."""

from alembic import op

revision = "analytics_0006"
down_revision = "analytics_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX daily_summary_by_change ON daily_summary (user_id, computed_at, local_date)")
