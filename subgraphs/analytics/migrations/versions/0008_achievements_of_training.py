"""What achievements of volume, weekends, hours, New Year's day, comebacks and records are judged by.

Facts of until now do not say at which hour a workout began, nor what was a record: those achievements count what is logged or
changed from here on. The others are judged here for the people of until now, without being announced.
"""

from alembic import op

revision = "analytics_0008"
down_revision = "analytics_0007"
branch_labels = None
depends_on = None

# As they were when this revision was written: later kinds come with revisions of their own.
_SESSIONS = """
    SELECT user_id, local_date, volume_kg, lag(local_date) OVER (PARTITION BY user_id ORDER BY local_date) AS earlier
    FROM workout_fact WHERE status = 'COMPLETED'
"""
_NEEDED = (
    (
        "volume_kg",
        {
            "VOLUME_5000_KG": 5_000,
            "VOLUME_25000_KG": 25_000,
            "VOLUME_100000_KG": 100_000,
            "VOLUME_500000_KG": 500_000,
            "VOLUME_1000000_KG": 1_000_000,
            "VOLUME_5000000_KG": 5_000_000,
            "VOLUME_10000000_KG": 10_000_000,
        },
    ),
    ("(extract(isodow FROM local_date) >= 6)::integer", {"WEEKEND_WORKOUTS_25": 25}),
    ("(extract(doy FROM local_date) = 1)::integer", {"NEW_YEARS_DAY": 1}),
    ("(local_date - earlier >= 30)::integer", {"COMEBACK": 1}),
)
_JUDGE = """
    INSERT INTO achievement SELECT user_id, told.kind, min(local_date), now()
    FROM (SELECT user_id, local_date, sum({amount}) OVER (PARTITION BY user_id ORDER BY local_date) AS total
          FROM ({sessions}) AS session) AS counted
    JOIN (VALUES {kinds}) AS told (kind, needed) ON counted.total >= told.needed
    GROUP BY user_id, told.kind ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    op.execute(
        "ALTER TABLE workout_fact ADD COLUMN started_hour smallint, ADD COLUMN records smallint NOT NULL DEFAULT 0"
    )
    # Adding up a person's workouts reads the index alone.
    op.execute("DROP INDEX workout_fact_by_day")
    op.execute(
        "CREATE INDEX workout_fact_by_day ON workout_fact (user_id, local_date)"
        " INCLUDE (status, volume_kg, started_hour, records)"
    )
    for amount, needed in _NEEDED:
        kinds = ", ".join(f"('{kind}', {least})" for kind, least in needed.items())
        op.execute(_JUDGE.format(amount=amount, sessions=_SESSIONS, kinds=kinds))
