"""The users database as SQLModel sees it: migrations are compared with it, rows are written through it."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Column, DateTime, ForeignKey, LargeBinary, MetaData, Numeric, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

metadata = MetaData()


class UsersTable(SQLModel):
    """Gives the tables of this subgraph their own metadata."""

    metadata = metadata


def _instant(*, nullable: bool = False) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable)


class AccountRow(UsersTable, table=True):
    """A person: what signs in, what is shown, and the profile. `email_key` is the address as it is compared."""

    __tablename__ = "account"

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
    date_of_birth: date | None = None
    sex: str | None = None
    height_cm: Decimal | None = Field(default=None, sa_column=Column(Numeric(5, 2)))
    activity_level: str | None = None
    fitness_goal: str | None = None
    target_weight_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(5, 2)))
    version: int = 1
    created_at: datetime = Field(sa_column=_instant())
    last_login_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class SessionRow(UsersTable, table=True):
    """A sign-in, and all tokens that come from it."""

    __tablename__ = "session"

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    created_at: datetime = Field(sa_column=_instant())
    expires_at: datetime = Field(sa_column=_instant())
    revoked_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class RefreshTokenRow(UsersTable, table=True):
    """A refresh token, as a hash. One that was used and comes again was stolen: its session ends."""

    __tablename__ = "refresh_token"

    token_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    session_id: str = Field(sa_column=Column(Text, ForeignKey("session.id", ondelete="CASCADE"), nullable=False))
    issued_at: datetime = Field(sa_column=_instant())
    used_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class WeightEntryRow(UsersTable, table=True):
    """One weighing, on the person's calendar day of its moment."""

    __tablename__ = "weight_entry"
    __table_args__ = (UniqueConstraint("user_id", "idempotency_key"),)

    id: str = Field(primary_key=True)
    user_id: str = Field(sa_column=Column(Text, ForeignKey("account.id", ondelete="CASCADE"), nullable=False))
    weight_kg: Decimal = Field(sa_column=Column(Numeric(5, 2), nullable=False))
    body_fat_percent: Decimal | None = Field(default=None, sa_column=Column(Numeric(4, 2)))
    notes: str | None = None
    recorded_at: datetime = Field(sa_column=_instant())
    local_date: date
    time_zone: str
    version: int = 1
    idempotency_key: str | None = None
