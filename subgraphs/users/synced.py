"""Which tables of users clients keep a copy of. A table that is in none of the three lists fails a test."""

from subgraphs.shell.synced_tables import SyncedTable, SyncedTables

SYNCED = SyncedTables(
    tables=(
        SyncedTable(table="account", kind="user", owner="id", only_with_version=True),
        SyncedTable(table="weight_entry", kind="weight"),
        SyncedTable(table="measurement", kind="measurement"),
        SyncedTable(table="heart_rate", kind="heartRate"),
        SyncedTable(table="step_count", kind="stepCount"),
        SyncedTable(table="reminder", kind="reminder"),
        SyncedTable(table="notification_preference", kind="preferences", entity="user_id"),
    ),
    parts={},
    not_synced={
        "consent": "of the account itself, asked of the server",
        "session": "of the account's safety, asked of the server",
        "refresh_token": "a secret's hash",
        "recovery_code": "a secret's hash",
        "mailed_token": "a secret's hash",
        "api_key": "of the account's safety, asked of the server",
        "passkey": "of the account's safety, asked of the server",
        "passkey_challenge": "of a sign-in that is under way",
        "webhook_endpoint": "of programs, asked of the server",
        "webhook_delivery": "a queue",
        "registration": "of nobody who is signed in",
        "pending_mail": "a queue",
        "pending_push": "a queue",
        "audit_entry": "administrators'",
        "grant_invitation": "rights are asked of the server",
        "notification": "a list with a live field that resumes where it was left",
        "logged_entry": "copied from other subgraphs, for reminders",
        "plan_ahead": "copied from workouts, for reminders",
        "report_due": "a queue",
        "push_subscription": "of one browser",
    },
)
