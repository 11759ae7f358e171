"""The end of every change to a workout: sums and energy anew, version up, the after-image into the outbox.

Called by the commands in the transaction of their change, by the projection that learns a missing body weight, and by
the process when it starts, for workouts whose numbers an older release made.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.workouts import ExerciseSummary, WorkoutDeleted, WorkoutEdited, WorkoutState
from events.outbox import NewEvent, append_event
from subgraphs.shell.telemetry import current_traceparent
from subgraphs.workouts.commands.personal_record import keep_records, new_records
from subgraphs.workouts.domain.energy import Effort, price_workout
from subgraphs.workouts.domain.personal_record import Best, best_by_exercise
from subgraphs.workouts.domain.strength import load_kg, one_rep_max_kg, volume_kg
from subgraphs.workouts.domain.workout import WorkoutStatus, minutes_between
from subgraphs.workouts.domain.workout_set import STRENGTH_KINDS, WORKING_KINDS, times_done
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

#: Counts the changes of what the numbers of a workout mean; workouts settled by older rules are settled anew.
RULES = 2

_SETTLE = text(
    "UPDATE workout SET duration_minutes = :duration_minutes, volume_kg = :volume_kg, calories_kcal = :calories_kcal,"
    " net_calories_kcal = :net_calories_kcal, calories_method = :method, body_weight_kg = :body_weight_kg,"
    " rules = :rules, version = version + :step WHERE id = :id"
)
_SETTLE_SETS = text(
    "UPDATE workout_set AS s SET load_kg = told.load_kg, one_rep_max_kg = told.one_rep_max_kg"
    " FROM unnest(CAST(:ids AS text[]), CAST(:loads AS numeric[]), CAST(:one_rep_maxes AS numeric[]))"
    " AS told (id, load_kg, one_rep_max_kg) WHERE s.id = told.id"
    " AND (s.load_kg, s.one_rep_max_kg) IS DISTINCT FROM (told.load_kg, told.one_rep_max_kg)"
)
_WAITING = text(
    "SELECT id, user_id, local_date FROM workout WHERE user_id = ANY(:user_ids)"
    " AND status = 'COMPLETED' AND body_weight_kg IS NULL ORDER BY id FOR UPDATE"
)
_OUTDATED = text("SELECT id FROM workout WHERE rules < :rules ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED")


async def settle_workout(
    transaction: AsyncConnection,
    workout_id: str,
    event: type[WorkoutState],
    *,
    now: datetime,
    is_new: bool = False,
    prev_local_date: date | None = None,
) -> WorkoutRecord:
    """Bring the workout's own numbers up to date and append `event`; returns the workout as it is then."""
    one = await settle_stored(transaction, workout_id, event, now=now, is_new=is_new, prev_local_date=prev_local_date)
    return one.workout


async def settle_stored(
    transaction: AsyncConnection,
    workout_id: str,
    event: type[WorkoutState],
    *,
    now: datetime,
    is_new: bool = False,
    prev_local_date: date | None = None,
) -> "Settled":
    """As `settle_workout`; returns the workout with its exercises and sets, so that nobody need read them again."""
    workout = (await workouts_by_id(transaction, [workout_id]))[workout_id]
    placed = (await exercises_by_workout(transaction, [workout_id])).get(workout_id, [])
    stored = (await sets_by_workout(transaction, [workout_id])).get(workout_id, [])
    exercises = await exercises_by_id(transaction, sorted({place.exercise_id for place in placed}))
    weight = await _body_weight(transaction, workout)
    one = settle(workout, placed, stored, exercises, weight)
    if one.sets:
        await transaction.execute(_SETTLE_SETS, _set_numbers(one.sets))
    await transaction.execute(
        _SETTLE,
        {
            "id": workout_id,
            "duration_minutes": one.workout.duration_minutes,
            "volume_kg": one.workout.volume_kg,
            "calories_kcal": one.workout.calories_kcal,
            "net_calories_kcal": one.workout.net_calories_kcal,
            "method": one.workout.calories_method,
            "body_weight_kg": one.workout.body_weight_kg,
            "rules": RULES,
            "step": 0 if is_new else 1,
        },
    )
    settled = (await workouts_by_id(transaction, [workout_id]))[workout_id]
    await keep_records(transaction, settled, one.bests)
    stored_one = replace(one, workout=settled)
    records = await new_records(transaction, workout_id) if settled.status == WorkoutStatus.COMPLETED else ()
    payload = state_of(event, stored_one, prev_local_date, records)
    await append_event(transaction, workout_event(payload, settled, now))
    return stored_one


@dataclass(frozen=True, slots=True)
class Settled:
    """A workout with all of its numbers, as its columns hold them; its bests count for its person's records."""

    workout: WorkoutRecord
    placed: Sequence[WorkoutExerciseRecord]
    sets: Sequence[SetRecord]
    summaries: tuple[ExerciseSummary, ...]
    bests: Mapping[str, Best]


