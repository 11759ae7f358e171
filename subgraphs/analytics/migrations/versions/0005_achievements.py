"""What people have achieved, with the day on which the facts of until now reached it.

A process of the release before judges nothing; who has an event of this release is judged with it.
"""

from alembic import op

revision = "analytics_0005"
down_revision = "analytics_0004"
branch_labels = None
depends_on = None

# As they were when this revision was written: later kinds come with revisions of their own.
_DAYS_IN_A_ROW = {"FIRST_MEAL": 1, "MEALS_7_DAYS": 7, "MEALS_30_DAYS": 30, "MEALS_100_DAYS": 100, "MEALS_365_DAYS": 365}
_WORKOUTS = {"FIRST_WORKOUT": 1, "WORKOUTS_10": 10, "WORKOUTS_50": 50, "WORKOUTS_100": 100}


_OF_RUNS = """
    INSERT INTO achievement SELECT user_id, '{kind}', min(first) + {needed} - 1, now() FROM streak_run
    WHERE habit = 'MEALS' AND length >= {needed} GROUP BY user_id
"""
_OF_WORKOUTS = """
    INSERT INTO achievement SELECT user_id, '{kind}', local_date, now()
    FROM (SELECT user_id, local_date, row_number() OVER (PARTITION BY user_id ORDER BY local_date) AS number
          FROM workout_fact WHERE status = 'COMPLETED') AS counted
    WHERE number = {needed}
"""


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE achievement (
            user_id text NOT NULL,
            kind text NOT NULL,
            reached_on date,
            unlocked_at timestamptz NOT NULL,
            PRIMARY KEY (user_id, kind)
        )
        """
    )
    for statement, kinds in ((_OF_RUNS, _DAYS_IN_A_ROW), (_OF_WORKOUTS, _WORKOUTS)):
        for kind, needed in kinds.items():
            op.execute(statement.format(kind=kind, needed=needed))
    op.execute(
        "INSERT INTO achievement SELECT user_id, 'FIRST_GOAL_REACHED', min(reached_on), now() FROM goal"
        " WHERE reached_on IS NOT NULL GROUP BY user_id"
    )
