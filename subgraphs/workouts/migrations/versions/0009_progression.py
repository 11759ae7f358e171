"""Plans by percentage and by exertion, and templates that are changed."""

from alembic import op

revision = "workouts_0009"
down_revision = "workouts_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        ALTER TABLE template_exercise ADD COLUMN percent numeric(5, 2), ADD COLUMN training_max_kg numeric(7, 2),
            ADD COLUMN formula text, ADD COLUMN target_rpe numeric(3, 1), ADD COLUMN step_kg numeric(6, 2)
        """,
        """
        ALTER TABLE workout_exercise ADD COLUMN planned_percent numeric(5, 2), ADD COLUMN planned_max_kg numeric(7, 2),
            ADD COLUMN planned_rpe numeric(3, 1)
        """,
        # With defaults, for processes of the release before write neither.
        """
        ALTER TABLE workout_template ADD COLUMN planned_at timestamptz NOT NULL DEFAULT now(),
            ADD COLUMN version integer NOT NULL DEFAULT 1
        """,
        "UPDATE workout_template SET planned_at = created_at",
    ):
        op.execute(statement)
