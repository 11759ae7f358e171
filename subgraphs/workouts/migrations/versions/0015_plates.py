"""The bar and the plates that a person has."""

from alembic import op

revision = "workouts_0015"
down_revision = "workouts_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE plate_inventory (
            user_id text PRIMARY KEY,
            unit text NOT NULL,
            bar numeric(5, 2) NOT NULL,
            plates jsonb NOT NULL
        )
        """
    )
