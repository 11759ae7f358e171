"""What the users subgraph tells: accounts, ended sessions, grants of access, body weights, measurements and steps."""

from datetime import date, datetime
from decimal import Decimal

from events import topics
from events.envelope import Payload


class AccountState(Payload, frozen=True, kw_only=True):
    """A whole account after a change. Aggregate `user`, id = user id."""

    topic = topics.USERS_ACCOUNT.name
    aggregate_type = "user"

    email: str
    display_name: str
    status: str = "ACTIVE"
    roles: tuple[str, ...] = ()
    time_zone: str = "UTC"
    day_start_hour: int = 0
    week_start: str = "MONDAY"
    units: str = "METRIC"
    date_of_birth: date | None = None
    sex: str | None = None
    height_cm: Decimal | None = None
    activity_level: str | None = None
    fitness_goal: str | None = None
    target_weight_kg: Decimal | None = None
    registered_at: datetime | None = None


class UserRegistered(AccountState, frozen=True, kw_only=True):
    """Version 1 of every account."""


class ProfileChanged(AccountState, frozen=True, kw_only=True):
    """Name, birth date, sex, height, activity or goal changed."""


class SettingsChanged(AccountState, frozen=True, kw_only=True):
    """Time zone, day start, week start or units changed. Old local dates stay."""


class StatusChanged(AccountState, frozen=True, kw_only=True):
    """Suspended, reactivated, or roles changed."""


class UserErased(Payload, frozen=True, kw_only=True):
    """The person asked to be forgotten: drop everything held about `user_id`."""

    topic = topics.USERS_ACCOUNT.name
    aggregate_type = "user"
    tombstone = True


class WeightState(Payload, frozen=True, kw_only=True):
    """One weighing. Aggregate `weight_entry`, id = entry id."""

    topic = topics.USERS_BODY.name
    aggregate_type = "weight_entry"

    entry_id: str
    weight_kg: Decimal
    recorded_at: datetime
    local_date: date
    body_fat_percent: Decimal | None = None
    muscle_mass_kg: Decimal | None = None


class WeightLogged(WeightState, frozen=True, kw_only=True):
    """Version 1 of a weighing."""


class WeightEdited(WeightState, frozen=True, kw_only=True):
    """A weighing was corrected, or moved to another day."""


class WeightDeleted(Payload, frozen=True, kw_only=True):
    """A weighing was taken back."""

    topic = topics.USERS_BODY.name
    aggregate_type = "weight_entry"
    tombstone = True

    entry_id: str
    local_date: date


class MeasurementLogged(Payload, frozen=True, kw_only=True):
    """One measurement with a tape; `kind` says of what. Aggregate `measurement`, id = entry id, version 1: it is never changed."""

    topic = topics.USERS_BODY.name
    aggregate_type = "measurement"

    entry_id: str
    kind: str
    value_cm: Decimal
    recorded_at: datetime
    local_date: date


class MeasurementDeleted(Payload, frozen=True, kw_only=True):
    """A measurement was taken back. Version 2."""

    topic = topics.USERS_BODY.name
    aggregate_type = "measurement"
    tombstone = True

    entry_id: str
    local_date: date


class StepsCounted(Payload, frozen=True, kw_only=True):
    """The total of a day's steps so far, as one source counted it. Aggregate `step_count`, id = entry id."""

    topic = topics.USERS_BODY.name
    aggregate_type = "step_count"

    entry_id: str
    local_date: date
    source: str
    steps: int
    counted_at: datetime


class StepsDeleted(Payload, frozen=True, kw_only=True):
    """What a source counted of a day was taken back."""

    topic = topics.USERS_BODY.name
    aggregate_type = "step_count"
    tombstone = True

    entry_id: str
    local_date: date


class SessionEnded(Payload, frozen=True, kw_only=True):
    """A sign-in ended before its time; its access tokens are to be refused. Aggregate `session`, version 1."""

    topic = topics.USERS_SESSION.name
    aggregate_type = "session"

    ended_at: datetime


class AccessGranted(Payload, frozen=True, kw_only=True):
    """A person lets another read something of theirs, and plan some of it, until a moment. Aggregate `access_grant`.

    Version 1; its state never changes, but that in version 2 `plans` is empty where planning ended before reading.
    """

    topic = topics.USERS_GRANT.name
    aggregate_type = "access_grant"

    reader_id: str
    relation: str
    areas: tuple[str, ...]
    granted_at: datetime
    expires_at: datetime
    plans: tuple[str, ...] = ()


class AccessEnded(Payload, frozen=True, kw_only=True):
    """A grant was taken back, given up, or has expired long ago. The last version, 3."""

    topic = topics.USERS_GRANT.name
    aggregate_type = "access_grant"
    tombstone = True
