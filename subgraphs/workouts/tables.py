"""The workouts database as SQLModel sees it: migrations are compared with it, rows are written through it."""

from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import Column, DateTime, ForeignKey, Integer, LargeBinary, MetaData, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from subgraphs.shell.idempotency import key_index

metadata = MetaData()


class WorkoutsTable(SQLModel):
    """Gives the tables of this subgraph their own metadata."""

    metadata = metadata
    #: Nobody validates a row, and each start would make a validator for each table.
    model_config = {"defer_build": True}


def _instant(*, nullable: bool = False) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable)


def _content() -> Column[bytes]:
    return Column(LargeBinary, nullable=True)


class ExerciseRow(WorkoutsTable, table=True):
    __tablename__ = "exercise"
    __table_args__ = (key_index("exercise", "created_by"),)

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
    body_weight_share: Decimal = Field(sa_column=Column(Numeric(3, 2), nullable=False))
    one_sided: bool | None = None
    video_url: str | None = None
    picture_url: str | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    created_at: datetime = Field(sa_column=_instant())
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=_content())


class WorkoutRow(WorkoutsTable, table=True):
    __tablename__ = "workout"
    __table_args__ = (key_index("workout"),)

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
    session_rpe: Decimal | None = Field(default=None, sa_column=Column(Numeric(3, 1)))
    calories_kcal: Decimal | None = Field(default=None, sa_column=Column(Numeric(12, 4)))
    net_calories_kcal: Decimal | None = Field(default=None, sa_column=Column(Numeric(12, 4)))
    calories_method: str | None = None
    body_weight_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(6, 2)))
    volume_kg: Decimal = Field(default=Decimal(0), sa_column=Column(Numeric(14, 3), nullable=False))
    rules: int = 1
    version: int = 1
    rest_started_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    rest_ends_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    rest_place_id: str | None = None
    rest_version: int = 0
    paused_at: list[datetime] = Field(sa_column=Column(ARRAY(DateTime(timezone=True)), nullable=False))
    resumed_at: list[datetime] = Field(sa_column=Column(ARRAY(DateTime(timezone=True)), nullable=False))
    gear_id: str | None = Field(
        default=None, sa_column=Column(Text, ForeignKey("gear.id", ondelete="SET NULL"), nullable=True)
    )
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=_content())
    created_at: datetime = Field(sa_column=_instant())


class WorkoutExerciseRow(WorkoutsTable, table=True):
    __tablename__ = "workout_exercise"

    id: str = Field(primary_key=True)
    workout_id: str = Field(sa_column=Column(Text, ForeignKey("workout.id", ondelete="CASCADE"), nullable=False))
    exercise_id: str = Field(foreign_key="exercise.id")
    position: int
    duration_seconds: int | None = None
    notes: str | None = None
    superset: int | None = None
    planned_sets: int | None = None
    least_reps: int | None = None
    most_reps: int | None = None
    planned_weight_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(7, 2)))
    rest_seconds: int | None = None
    planned_percent: Decimal | None = Field(default=None, sa_column=Column(Numeric(5, 2)))
    planned_max_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(7, 2)))
    planned_rpe: Decimal | None = Field(default=None, sa_column=Column(Numeric(3, 1)))


class GearRow(WorkoutsTable, table=True):
    """Shoes, a bicycle or the like. `default_for` are ids of the exercises whose workouts are done with it."""

    __tablename__ = "gear"
    __table_args__ = (key_index("gear"),)

    id: str = Field(primary_key=True)
    user_id: str
    name: str
    kind: str
    start_distance_m: Decimal = Field(sa_column=Column(Numeric(12, 2), nullable=False))
    life_distance_m: Decimal | None = Field(default=None, sa_column=Column(Numeric(12, 2)))
    retired_on: date | None = None
    default_for: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    version: int = 1
    created_at: datetime = Field(sa_column=_instant())
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=_content())


class DefaultRestRow(WorkoutsTable, table=True):
    """How long a person rests after a set where nothing else is planned."""

    __tablename__ = "default_rest"

    user_id: str = Field(primary_key=True)
    seconds: int


class PlateInventoryRow(WorkoutsTable, table=True):
    """A person's bar and plates, as `domain.plates` encodes them."""

    __tablename__ = "plate_inventory"

    user_id: str = Field(primary_key=True)
    unit: str
    bar: Decimal = Field(sa_column=Column(Numeric(5, 2), nullable=False))
    plates: str = Field(sa_column=Column(JSONB, nullable=False))


