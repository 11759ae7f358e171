"""What of a person's account, weighings, measurements, heart rates, steps and reminders changed, for clients that keep a copy."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from subgraphs.shell.changes import Changes, SyncedType, changes_field, owned
from subgraphs.shell.context import Info
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.users.api.heart_rate import HeartRateEntry, heart_rate_node
from subgraphs.users.api.measurement import Measurement, measurement_node
from subgraphs.users.api.notification_preference import NotificationPreferences, preferences_node
from subgraphs.users.api.reminder import Reminder, reminder_node
from subgraphs.users.api.step_count import StepCount, step_count_node
from subgraphs.users.api.weight import WeightEntry, weight_node
from subgraphs.users.loaders import loaders_of

if TYPE_CHECKING:
    from subgraphs.users.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.users.api.user")]
AccountEntity = Annotated[
    LazyUser | WeightEntry | Measurement | HeartRateEntry | StepCount | Reminder | NotificationPreferences,
    strawberry.union(
        "AccountEntity",
        description="What a person has in users: the account with settings and profile, weighings, measurements, heart"
        " rates, counts of steps, reminders and what to be notified of.",
    ),
]


async def _user(info: Info, user_id: str, _: str) -> Any:
    from subgraphs.users.api.user import user_node

    record = await loaders_of(info).account_by_id.load(user_id)
    return None if record is None else user_node(record)


async def _preferences(info: Info, user_id: str, _: str) -> NotificationPreferences | None:
    record = await loaders_of(info).preferences_by_user.load(user_id)
    return None if record is None else preferences_node(user_id, record)


#: By the kinds of `synced.py`; the account's own type is made after this module.
SYNCED_TYPES: dict[str, SyncedType] = {
    "user": SyncedType("User", _user),
    "weight": owned("WeightEntry", lambda info: loaders_of(info).weight_by_id, weight_node),
    "measurement": owned("Measurement", lambda info: loaders_of(info).measurement_by_id, measurement_node),
    "heartRate": owned("HeartRateEntry", lambda info: loaders_of(info).heart_rate_by_id, heart_rate_node),
    "stepCount": owned("StepCount", lambda info: loaders_of(info).step_count_by_id, step_count_node),
    "reminder": owned("Reminder", lambda info: loaders_of(info).reminder_by_id, reminder_node),
    "preferences": SyncedType("NotificationPreferences", _preferences),
}


@strawberry.type
class ChangesOfUser:
    """A field of User."""

    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)
    account_changes: Changes[AccountEntity] = changes_field(
        "User.accountChanges",
        "What of the person's account, weighings, measurements, heart rates, counts of steps and reminders",
        SYNCED_TYPES,
        lambda info: loaders_of(info).changes_by_user,
    )
