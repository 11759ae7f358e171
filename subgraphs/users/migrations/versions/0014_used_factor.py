"""Whether a sign-in gave a code of the second factor."""

from alembic import op

revision = "users_0014"
down_revision = "users_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE session ADD COLUMN used_factor boolean NOT NULL DEFAULT false")
