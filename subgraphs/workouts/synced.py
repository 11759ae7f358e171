"""Which tables of workouts clients keep a copy of. A table that is in none of the three lists fails a test."""

from subgraphs.shell.synced_tables import SyncedTable, SyncedTables

SYNCED = SyncedTables(
    tables=(
        SyncedTable(table="workout", kind="workout"),
        SyncedTable(table="workout_set", kind="set", only_deletions=True),  # a set is told with its workout
        SyncedTable(table="workout_template", kind="template"),
        SyncedTable(table="routine", kind="routine"),
        SyncedTable(table="gear", kind="gear"),
        SyncedTable(table="planned_workout", kind="planned_workout"),
        # The catalogue is nobody's, and too large to be copied: it has no owner.
        SyncedTable(table="exercise", kind="exercise", owner="created_by"),
        SyncedTable(table="default_rest", kind="user", entity="user_id", keeps_entity=True),
        SyncedTable(table="plate_inventory", kind="user", entity="user_id", keeps_entity=True),
    ),
    parts={
        "workout_exercise": "workout",
        "workout_track": "workout",
        "track_best": "workout",
        "workout_series": "workout",
        "template_exercise": "workout_template",
    },
    not_synced={
        "public_template": "everybody's to see, and too many to be copied; the template tells that it is published",
        "template_report": "for administrators",
        "exercise_best": "computed from sets",
        "personal_record": "computed from sets",
        "person": "copied from users",
        "person_weight": "copied from users",
        "search_entry": "the index of words",
        "search_word": "the index of words",
    },
)