class WorkoutTemplateRow(WorkoutsTable, table=True):
    """What somebody does again and again. `planned_at` is when the plans of its exercises were told, `author_id` who wrote it
    last, if that was somebody else by a grant.
    """

    __tablename__ = "workout_template"
    __table_args__ = (key_index("workout_template"),)

    id: str = Field(primary_key=True)
    user_id: str
    name: str
    notes: str | None = None
    created_at: datetime = Field(sa_column=_instant())
    planned_at: datetime = Field(sa_column=_instant())
    version: int = 1
    author_id: str | None = None
    cloned_from: str | None = None
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=_content())


class PublicTemplateRow(WorkoutsTable, table=True):
    """What everybody may see of a template, copied when it was published. Without `user_id` it is the catalogue's."""

    __tablename__ = "public_template"

    id: str = Field(primary_key=True)
    template_id: str | None = Field(
        default=None, sa_column=Column(Text, ForeignKey("workout_template.id", ondelete="CASCADE"), nullable=True)
    )
    user_id: str | None = None
    name: str
    kind: str
    level: str
    labels: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    muscles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    exercises: str = Field(sa_column=Column(JSONB, nullable=False))
    published_at: datetime = Field(sa_column=_instant())
    withdrawn_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))
    version: int = 1
    reports: int = 0
    shows_author: bool = True
    reported_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class TemplateReportRow(WorkoutsTable, table=True):
    """That somebody finds a public template out of place."""

    __tablename__ = "template_report"

    public_template_id: str = Field(
        sa_column=Column(Text, ForeignKey("public_template.id", ondelete="CASCADE"), primary_key=True, nullable=False)
    )
    reporter_id: str = Field(primary_key=True)
    reason: str
    at: datetime = Field(sa_column=_instant())
    decided_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class TemplateExerciseRow(WorkoutsTable, table=True):
    """One exercise of a template, and what is planned of it."""

    __tablename__ = "template_exercise"

    id: str = Field(primary_key=True)
    template_id: str = Field(
        sa_column=Column(Text, ForeignKey("workout_template.id", ondelete="CASCADE"), nullable=False)
    )
    exercise_id: str = Field(foreign_key="exercise.id")
    position: int
    superset: int | None = None
    sets: int
    least_reps: int | None = None
    most_reps: int | None = None
    weight_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(7, 2)))
    rest_seconds: int | None = None
    increment_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(6, 2)))
    percent: Decimal | None = Field(default=None, sa_column=Column(Numeric(5, 2)))
    training_max_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(7, 2)))
    formula: str | None = None
    target_rpe: Decimal | None = Field(default=None, sa_column=Column(Numeric(3, 1)))
    step_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(6, 2)))


class RoutineRow(WorkoutsTable, table=True):
    """The days that somebody trains by, as `domain.routine` encodes them."""

    __tablename__ = "routine"
    __table_args__ = (key_index("routine"),)

    id: str = Field(primary_key=True)
    user_id: str
    name: str
    schedule: str
    days: str = Field(sa_column=Column(JSONB, nullable=False))
    version: int = 1
    author_id: str | None = None
    created_at: datetime = Field(sa_column=_instant())
    planned_at: datetime = Field(sa_column=_instant())
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=_content())


class PlannedWorkoutRow(WorkoutsTable, table=True):
    """What is to be done on a day. `routine_date` is where the routine put it, whatever day it was moved to since."""

    __tablename__ = "planned_workout"
    __table_args__ = (key_index("planned_workout"),)

    id: str = Field(primary_key=True)
    user_id: str
    local_date: date
    time_of_day: time | None = None
    name: str
    notes: str | None = None
    minutes: int | None = None
    exercises: str = Field(sa_column=Column(JSONB, nullable=False))
    routine_id: str | None = Field(
        default=None, sa_column=Column(Text, ForeignKey("routine.id", ondelete="SET NULL"), nullable=True)
    )
    routine_date: date | None = None
    routine_slot: int | None = None
    routine_day: int | None = None
    is_skipped: bool = False
    workout_id: str | None = Field(
        default=None, sa_column=Column(Text, ForeignKey("workout.id", ondelete="SET NULL"), nullable=True)
    )
    version: int = 1
    author_id: str | None = None
    created_at: datetime = Field(sa_column=_instant())
    planned_at: datetime = Field(sa_column=_instant())
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=_content())


class WorkoutSetRow(WorkoutsTable, table=True):
    __tablename__ = "workout_set"
    __table_args__ = (key_index("workout_set"),)

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
    tempo: str | None = None
    notes: str | None = None
    side: str | None = None
    one_rep_max_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 3)))
    load_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 2)))
    logged_at: datetime = Field(sa_column=_instant())
    idempotency_key: str | None = None
    idempotency_content: bytes | None = Field(default=None, sa_column=_content())


