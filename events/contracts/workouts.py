"""What the workouts subgraph tells: training sessions, set by set, and what is planned for days."""

from datetime import date, datetime, time
from decimal import Decimal

import msgspec

from events import topics
from events.contracts.moderation import PublicationModerated
from events.contracts.plan_write import PlanWritten
from events.envelope import Payload


class ExerciseSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was done of one exercise in a workout: working sets only."""

    exercise_id: str
    name: str
    category: str
    sets: int
    reps: int
    volume_kg: Decimal
    best_one_rep_max_kg: Decimal | None = None


class WorkoutState(Payload, frozen=True, kw_only=True):
    """A whole workout after a change. Aggregate `workout`, id = workout id.

    `calories_kcal` is gross and None when no body weight was known on the day. `new_records` names the exercises, five at
    most, of which a completed workout had more than every earlier one of the person. `time_zone` is the one that its day
    follows; None where an earlier release told it.
    """

    topic = topics.WORKOUTS_SESSION.name
    aggregate_type = "workout"

    workout_id: str
    name: str
    status: str
    local_date: date
    started_at: datetime
    ended_at: datetime | None = None
    duration_minutes: Decimal | None = None
    active_minutes: Decimal | None = None
    calories_kcal: Decimal | None = None
    net_calories_kcal: Decimal | None = None
    calories_method: str | None = None
    body_weight_kg: Decimal | None = None
    volume_kg: Decimal = Decimal(0)
    exercises: tuple[ExerciseSummary, ...] = ()
    prev_local_date: date | None = None
    new_records: tuple[str, ...] = ()
    time_zone: str | None = None


class WorkoutStarted(WorkoutState, frozen=True, kw_only=True):
    """A session began."""


class SetLogged(WorkoutState, frozen=True, kw_only=True):
    """A set was added to a session."""


class SetEdited(WorkoutState, frozen=True, kw_only=True):
    """A set was corrected."""


class SetRemoved(WorkoutState, frozen=True, kw_only=True):
    """A set was taken out."""


class WorkoutCompleted(WorkoutState, frozen=True, kw_only=True):
    """A session ended, or a finished one was logged in one call."""


class WorkoutEdited(WorkoutState, frozen=True, kw_only=True):
    """Something else about a workout changed: its name, its times, its price."""


class WorkoutCancelled(WorkoutState, frozen=True, kw_only=True):
    """A session was given up: it counts for nothing."""


class WorkoutDeleted(Payload, frozen=True, kw_only=True):
    """A workout was removed."""

    topic = topics.WORKOUTS_SESSION.name
    aggregate_type = "workout"
    tombstone = True

    workout_id: str
    local_date: date


class TrainingPlanned(PlanWritten, frozen=True, kw_only=True):
    """Somebody wrote a template for a person, by a grant."""

    topic = topics.WORKOUTS_SESSION.name


class TemplateModerated(PublicationModerated, frozen=True, kw_only=True):
    """An administrator decided about a template that a person, who is the event's user, had published.

    Aggregate `public_template`, id = public template id. `before` and `after` say who saw it.
    """

    topic = topics.WORKOUTS_SESSION.name
    aggregate_type = "public_template"


class PlannedWorkoutState(Payload, frozen=True, kw_only=True):
    """A workout that is planned for a day, after a change. Aggregate `planned_workout`, id = its id.

    `time_of_day` is by the person's clock, wherever the person is that day; None is any time of it. It `has_begun` while the
    workout that it became runs or is completed.
    """

    topic = topics.WORKOUTS_PLAN.name
    aggregate_type = "planned_workout"

    planned_id: str
    name: str
    local_date: date
    time_of_day: time | None = None
    is_skipped: bool = False
    has_begun: bool = False


class WorkoutPlanned(PlannedWorkoutState, frozen=True, kw_only=True):
    """A workout was planned for a day, by itself or as one of a routine's."""


class PlannedWorkoutChanged(PlannedWorkoutState, frozen=True, kw_only=True):
    """It was moved to another day or time, or something else about it changed."""


class PlannedWorkoutSkipped(PlannedWorkoutState, frozen=True, kw_only=True):
    """Its person said that it will not be done, or, where `is_skipped` is false, that it will."""


class PlannedWorkoutBegun(PlannedWorkoutState, frozen=True, kw_only=True):
    """It became a workout: begun as one, or paired with one that was logged."""


class PlannedWorkoutFreed(PlannedWorkoutState, frozen=True, kw_only=True):
    """The workout that it had become was given up or deleted."""


class PlannedWorkoutCancelled(Payload, frozen=True, kw_only=True):
    """It was taken off the calendar."""

    topic = topics.WORKOUTS_PLAN.name
    aggregate_type = "planned_workout"
    tombstone = True

    planned_id: str
    local_date: date
