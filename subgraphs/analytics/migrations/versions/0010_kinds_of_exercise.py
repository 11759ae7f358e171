"""How many exercises of each kind a workout had.

Workouts of until now have none until they change, and all of them after `fittracker events rebuild analytics-service`: what was told
of them says it.
"""

from alembic import op

revision = "analytics_0010"
down_revision = "analytics_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE workout_fact ADD COLUMN exercise_kinds jsonb NOT NULL DEFAULT '{}'")