class WorkoutTrackRow(WorkoutsTable, table=True):
    """What a recording of a workout came to. Splits are lists of numbers, as `queries.track` reads them."""

    __tablename__ = "workout_track"

    workout_id: str = Field(
        sa_column=Column(Text, ForeignKey("workout.id", ondelete="CASCADE"), primary_key=True, nullable=False)
    )
    distance_m: Decimal = Field(sa_column=Column(Numeric(10, 2), nullable=False))
    moving_seconds: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 1)))
    ascent_m: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 1)))
    descent_m: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 1)))
    mean_heart_rate: int | None = None
    max_heart_rate: int | None = None
    km_splits: str = Field(sa_column=Column(JSONB, nullable=False))
    mile_splits: str = Field(sa_column=Column(JSONB, nullable=False))


class WorkoutSeriesRow(WorkoutsTable, table=True):
    """A recording over time, column by column as in `domain.series`, and the seconds at each heart rate of all of it."""

    __tablename__ = "workout_series"

    workout_id: str = Field(
        sa_column=Column(
            Text, ForeignKey("workout_track.workout_id", ondelete="CASCADE"), primary_key=True, nullable=False
        )
    )
    seconds: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    distance_cm: list[int] | None = Field(default=None, sa_column=Column(ARRAY(Integer)))
    altitude_dm: list[int] | None = Field(default=None, sa_column=Column(ARRAY(Integer)))
    heart_rate: list[int] | None = Field(default=None, sa_column=Column(ARRAY(SmallInteger)))
    cadence: list[int] | None = Field(default=None, sa_column=Column(ARRAY(SmallInteger)))
    power: list[int] | None = Field(default=None, sa_column=Column(ARRAY(SmallInteger)))
    rates: list[int] = Field(sa_column=Column(ARRAY(SmallInteger), nullable=False))
    rate_seconds: list[Decimal] = Field(sa_column=Column(ARRAY(Numeric(8, 1)), nullable=False))


class TrackBestRow(WorkoutsTable, table=True):
    """The fastest stretch of a distance in a recording; what records of pace are made of."""

    __tablename__ = "track_best"

    workout_id: str = Field(
        sa_column=Column(
            Text, ForeignKey("workout_track.workout_id", ondelete="CASCADE"), primary_key=True, nullable=False
        )
    )
    distance: str = Field(primary_key=True)
    user_id: str
    exercise_id: str | None = Field(default=None, foreign_key="exercise.id")
    seconds: Decimal = Field(sa_column=Column(Numeric(8, 1), nullable=False))


class ExerciseBestRow(WorkoutsTable, table=True):
    """The best of an exercise in one workout, of its working sets, or the time of one without sets; what records are made of."""

    __tablename__ = "exercise_best"

    workout_id: str = Field(primary_key=True)
    exercise_id: str = Field(primary_key=True)
    user_id: str
    local_date: date
    max_weight_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(7, 2)))
    max_reps: int | None = None
    best_one_rep_max_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 3)))
    best_set_volume_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(14, 3)))
    max_distance_m: Decimal | None = Field(default=None, sa_column=Column(Numeric(10, 2)))
    max_duration_seconds: int | None = None


class PersonalRecordRow(WorkoutsTable, table=True):
    """A person's best of an exercise ever: the largest of each measure among the rows of `exercise_best`."""

    __tablename__ = "personal_record"

    user_id: str = Field(primary_key=True)
    exercise_id: str = Field(primary_key=True)
    max_weight_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(7, 2)))
    max_reps: int | None = None
    best_one_rep_max_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 3)))
    best_set_volume_kg: Decimal | None = Field(default=None, sa_column=Column(Numeric(14, 3)))
    max_distance_m: Decimal | None = Field(default=None, sa_column=Column(Numeric(10, 2)))
    max_duration_seconds: int | None = None
    achieved_on: date


class PersonRow(WorkoutsTable, table=True):
    """What workouts must know of a person, replicated from `users.account.v1`."""

    __tablename__ = "person"

    user_id: str = Field(primary_key=True)
    display_name: str
    time_zone: str
    day_start_hour: int
    status: str = "ACTIVE"
    registered_at: datetime | None = Field(default=None, sa_column=_instant(nullable=True))


class PersonWeightRow(WorkoutsTable, table=True):
    """Every weighing, replicated from `users.body.v1`: a workout is priced with the weight of its day."""

    __tablename__ = "person_weight"

    entry_id: str = Field(primary_key=True)
    user_id: str
    local_date: date
    recorded_at: datetime = Field(sa_column=_instant())
    weight_kg: Decimal = Field(sa_column=Column(Numeric(6, 2), nullable=False))
