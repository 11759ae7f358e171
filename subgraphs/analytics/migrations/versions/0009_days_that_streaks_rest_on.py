"""The days on which a person's streaks rest: stretches by their first and last days, in order."""

from alembic import op

revision = "analytics_0009"
down_revision = "analytics_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE streak_protection (
            user_id text PRIMARY KEY,
            firsts date[] NOT NULL,
            lasts date[] NOT NULL,
            reasons text[] NOT NULL,
            version integer NOT NULL
        )
        """
    )
