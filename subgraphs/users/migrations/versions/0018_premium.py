"""Until when an account has the role PREMIUM."""

from alembic import op

revision = "users_0018"
down_revision = "users_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE account ADD COLUMN premium_until timestamptz")
