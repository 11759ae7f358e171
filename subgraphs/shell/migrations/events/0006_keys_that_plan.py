"""By which API key a plan was written for a person, where a program wrote it."""

from alembic import op

revision = "events_0006"
down_revision = "events_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE plan_write ADD COLUMN api_key_id text")
