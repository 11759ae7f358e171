"""What John plans to train: a routine, put on the two weeks to come, each day with its reminder, and templates, one published and one cloned.

Loading again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal

from deploy.sample_data import read_demo, sample_id
from deploy.sample_data.people import day_of_john, signed_in
from deploy.sample_data.recorded_run import RUN_M, RUN_SECONDS, recorded_run
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import Weekday
from subgraphs.shell.database import Database
from subgraphs.shell.exercise_category import ExerciseCategory
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.shell.units import MassUnit
from subgraphs.workouts.commands.exercise import NewExercise, create_exercise
from subgraphs.workouts.commands.gear import WantedGear, create_gear
from subgraphs.workouts.commands.planned_workout import NewPlanned, plan_workout
from subgraphs.workouts.commands.plates import set_plate_inventory
from subgraphs.workouts.commands.public_template import Publication, clone_template, publish_template
from subgraphs.workouts.commands.rest import set_default_rest
from subgraphs.workouts.commands.routine import NewRoutine, RoutineUse, ToldDay, create_routine, schedule_routine
from subgraphs.workouts.commands.template import NewTemplate, create_template
from subgraphs.workouts.commands.workout import NewWorkout, log_workout
from subgraphs.workouts.domain.exercise import Equipment, ExerciseLevel, ExerciseTracking, Muscle
from subgraphs.workouts.domain.gear import GearDraft, GearKind
from subgraphs.workouts.domain.pause import Pause
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.domain.plates import PlateInventory, Plates
from subgraphs.workouts.domain.public_template import TemplateKind
from subgraphs.workouts.domain.routine import RoutineDay, RoutineSchedule
from subgraphs.workouts.domain.workout import ExerciseDraft
from subgraphs.workouts.domain.workout_set import SetDraft, SetKind, SetSide
from subgraphs.workouts.queries.planned_workout import planned_workout_counts
from subgraphs.workouts.sample_data import catalogue_by_name

_WEEKS = 2
_DEFAULT_REST_SECONDS = 90
_RUN = "Running, 9.7 km/h (6 mph)"
#: At home: (kilograms of a plate, pairs of it).
_PLATES = PlateInventory(
    MassUnit.KG,
    Decimal(20),
    [Plates(Decimal(weight), pairs) for weight, pairs in (("20", 2), ("10", 1), ("5", 2), ("2.5", 1), ("1.25", 1))],
)
#: An exercise of his own.
_CARRIES = NewExercise(
    name="Sandbag carry up the stairs",
    category=ExerciseCategory.STRENGTH,
    level=ExerciseLevel.INTERMEDIATE,
    tracking=ExerciseTracking.WEIGHT_REPS,
    met=Decimal(8),
    primary_muscles=[Muscle.QUADRICEPS, Muscle.GLUTES],
    secondary_muscles=[Muscle.FOREARMS],
    equipment=Equipment.OTHER,
    instructions="One floor up and down is a repetition. Change the shoulder on each landing.",
    video_url="https://videos.example.com/sandbag-carry",
    request=RequestKey(IdempotencyKey("sample:carries")),
)
#: Each exercise with its sets, repetitions at least and most, kilograms to begin with, and seconds of rest.
_DAYS: tuple[tuple[Weekday, str, time, int, dict[str, tuple[int, int, int, int | None, int]]], ...] = (
    (
        Weekday.MONDAY,
        "Upper body",
        time(18),
        60,
        {
            "Barbell Bench Press - Medium Grip": (4, 6, 8, 70, 150),
            "Bent Over Barbell Row": (4, 8, 10, 60, 120),
            "Pullups": (3, 5, 10, None, 120),
        },
    ),
    (
        Weekday.WEDNESDAY,
        "Legs",
        time(18),
        60,
        {
            "Barbell Squat": (4, 5, 8, 90, 180),
            "Romanian Deadlift": (3, 8, 10, 80, 120),
            "Plank": (3, 1, 1, None, 60),
        },
    ),
    (Weekday.SATURDAY, "Long run", time(9, 30), 75, {_RUN: (1, 1, 1, None, 0)}),
)


async def load_training(database: Database, now: datetime) -> None:
    """Through the commands that clients' requests run; the catalogue's exercises and the account must be there."""
    john = read_demo()["people"][0]
    viewer = signed_in(john)
    async with database.transaction() as connection:
        ids = {name: exercise.id for name, exercise in (await catalogue_by_name(connection)).items()}
        is_planned = bool(await planned_workout_counts(connection, [viewer.id]))
    await set_default_rest(viewer, _DEFAULT_REST_SECONDS, database=database)
    await set_plate_inventory(viewer, _PLATES, database=database)
    request = RequestKey(IdempotencyKey("sample:routine"))
    days = [_day(*row, ids) for row in _DAYS]
    new = NewRoutine(name="Three days a week", schedule=RoutineSchedule.WEEKDAYS, days=days, request=request)
    routine = await create_routine(viewer, new, database=database, now=now)
    await _load_templates(viewer, days, database, now)
    carries = await create_exercise(viewer, _CARRIES, database=database, now=now)
    await log_workout(viewer, _press_day(now, ids, carries.id), database=database, now=now)
    await _load_gear(viewer, ids, database, now)
    if not is_planned:
        use = RoutineUse(start=day_of_john(now) + timedelta(days=1), weeks=_WEEKS)
        await schedule_routine(viewer, routine.id, use, database=database, now=now)
        missed = NewPlanned(day=day_of_john(now) - timedelta(days=2), name="Swim before work", time_of_day=time(6, 30))
        await plan_workout(viewer, missed, database=database, now=now)


async def _load_templates(viewer: Viewer, days: Sequence[ToldDay], database: Database, now: datetime) -> None:
    """The routine's upper body as a template that everybody sees, and a clone of one that came with the catalogue."""
    upper = NewTemplate(
        name="Upper body in an hour",
        exercises=days[0].exercises or (),
        notes="Ask Alex about the grip of the rows.",
        request=RequestKey(IdempotencyKey("sample:template")),
    )
    made = await create_template(viewer, upper, database=database, now=now)
    if made.version == 1:
        wanted = Publication(template_id=made.id, kind=TemplateKind.STRENGTH, level=ExerciseLevel.INTERMEDIATE)
        await publish_template(viewer, wanted, database=database, now=now)
    mobility = sample_id("public-template", "Fifteen minutes of mobility")
    request = RequestKey(IdempotencyKey("sample:clone"))
    await clone_template(viewer, mobility, name=None, request=request, database=database, now=now)


