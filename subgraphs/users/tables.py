"""The users database as SQLModel sees it: migrations are compared with it, rows are written through it."""

from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from subgraphs.shell.idempotency import key_index

metadata = MetaData()


class UsersTable(SQLModel):
    """Gives the tables of this subgraph their own metadata."""

    metadata = metadata
    #: Nobody validates a row, and each start would make a validator for each table.
    model_config = {"defer_build": True}


def _instant(*, nullable: bool = False) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable)


class AccountRow(UsersTable, table=True):
    """A person: what signs in, what is shown, and the profile. `email_key` is the address as it is compared."""

    __tablename__ = "account"
    __table_args__ = (
        Index(
            "account_by_idempotency_key",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    email: str
    email_key: str = Field(unique=True)
    password_hash: str
    display_name: str
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    status: str = "ACTIVE"
    time_zone: str = "UTC"
    day_start_hour: int = 0
    week_start: str = "MONDAY"
    units: str = "METRIC"
    language: str | None = None
    theme: str = "SYSTEM"
    date_format: str = "BY_LANGUAGE"
    invitable_by_email: bool = Field(
        default=True, sa_column=Column(Boolean, nullable=False, server_default=text("true"))
    )
    erase_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    date_of_birth: date | None = None
    sex: str | None = None
    height_cm: Decimal | None = Field(default=None, sa_column=Column(Numeric(5, 2)))
    activity_level: str | None = None
    fitness_goal: str | None = None
    target_weight_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(5, 2)))
    version: int = 1
    created_at: datetime = Field(sa_column=_instant())
    last_login_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    email_verified_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    totp_secret: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    totp_confirmed_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    totp_last_step: int | None = Field(default=None, sa_column=Column(BigInteger))
    premium_until: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class ConsentRow(UsersTable, table=True):
    """A decision about one purpose; `is_current` where it is the last about it."""

    __tablename__ = "consent"

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    purpose: str
    is_given: bool
    version: str | None = None
    decided_at: datetime = Field(sa_column=_instant())
    way: str
    is_current: bool


