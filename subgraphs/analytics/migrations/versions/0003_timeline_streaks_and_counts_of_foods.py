"""The timeline, runs of days and weeks that kept a habit, and how often a person logged a food, each read by the row.

Days are there to make the runs of, and items to count. Facts do not say at which moment something was: the timeline has what is
logged or changed from here on, and all of it after `fittracker events rebuild analytics-service`.
"""

from alembic import op

revision = "analytics_0003"
down_revision = "analytics_0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE timeline_entry (
        entry_id text PRIMARY KEY,
        user_id text NOT NULL,
        kind text NOT NULL,
        at timestamptz NOT NULL,
        local_date date NOT NULL
    )
    """,
    "CREATE INDEX timeline_entry_by_user ON timeline_entry (user_id, at DESC, entry_id DESC)",
    """
    CREATE TABLE streak_run (
        user_id text NOT NULL,
        habit text NOT NULL,
        first date NOT NULL,
        last date NOT NULL,
        length integer NOT NULL,
        PRIMARY KEY (user_id, habit, last)
    )
    """,
    "CREATE INDEX streak_run_by_length ON streak_run (user_id, habit, length)",
    """
    CREATE TABLE food_count (
        user_id text NOT NULL,
        food_id text NOT NULL,
        items integer NOT NULL,
        PRIMARY KEY (user_id, food_id)
    )
    """,
    "INSERT INTO food_count SELECT user_id, food_id, sum(items) FROM meal_food_fact GROUP BY user_id, food_id",
)
# Days or weeks in a row have the same date less their number times the step: each such group is a run.
_RUNS = """
    INSERT INTO streak_run
    SELECT user_id, '{habit}', min(unit), max(unit), count(*)
    FROM (SELECT user_id, unit, unit - {step} * row_number() OVER (PARTITION BY user_id ORDER BY unit)::integer AS island
          FROM ({kept}) AS kept) AS numbered
    GROUP BY user_id, island
"""
_DAYS = "SELECT user_id, local_date AS unit FROM daily_summary WHERE meals_logged > 0"
# A week that begins on this day of ISO's week, 1 being Monday.
_WEEKS = """
    SELECT user_id, local_date - (extract(isodow FROM local_date)::integer - {begins} + 7) % 7 AS unit
    FROM daily_summary WHERE workouts_completed > 0 GROUP BY 1, 2 HAVING sum(workouts_completed) >= 3
"""


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    op.execute(_RUNS.format(habit="MEALS", step=1, kept=_DAYS))
    for week_start, begins in (("MONDAY", 1), ("SATURDAY", 6), ("SUNDAY", 7)):
        op.execute(_RUNS.format(habit=f"WORKOUTS_{week_start}", step=7, kept=_WEEKS.format(begins=begins)))
