"""The end of every change to a workout: sums and energy anew, version up, the after-image into the outbox.

Called by the commands in the transaction of their change, and by the projection that learns a missing body weight.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.workouts import ExerciseSummary, WorkoutEdited, WorkoutState
from events.outbox import NewEvent, append_event
from subgraphs.workouts.domain.energy import Effort, Energy, EnergyMethod, price_workout
from subgraphs.workouts.domain.strength import volume_kg
from subgraphs.workouts.domain.workout import WORKING_KINDS, WorkoutStatus, minutes_between
from subgraphs.workouts.queries.exercise import ExerciseRecord, exercises_by_id
from subgraphs.workouts.queries.person import weight_on
from subgraphs.workouts.queries.workout import (
    SetRecord,
    WorkoutExerciseRecord,
    WorkoutRecord,
    exercises_by_workout,
    sets_by_workout,
    workouts_by_id,
)

_SETTLE = text(
    "UPDATE workout SET duration_minutes = :duration_minutes, volume_kg = :volume_kg, calories_kcal = :calories_kcal,"
    " net_calories_kcal = :net_calories_kcal, calories_method = :method, body_weight_kg = :body_weight_kg,"
    " version = version + :step WHERE id = :id"
)


async def settle_workout(
    connection: AsyncConnection,
    workout_id: str,
    event: type[WorkoutState],
    *,
    is_new: bool = False,
    prev_local_date: date | None = None,
) -> int:
    """Bring the workout's own numbers up to date and append `event`; returns the version this change made."""
    workout = (await workouts_by_id(connection, [workout_id]))[workout_id]
    placed = (await exercises_by_workout(connection, [workout_id])).get(workout_id, [])
    sets = (await sets_by_workout(connection, [workout_id])).get(workout_id, [])
    exercises = await exercises_by_id(connection, sorted({place.exercise_id for place in placed}))
    duration = minutes_between(workout.started_at, workout.ended_at)
    working = [one for one in sets if one.kind in WORKING_KINDS]
    energy = await _price(connection, workout, duration, _efforts(placed, sets, exercises))
    await connection.execute(
        _SETTLE,
        {
            "id": workout_id,
            "duration_minutes": duration,
            "volume_kg": _volume(working),
            "calories_kcal": energy.gross_kcal if energy else None,
            "net_calories_kcal": energy.net_kcal if energy else None,
            "method": energy.method.value if energy else None,
            "body_weight_kg": energy.body_weight_kg if energy else None,
            "step": 0 if is_new else 1,
        },
    )
    settled = (await workouts_by_id(connection, [workout_id]))[workout_id]
    payload = _after_image(event, settled, _summaries(placed, working, exercises), prev_local_date)
    await append_event(
        connection,
        NewEvent(
            payload,
            aggregate_id=workout_id,
            version=settled.version,
            user_id=settled.user_id,
            occurred_at=datetime.now(UTC),
            local_date=settled.local_date,
            time_zone=settled.time_zone,
        ),
    )
    return settled.version


async def _price(
    connection: AsyncConnection, workout: WorkoutRecord, duration: Decimal | None, efforts: Sequence[Effort]
) -> Energy | None:
    """Only what is finished has a price. A price once given keeps its body weight: history is a snapshot."""
    if workout.status != WorkoutStatus.COMPLETED:
        return None
    weight = workout.body_weight_kg
    if weight is None:
        weight = await weight_on(connection, workout.user_id, workout.local_date)
    return price_workout(efforts, duration, weight, workout.reported_kcal)


def _efforts(
    placed: Sequence[WorkoutExerciseRecord], sets: Sequence[SetRecord], exercises: dict[str, ExerciseRecord]
) -> list[Effort]:
    seconds_of_sets: defaultdict[str, int] = defaultdict(int)
    count: defaultdict[str, int] = defaultdict(int)
    for one in sets:
        seconds_of_sets[one.workout_exercise_id] += one.duration_seconds or 0
        count[one.workout_exercise_id] += 1
    efforts = []
    for place in placed:
        seconds = place.duration_seconds or seconds_of_sets[place.id]
        minutes = Decimal(seconds) / 60 if seconds else None
        met = exercises[place.exercise_id].met
        if met is not None:
            efforts.append(Effort(met, minutes, count[place.id]))
    return efforts


def _volume(sets: Sequence[SetRecord]) -> Decimal:
    return sum((volume_kg(one.weight_kg, one.reps) for one in sets), Decimal(0))


def _summaries(
    placed: Sequence[WorkoutExerciseRecord], working: Sequence[SetRecord], exercises: dict[str, ExerciseRecord]
) -> tuple[ExerciseSummary, ...]:
    by_place: defaultdict[str, list[SetRecord]] = defaultdict(list)
    for one in working:
        by_place[one.workout_exercise_id].append(one)
    return tuple(
        ExerciseSummary(
            exercise_id=place.exercise_id,
            name=exercises[place.exercise_id].name,
            category=exercises[place.exercise_id].category,
            sets=len(by_place[place.id]),
            reps=sum(one.reps or 0 for one in by_place[place.id]),
            volume_kg=_volume(by_place[place.id]),
            best_one_rep_max_kg=max(
                (one.one_rep_max_kg for one in by_place[place.id] if one.one_rep_max_kg), default=None
            ),
        )
        for place in placed
    )


def _after_image(
    event: type[WorkoutState],
    workout: WorkoutRecord,
    exercises: tuple[ExerciseSummary, ...],
    prev_local_date: date | None,
) -> WorkoutState:
    return event(
        workout_id=workout.id,
        name=workout.name,
        status=workout.status,
        local_date=workout.local_date,
        started_at=workout.started_at,
        ended_at=workout.ended_at,
        duration_minutes=workout.duration_minutes,
        active_minutes=workout.active_minutes,
        calories_kcal=workout.calories_kcal,
        net_calories_kcal=workout.net_calories_kcal,
        calories_method=workout.calories_method,
        body_weight_kg=workout.body_weight_kg,
        volume_kg=workout.volume_kg,
        exercises=exercises,
        prev_local_date=prev_local_date,
    )


async def price_waiting_workouts(connection: AsyncConnection, user_ids: Sequence[str]) -> int:
    """Price the finished workouts that waited for a body weight; returns how many got one."""
    statement = text(
        "SELECT id, user_id, local_date FROM workout"
        " WHERE user_id = ANY(:user_ids) AND calories_method = :waiting ORDER BY id FOR UPDATE"
    )
    parameters = {"user_ids": sorted(user_ids), "waiting": EnergyMethod.UNKNOWN_WEIGHT.value}
    priced = 0
    for row in (await connection.execute(statement, parameters)).all():
        if await weight_on(connection, row.user_id, row.local_date) is not None:
            await settle_workout(connection, row.id, WorkoutEdited)
            priced += 1
    return priced
