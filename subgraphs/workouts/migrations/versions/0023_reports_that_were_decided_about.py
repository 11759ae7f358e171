"""Reports outlive the decision about them, and whose account is young hides nothing by them."""

from alembic import op

revision = "workouts_0023"
down_revision = "workouts_0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE template_report ADD COLUMN decided_at timestamptz")
    # Of whoever is known already it stays null until users tells of them again: they registered before this.
    op.execute("ALTER TABLE person ADD COLUMN registered_at timestamptz")
