"""Which tables of analytics clients keep a copy of. A table that is in none of the three lists fails a test."""

from subgraphs.shell.synced_tables import SyncedTable, SyncedTables

SYNCED = SyncedTables(
    tables=(SyncedTable(table="goal", kind="goal"),),
    parts={},
    not_synced={
        "meal_fact": "copied from nutrition",
        "meal_food_fact": "copied from nutrition",
        "water_fact": "copied from nutrition",
        "workout_fact": "copied from workouts",
        "weight_fact": "copied from users",
        "step_fact": "copied from users",
        "measure_fact": "copied from users and workouts",
        "person": "copied from users",
        "erased_user": "of nobody who is left",
        "daily_summary": "computed from what is synchronised, with a live field of its own",
        "weight_trend": "computed from weighings",
        "streak_run": "computed from meals",
        "streak_protection": "one row that may tell of an illness, asked of the server and in no copy",
        "food_count": "counted from meals",
        "timeline_entry": "an order of what is synchronised",
        "achievement": "at most one of each kind, with a live field of their own",
    },
)