class SessionRow(UsersTable, table=True):
    """A sign-in, and all tokens that come from it."""

    __tablename__ = "session"

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    device_name: str | None = None
    used_factor: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    passkey_id: str | None = None
    created_at: datetime = Field(sa_column=_instant())
    last_used_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    expires_at: datetime = Field(sa_column=_instant())
    revoked_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class RefreshTokenRow(UsersTable, table=True):
    """A refresh token, as a hash. One that was used and comes again later was stolen: its session ends."""

    __tablename__ = "refresh_token"

    token_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    session_id: str = Field(sa_column=Column(Text, ForeignKey("session.id", ondelete="CASCADE"), nullable=False))
    issued_at: datetime = Field(sa_column=_instant())
    used_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class WeightEntryRow(UsersTable, table=True):
    """One weighing, on the person's calendar day of its moment."""

    __tablename__ = "weight_entry"
    __table_args__ = (key_index("weight_entry"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    weight_kg: Decimal = Field(sa_column=Column(Numeric(5, 2), nullable=False))
    body_fat_percent: Decimal | None = Field(default=None, sa_column=Column(Numeric(4, 2)))
    muscle_mass_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(5, 2)))
    notes: str | None = None
    recorded_at: datetime = Field(sa_column=_instant())
    local_date: date
    time_zone: str
    version: int = 1
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class MeasurementRow(UsersTable, table=True):
    """One measurement with a tape, on the person's calendar day of its moment."""

    __tablename__ = "measurement"
    __table_args__ = (key_index("measurement"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    kind: str
    value_cm: Decimal = Field(sa_column=Column(Numeric(6, 2), nullable=False))
    notes: str | None = None
    recorded_at: datetime = Field(sa_column=_instant())
    local_date: date
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class HeartRateRow(UsersTable, table=True):
    """A heart rate at rest or at most that holds from a day on, until that of the next of its kind."""

    __tablename__ = "heart_rate"
    __table_args__ = (key_index("heart_rate"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    kind: str
    beats_per_minute: int
    since: date
    notes: str | None = None
    version: int = 1
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class StepCountRow(UsersTable, table=True):
    """The total of a person's steps on a calendar day, as one source counted it until `counted_at`."""

    __tablename__ = "step_count"

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    local_date: date
    source: str
    steps: int
    counted_at: datetime = Field(sa_column=_instant())
    version: int = 1


class RegistrationRow(UsersTable, table=True):
    """Somebody who registered and has not confirmed the address yet; `details` is encoded."""

    __tablename__ = "registration"

    id: str = Field(primary_key=True)
    email_key: str
    password_hash: str
    details: str
    created_at: datetime = Field(sa_column=_instant())
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class PendingMailRow(UsersTable, table=True):
    """Mail that waits to be sent, or to be tried again at `due_at`; `first_due_at` is when it was to leave first."""

    __tablename__ = "pending_mail"

    id: str = Field(primary_key=True)
    kind: str
    recipient: str
    user_id: str | None = Field(default=None, sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE")))
    registration_id: str | None = Field(
        default=None, sa_column=Column(Text, ForeignKey("registration.id", ondelete="CASCADE"))
    )
    notification_id: str | None = Field(
        default=None, sa_column=Column(Text, ForeignKey("notification.id", ondelete="CASCADE"))
    )
    created_at: datetime = Field(sa_column=_instant())
    due_at: datetime = Field(sa_column=_instant())
    first_due_at: datetime = Field(sa_column=_instant())
    attempts: int = 0


class MailedTokenRow(UsersTable, table=True):
    """The hash of a token that was mailed, what it is for, and until when."""

    __tablename__ = "mailed_token"

    token_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    purpose: str
    email: str
    email_key: str
    user_id: str | None = Field(default=None, sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE")))
    registration_id: str | None = Field(
        default=None, sa_column=Column(Text, ForeignKey("registration.id", ondelete="CASCADE"))
    )
    created_at: datetime = Field(sa_column=_instant())
    expires_at: datetime = Field(sa_column=_instant())


class AuditEntryRow(UsersTable, table=True):
    """What an administrator did to an account; it outlives the account and refers to none."""

    __tablename__ = "audit_entry"

    id: str = Field(primary_key=True)
    at: datetime = Field(sa_column=_instant())
    action: str
    actor_id: str
    subject_id: str
    reason: str
    before: str
    after: str


class RecoveryCodeRow(UsersTable, table=True):
    """The hash of a code for whoever lost the device of the second factor."""

    __tablename__ = "recovery_code"

    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True))
    code_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))


class ApiKeyRow(UsersTable, table=True):
    """What lets a program act in a person's name, as a hash; `scopes` are names of KeyScope, `last_used_on` a day in UTC."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    name: str
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    key_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hint: str
    created_at: datetime = Field(sa_column=_instant())
    expires_at: datetime = Field(sa_column=_instant())
    last_used_on: date | None = None


class PasskeyRow(UsersTable, table=True):
    """What an authenticator signs in with: `credential` is its attested credential data, `sign_count` its counter."""

    __tablename__ = "passkey"

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    name: str
    credential_id: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    credential: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sign_count: int = Field(sa_column=Column(BigInteger, nullable=False))
    is_synced: bool
    version: int
    created_at: datetime = Field(sa_column=_instant())
    last_used_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    blocked_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class PasskeyChallengeRow(UsersTable, table=True):
    """What a passkey is to sign, once: of a person who adds one, or without `user_id` of whoever signs in."""

    __tablename__ = "passkey_challenge"

    id: str = Field(primary_key=True)
    challenge: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    user_id: str | None = Field(default=None, sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE")))
    expires_at: datetime = Field(sa_column=_instant())


class GrantInvitationRow(UsersTable, table=True):
    """An offer to read what a person has: for whoever has its code, or for the account that has proven an address."""

    __tablename__ = "grant_invitation"

    id: str = Field(primary_key=True)
    owner_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    relation: str
    areas: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    plans: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    days: int
    email: str | None = None
    email_key: str | None = None
    code_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    created_at: datetime = Field(sa_column=_instant())
    expires_at: datetime = Field(sa_column=_instant())


class NotificationRow(UsersTable, table=True):
    """Something that a person was told, once for each cause. One with `hidden_at` is not shown, and keeps its cause.

    `actor_id` is somebody else whom it names, and with whose account it goes.
    """

    __tablename__ = "notification"
    __table_args__ = (UniqueConstraint("user_id", "cause"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    kind: str
    cause: str
    subject_id: str | None = None
    detail: str | None = None
    actor_id: str | None = None
    created_at: datetime = Field(sa_column=_instant())
    read_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    hidden_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    mailed_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class ReminderRow(UsersTable, table=True):
    """What a person is reminded of by the clock; `next_at` is None while it is off, up to `last_day` it is done."""

    __tablename__ = "reminder"
    __table_args__ = (key_index("reminder"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    kind: str
    time_of_day: time
    weekdays: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    is_on: bool = True
    next_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    next_day: date | None = None
    last_day: date | None = None
    version: int = 1
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class LoggedEntryRow(UsersTable, table=True):
    """That something was logged on a day, of the last ten days: copied from the others' events."""

    __tablename__ = "logged_entry"

    entry_id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    what: str
    local_date: date


class PlanAheadRow(UsersTable, table=True):
    """A workout that somebody plans and has not begun, copied from the others' events, and when to remind of it.

    `is_done` once that time has come, whatever became of it; `remind_at` is None where no reminder is wanted.
    """

    __tablename__ = "plan_ahead"

    planned_id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    local_date: date
    time_of_day: time | None = None
    name: str
    remind_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    is_done: bool = False


class ReportDueRow(UsersTable, table=True):
    """That somebody logged something in a week, and when its report is to be told."""

    __tablename__ = "report_due"

    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True))
    week: date
    due_at: datetime = Field(sa_column=_instant())