async def _load_gear(viewer: Viewer, ids: Mapping[str, str], database: Database, now: datetime) -> None:
    """Shoes that are nearly done, new ones for the runs to come, and a recorded run of the week before last with the old ones."""
    old = GearDraft(
        name="Grey shoes",
        kind=GearKind.SHOES,
        start_distance_m=Decimal(704_000),
        life_distance_m=Decimal(700_000),
        retired_on=day_of_john(now) - timedelta(days=3),
    )
    new = GearDraft(
        name="Blue shoes",
        kind=GearKind.SHOES,
        life_distance_m=Decimal(700_000),
        default_for=[ids[_RUN]],
    )
    made = [
        await create_gear(viewer, each, RequestKey(IdempotencyKey(f"sample:{each.name}")), database=database, now=now)
        for each in (old, new)
    ]
    started_at = datetime.combine(day_of_john(now) - timedelta(days=12), time(7), tzinfo=now.tzinfo)
    sets = [SetDraft(duration_seconds=RUN_SECONDS, distance_m=Decimal(RUN_M))]
    run = NewWorkout(
        name="Around the lake",
        started_at=started_at,
        ended_at=started_at + timedelta(seconds=RUN_SECONDS),
        exercises=(ExerciseDraft(exercise_id=ids[_RUN], sets=sets),),
        gear=WantedGear(gear_id=made[0].id),
        track=recorded_run(),
        request=RequestKey(IdempotencyKey("sample:run")),
    )
    await log_workout(viewer, run, database=database, now=now)


def _press_day(now: datetime, ids: Mapping[str, str], carries: str) -> NewWorkout:
    """An evening of the week before last, with sets of several kinds, help, a tempo, words about a set and a pause."""
    started_at = datetime.combine(day_of_john(now) - timedelta(days=10), time(18), tzinfo=now.tzinfo)
    sets = [
        SetDraft(kind=SetKind.WARM_UP, reps=10, weight_kg=Decimal(40)),
        SetDraft(reps=6, weight_kg=Decimal("67.5"), tempo="3-1-X-0"),
        SetDraft(kind=SetKind.AMRAP, reps=9, weight_kg=Decimal(60), rpe=Decimal("9.5"), notes="Left elbow flares."),
        SetDraft(kind=SetKind.PARTIAL, reps=5, weight_kg=Decimal(60)),
    ]
    flies = [SetDraft(kind=SetKind.MYO_REPS, reps=27, weight_kg=Decimal(8))]
    rows = [SetDraft(reps=10, weight_kg=Decimal(30), side=side) for side in (SetSide.LEFT, SetSide.RIGHT, SetSide.EACH)]
    helped = [SetDraft(reps=reps, weight_kg=Decimal(-20)) for reps in (8, 7)]
    carried = [SetDraft(reps=3, weight_kg=Decimal(25))]
    exercises = (
        ExerciseDraft(exercise_id=ids["Barbell Bench Press - Medium Grip"], sets=sets),
        ExerciseDraft(exercise_id=ids["Side Lateral Raise"], sets=flies),
        ExerciseDraft(exercise_id=ids["One-Arm Dumbbell Row"], sets=rows),
        ExerciseDraft(exercise_id=ids["Band Assisted Pull-Up"], sets=helped),
        ExerciseDraft(exercise_id=carries, sets=carried),
    )
    return NewWorkout(
        name="Press, slowly",
        started_at=started_at,
        ended_at=started_at + timedelta(minutes=44),
        pauses=[Pause(started_at + timedelta(minutes=25), started_at + timedelta(minutes=29))],
        exercises=exercises,
        request=RequestKey(IdempotencyKey("sample:press")),
    )


def _day(
    weekday: Weekday,
    name: str,
    time_of_day: time,
    minutes: int,
    exercises: dict[str, tuple[int, int, int, int | None, int]],
    ids: dict[str, str],
) -> ToldDay:
    """Weights grow by 2.5 kg once every set came to the most repetitions."""
    plans = [
        (
            ids[exercise],
            Plan(
                sets=sets,
                least_reps=least,
                most_reps=most,
                weight_kg=None if kilograms is None else Decimal(kilograms),
                rest_seconds=rest,
                increment_kg=None if kilograms is None else Decimal("2.5"),
            ),
        )
        for exercise, (sets, least, most, kilograms, rest) in exercises.items()
    ]
    day = RoutineDay(weekday=weekday, name=name, time_of_day=time_of_day, minutes=minutes)
    return ToldDay(day=day, exercises=plans)