def settle(
    workout: WorkoutRecord,
    placed: Sequence[WorkoutExerciseRecord],
    stored: Sequence[SetRecord],
    exercises: Mapping[str, ExerciseRecord],
    body_weight_kg: Decimal | None,
) -> Settled:
    """The numbers that follow from what was told. Pure: written by `settle_workout`, and by COPY for whole histories."""
    sets = [_settled_set(each, exercises[each.exercise_id], body_weight_kg) for each in stored]
    duration = minutes_between(workout.started_at, workout.ended_at)
    working = [each for each in sets if each.kind in WORKING_KINDS]
    energy = None
    if workout.status == WorkoutStatus.COMPLETED:  # only what is finished has a price
        efforts = _efforts(placed, sets, exercises)
        energy = price_workout(efforts, workout.unpaused_minutes, body_weight_kg, workout.reported_kcal)
    numbers = workout._replace(
        duration_minutes=_stored(duration, 4),
        volume_kg=round(_volume(working), 3),
        calories_kcal=_stored(energy.gross_kcal, 4) if energy else None,
        net_calories_kcal=_stored(energy.net_kcal, 4) if energy else None,
        calories_method=energy.method.value if energy else None,
        body_weight_kg=energy.body_weight_kg if energy else None,
    )
    is_kept = workout.status != WorkoutStatus.CANCELLED
    counted = [each for each in working if each.kind in STRENGTH_KINDS]
    bests = best_by_exercise(counted, _times_without_sets(placed, sets)) if is_kept else {}
    return Settled(numbers, placed, sets, _summaries(placed, working, exercises), bests)


def workout_event(payload: WorkoutState | WorkoutDeleted, workout: WorkoutRecord, at: datetime) -> NewEvent:
    """What `payload` says of this version of the workout, as the outbox takes it."""
    return NewEvent(
        payload=payload,
        aggregate_id=workout.id,
        version=workout.version,
        user_id=workout.user_id,
        occurred_at=at,
        local_date=workout.local_date,
        time_zone=workout.time_zone,
        traceparent=current_traceparent(),
    )


async def _body_weight(transaction: AsyncConnection, workout: WorkoutRecord) -> Decimal | None:
    """A weight once counted with stays: history is a snapshot. Else the one in force on the workout's day."""
    if workout.body_weight_kg is not None:
        return workout.body_weight_kg
    return await weight_on(transaction, workout.user_id, workout.local_date)


def _settled_set(one: SetRecord, exercise: ExerciseRecord, body_weight_kg: Decimal | None) -> SetRecord:
    """The set with its load, and with an estimate of strength where all of the load is held and not the body."""
    is_estimated = one.kind in STRENGTH_KINDS and exercise.body_weight_share == 0
    load = load_kg(one.weight_kg, exercise.body_weight_share, body_weight_kg)
    strength = one_rep_max_kg(one.weight_kg, one.reps) if is_estimated else None
    return one._replace(
        load_kg=None if load is None else round(load, 2),
        one_rep_max_kg=None if strength is None else round(strength, 3),
    )


def _stored(number: Decimal | None, places: int) -> Decimal | None:
    """As the column keeps it, which is what events and readers see."""
    return None if number is None else round(number, places)


def _set_numbers(sets: Sequence[SetRecord]) -> dict[str, list[object]]:
    return {
        "ids": [one.id for one in sets],
        "loads": [one.load_kg for one in sets],
        "one_rep_maxes": [one.one_rep_max_kg for one in sets],
    }


def _efforts(
    placed: Sequence[WorkoutExerciseRecord], sets: Sequence[SetRecord], exercises: Mapping[str, ExerciseRecord]
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
        efforts.append(Effort(exercises[place.exercise_id].met, minutes, count[place.id]))
    return efforts


def _times_without_sets(placed: Sequence[WorkoutExerciseRecord], sets: Sequence[SetRecord]) -> list[tuple[str, int]]:
    """An hour of yoga is told as the time of the exercise; where there are sets, the time is theirs and of the rests between."""
    with_sets = {one.workout_exercise_id for one in sets}
    return [
        (place.exercise_id, place.duration_seconds)
        for place in placed
        if place.duration_seconds is not None and place.id not in with_sets
    ]


def _volume(sets: Sequence[SetRecord]) -> Decimal:
    return sum((volume_kg(one.load_kg, one.reps) * times_done(one.side) for one in sets), Decimal(0))


def _summaries(
    placed: Sequence[WorkoutExerciseRecord], working: Sequence[SetRecord], exercises: Mapping[str, ExerciseRecord]
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


def state_of(
    event: type[WorkoutState],
    one: Settled,
    prev_local_date: date | None = None,
    new_records: tuple[str, ...] = (),
) -> WorkoutState:
    """The after-image of a settled workout. Of histories that are loaded at once, records are not told as new."""
    workout = one.workout
    return event(
        workout_id=workout.id,
        name=workout.name,
        status=workout.status,
        local_date=workout.local_date,
        started_at=workout.started_at,
        ended_at=workout.ended_at,
        duration_minutes=workout.duration_minutes,
        active_minutes=workout.motion_minutes,
        calories_kcal=workout.calories_kcal,
        net_calories_kcal=workout.net_calories_kcal,
        calories_method=workout.calories_method,
        body_weight_kg=workout.body_weight_kg,
        volume_kg=workout.volume_kg,
        exercises=one.summaries,
        prev_local_date=prev_local_date,
        new_records=new_records,
        time_zone=workout.time_zone,
    )


async def price_waiting_workouts(transaction: AsyncConnection, user_ids: Sequence[str], now: datetime) -> int:
    """Price the finished workouts that waited for a body weight; returns how many got one."""
    priced = 0
    for row in (await transaction.execute(_WAITING, {"user_ids": sorted(user_ids)})).all():
        if await weight_on(transaction, row.user_id, row.local_date) is not None:
            await settle_workout(transaction, row.id, WorkoutEdited, now=now)
            priced += 1
    return priced


async def settle_outdated_workouts(transaction: AsyncConnection, limit: int, now: datetime) -> int:
    """Settle up to `limit` workouts whose numbers were made by older rules; returns how many there were."""
    ids = (await transaction.scalars(_OUTDATED, {"rules": RULES, "limit": limit})).all()
    for workout_id in ids:
        await settle_workout(transaction, workout_id, WorkoutEdited, now=now)
    return len(ids)
