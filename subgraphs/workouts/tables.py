"""The workouts database as SQLModel sees it: migrations are compared with it, rows are written through it."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Column, DateTime, ForeignKey, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

metadata = MetaData()


class WorkoutsTable(SQLModel):
    """Gives the tables of this subgraph their own metadata."""

    metadata = metadata


def _instant(*, nullable: bool = False) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable)


class ExerciseRow(WorkoutsTable, table=True):
    __tablename__ = "exercise"

    id: str = Field(primary_key=True)
    name: str
    category: str = Field(index=True)
    primary_muscles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    secondary_muscles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    equipment: str | None = None
    level: str
    tracking: str
    force: str | None = None
    mechanic: str | None = None
    met: Decimal | None = Field(default=None, sa_column=Column(Numeric(5, 2)))
    met_code: str | None = None
    instructions: str | None = None
    created_by: str | None = None
    created_at: datetime = Field(sa_column=_instant())


class WorkoutRow(WorkoutsTable, table=True):
    __tablename__ = "workout"

    id: str = Field(primary_key=True)
    user_id: str
    name: str
    status: str
    local_date: date
    time_zone: str
    started_at: datetime = Field(sa_column=_instant())
    ended_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    duration_minutes: Decimal | None = Field(default=None, sa_column=Column(Numeric(10, 4)))
    active_minutes: Decimal | None = Field(default=None, sa_column=Column(Numeric(10, 4)))
    notes: str | None = None
    reported_kcal: Decimal | None = Field(default=None, sa_column=Column(Numeric(10, 2)))
    calories_kcal: Decimal | None = Field(default=None, sa_column=Column(Numeric(12, 4)))
    net_calories_kcal: Decimal | None = Field(default=None, sa_column=Column(Numeric(12, 4)))
    calories_method: str | None = None
    body_weight_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(6, 2)))
    volume_kg: Decimal = Field(default=Decimal(0), sa_column=Column(Numeric(14, 3), nullable=False))
    version: int = 1
    idempotency_key: str | None = None
    created_at: datetime = Field(sa_column=_instant())


class WorkoutExerciseRow(WorkoutsTable, table=True):
    __tablename__ = "workout_exercise"

    id: str = Field(primary_key=True)
    workout_id: str = Field(sa_column=Column(Text, ForeignKey("workout.id", ondelete="CASCADE"), nullable=False))
    exercise_id: str = Field(foreign_key="exercise.id")
    position: int
    duration_seconds: int | None = None
    notes: str | None = None


class WorkoutSetRow(WorkoutsTable, table=True):
    __tablename__ = "workout_set"

    id: str = Field(primary_key=True)
    workout_exercise_id: str = Field(
        sa_column=Column(Text, ForeignKey("workout_exercise.id", ondelete="CASCADE"), nullable=False)
    )
    workout_id: str
    user_id: str
    exercise_id: str
    position: int
    kind: str
    reps: int | None = None
    weight_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(7, 2)))
    duration_seconds: int | None = None
    distance_m: Decimal | None = Field(default=None, sa_column=Column(Numeric(10, 2)))
    rpe: Decimal | None = Field(default=None, sa_column=Column(Numeric(3, 1)))
    one_rep_max_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 3)))
    logged_at: datetime = Field(sa_column=_instant())


class PersonRow(WorkoutsTable, table=True):
    """What workouts must know of a person, replicated from `users.account.v1`."""

    __tablename__ = "person"

    user_id: str = Field(primary_key=True)
    display_name: str
    time_zone: str
    day_start_hour: int


class PersonWeightRow(WorkoutsTable, table=True):
    """Every weighing, replicated from `users.body.v1`: a workout is priced with the weight of its day."""

    __tablename__ = "person_weight"

    entry_id: str = Field(primary_key=True)
    user_id: str
    local_date: date
    recorded_at: datetime = Field(sa_column=_instant())
    weight_kg: Decimal = Field(sa_column=Column(Numeric(6, 2), nullable=False))
