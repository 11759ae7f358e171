"""Whether a public template names who published it."""

from alembic import op

revision = "workouts_0018"
down_revision = "workouts_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE public_template ADD COLUMN shows_author boolean NOT NULL DEFAULT true")