class NotificationPreferenceRow(UsersTable, table=True):
    """What somebody chose to be told of where, as `REMINDER EMAIL on`, when it is to be quiet, and when to be reminded of planned
    workouts: None is never.
    """

    __tablename__ = "notification_preference"

    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True))
    choices: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    quiet_start: time | None = None
    quiet_end: time | None = None
    workout_reminder_minutes: int | None = 30
    workout_reminder_time: time | None = time(8)
    version: int


class PushSubscriptionRow(UsersTable, table=True):
    """A browser that takes push messages; `p256dh` and `auth` are what they are encrypted with."""

    __tablename__ = "push_subscription"

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    endpoint: str = Field(unique=True)
    p256dh: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    auth: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    session_id: str
    created_at: datetime = Field(sa_column=_instant())


class PendingPushRow(UsersTable, table=True):
    """A push message that waits to be sent, or to be tried again at `due_at`."""

    __tablename__ = "pending_push"

    id: str = Field(primary_key=True)
    subscription_id: str = Field(
        sa_column=Column(Text, ForeignKey("push_subscription.id", ondelete="CASCADE"), nullable=False)
    )
    notification_id: str = Field(
        sa_column=Column(Text, ForeignKey("notification.id", ondelete="CASCADE"), nullable=False)
    )
    created_at: datetime = Field(sa_column=_instant())
    due_at: datetime = Field(sa_column=_instant())
    attempts: int = 0


class WebhookEndpointRow(UsersTable, table=True):
    """An address that a person or a key wants told of `kinds`. The secrets are sealed.

    `next_at` is when it is sent something next: None while nothing waits for it, or it is off. Until
    `rest_until` it is left alone, whatever is new; `claimed_until` is set while a process sends it something.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (key_index("webhook_endpoint"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    api_key_id: str | None = Field(default=None, sa_column=Column(Text, ForeignKey("api_key.id", ondelete="CASCADE")))
    expires_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    name: str
    url: str
    kinds: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous_secret: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    previous_until: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    disabled_reason: str | None = None
    disabled_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    next_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    rest_until: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    claimed_until: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    failures: int = 0
    failing_since: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    is_slow: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=text("true")))
    version: int = 1
    created_at: datetime = Field(sa_column=_instant())
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class WebhookDeliveryRow(UsersTable, table=True):
    """A message to an endpoint, once for each cause: while it waits, with when it is tried next, and then as the log of it."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (UniqueConstraint("endpoint_id", "cause"),)

    id: str = Field(primary_key=True)
    endpoint_id: str = Field(
        sa_column=Column(Text, ForeignKey("webhook_endpoint.id", ondelete="CASCADE"), nullable=False)
    )
    type: str
    cause: str
    subject: str | None = None
    data: str
    occurred_at: datetime = Field(sa_column=_instant())
    created_at: datetime = Field(sa_column=_instant())
    status: str
    due_at: datetime = Field(sa_column=_instant())
    attempts: int = 0
    attempted_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    response_code: int | None = None
    failure: str | None = None
