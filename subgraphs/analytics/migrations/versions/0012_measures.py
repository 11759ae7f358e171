"""What goals follow that is measured now and then, and what a goal follows of it.

Estimated maxima of workouts of before are there after `fittracker events rebuild analytics-service`: what was told of them says it.
"""

from alembic import op

revision = "analytics_0012"
down_revision = "analytics_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        """
        CREATE TABLE measure_fact (
            entry_id text NOT NULL,
            measure text NOT NULL,
            user_id text NOT NULL,
            local_date date NOT NULL,
            recorded_at timestamptz NOT NULL,
            value numeric NOT NULL,
            PRIMARY KEY (entry_id, measure)
        )
        """,
        "CREATE INDEX measure_fact_by_day ON measure_fact (user_id, measure, local_date)",
        "ALTER TABLE goal ADD COLUMN measure text",
    ):
        op.execute(statement)
