"""Which tables of nutrition clients keep a copy of. A table that is in none of the three lists fails a test."""

from subgraphs.shell.synced_tables import SyncedTable, SyncedTables

SYNCED = SyncedTables(
    tables=(
        SyncedTable(table="meal", kind="meal"),
        SyncedTable(table="water", kind="drink"),
        # The catalogue is nobody's, and too large to be copied: it has no owner.
        SyncedTable(table="food", kind="food", owner="created_by", gone="deleted_at IS NOT NULL"),
        SyncedTable(table="favourite_food", kind="food", entity="food_id", keeps_entity=True),
        # Of one's own food it tells who sees it; that others have reported it is told once it hides the food.
        SyncedTable(table="published_food", kind="food", entity="food_id", keeps_entity=True, only_with_version=True),
        SyncedTable(table="saved_meal", kind="saved_meal"),
        SyncedTable(table="meal_plan", kind="meal_plan"),
        SyncedTable(table="planned_meal", kind="planned_meal"),
        SyncedTable(table="custom_slot_list", kind="custom_slots", entity="user_id"),
        SyncedTable(table="fast", kind="fast"),
        SyncedTable(table="nutrition_target", kind="target", entity="user_id || ':' || effective_from"),
    ),
    parts={"meal_item": "meal", "food_portion": "food", "recipe_version": "food"},
    not_synced={
        "recent_food": "counted from meals",
        "dietary_preference": "one row about health, asked of the server and in no copy",
        "food_report": "for administrators",
        "deleted_entry": "what can be undone, asked of the server",
        "training_entry": "copied from workouts",
        "person": "copied from users",
        "search_entry": "the index of words",
        "search_word": "the index of words",
    },
)
