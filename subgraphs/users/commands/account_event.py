"""The account's after-image, appended to the outbox by every command that changes one."""

from datetime import datetime

from events.contracts.users import AccountState
from events.outbox import NewEvent
from subgraphs.shell.telemetry import current_traceparent
from subgraphs.users.queries.account import AccountRecord


def account_event(kind: type[AccountState], account: AccountRecord, at: datetime) -> NewEvent:
    """The event of this kind that shows the account as it is now."""
    payload = kind(
        email=account.email,
        display_name=account.display_name,
        status=account.status,
        roles=tuple(account.roles),
        time_zone=account.time_zone,
        day_start_hour=account.day_start_hour,
        week_start=account.week_start,
        units=account.units,
        date_of_birth=account.date_of_birth,
        sex=account.sex,
        height_cm=account.height_cm,
        activity_level=account.activity_level,
        fitness_goal=account.fitness_goal,
        target_weight_kg=account.target_weight_kg,
        registered_at=account.created_at,
    )
    return NewEvent(
        payload=payload,
        aggregate_id=account.id,
        version=account.version,
        user_id=account.id,
        occurred_at=at,
        time_zone=account.time_zone,
        traceparent=current_traceparent(),
    )
