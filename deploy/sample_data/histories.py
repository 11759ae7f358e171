"""A sample person in the words of the domains: the account, weighings, meals and workouts that their bulk functions take.

Called by `load`. Weighings, heart rates, meals and workouts have idempotency keys of their own, so that loading them again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from deploy.sample_data.people import Person, PlannedExercise, PlannedWorkout
from subgraphs.nutrition.commands.meal import NewMeal
from subgraphs.nutrition.domain.meal import ItemDraft, MealSlot
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.physiology import ActivityLevel, FitnessGoal, HeartRateKind, Sex
from subgraphs.shell.replicated_person import PersonRecord
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.users.commands.account import NewAccount
from subgraphs.users.commands.heart_rate import NewHeartRate
from subgraphs.users.commands.weight import NewWeighing
from subgraphs.users.domain.account import PersonalSettings, Profile, Units
from subgraphs.users.domain.consent import ConsentChoice, ConsentPurpose
from subgraphs.users.sample_data import SampleAccount
from subgraphs.workouts.commands.workout import NewWorkout
from subgraphs.workouts.domain.workout import ExerciseDraft
from subgraphs.workouts.domain.workout_set import SetDraft
from subgraphs.workouts.queries.exercise import ExerciseRecord
from subgraphs.workouts.sample_data import TrainingHistory

PASSWORD = "Password123!"  # noqa: S105 - of people who do not exist
#: Whose account shows what the role PREMIUM opens and a year of steps and drinks, and has decided about every consent.
JOHN = "john.doe@example.com"
_CONSENTS = tuple(ConsentChoice(purpose, True, None) for purpose in ConsentPurpose)


def training_of(person: Person, exercises: Mapping[str, ExerciseRecord]) -> TrainingHistory:
    weights = {weighing.local_date: _decimal(weighing.weight_kg) for weighing in person.weights}
    return TrainingHistory(person.id, [_workout(each, person, exercises) for each in person.workouts], weights)


def eater(person: Person) -> PersonRecord:
    return PersonRecord(person.id, person.display_name, person.time_zone, person.day_start_hour)


def account_of(person: Person, now: datetime) -> SampleAccount:
    profile = Profile(
        date_of_birth=person.date_of_birth,
        sex=Sex(person.sex),
        height_cm=_decimal(person.height_cm),
        activity_level=ActivityLevel(person.activity_level),
        fitness_goal=FitnessGoal(person.fitness_goal),
        target_weight_kg=_decimal(person.target_weight_kg),
    )
    settings = PersonalSettings(
        time_zone=person.time_zone, day_start_hour=person.day_start_hour, units=Units(person.units)
    )
    first = min((weighing.at for weighing in person.weights), default=now)
    account = NewAccount(
        email_verified_at=first - timedelta(hours=1),
        email=person.email,
        password=PASSWORD,
        display_name=person.display_name,
        profile=profile,
        settings=settings,
        consents=_CONSENTS if person.email == JOHN else (),
    )
    registered_at = first - timedelta(hours=1)
    premium_until = registered_at + timedelta(days=3_650) if person.email == JOHN else None
    return SampleAccount(person.id, account, registered_at, premium_until)


def weighings_of(person: Person) -> Iterator[NewWeighing]:
    for number, weighing in enumerate(person.weights):
        weight, request = _decimal(weighing.weight_kg), RequestKey(IdempotencyKey(f"sample:{number}"))
        fat = person.body_fat_percent if weighing is person.weights[-1] else None
        yield NewWeighing(
            weight_kg=weight,
            recorded_at=weighing.at,
            body_fat_percent=None if fat is None else _decimal(fat),
            request=request,
        )


def heart_rates_of(person: Person) -> Iterator[tuple[NewHeartRate, date]]:
    for kind, beats, since in person.heart_rates:
        request = RequestKey(IdempotencyKey(f"sample:{kind}:{since}"))
        yield NewHeartRate(kind=HeartRateKind(kind), beats_per_minute=beats, request=request), since


def meals_of(person: Person) -> Iterator[NewMeal]:
    for meal in person.meals:
        items = [ItemDraft(food_id, grams=_decimal(grams)) for food_id, grams in meal.items]
        yield NewMeal(
            slot=MealSlot(meal.slot),
            at=meal.at,
            items=items,
            request=RequestKey(IdempotencyKey(meal.key)),
            custom_slot=meal.custom_slot,
        )


def _workout(planned: PlannedWorkout, person: Person, exercises: Mapping[str, ExerciseRecord]) -> NewWorkout:
    return NewWorkout(
        name=planned.name,
        started_at=planned.started_at,
        ended_at=planned.ended_at,
        exercises=tuple(_exercises(planned.exercises, exercises)),
        reported_kcal=None if planned.reported_kcal is None else _decimal(planned.reported_kcal),
        session_rpe=None if planned.session_rpe is None else _decimal(planned.session_rpe),
        time_zone=person.time_zone,
        local_date=planned.local_date,
        request=RequestKey(IdempotencyKey(planned.key)),
    )


def _exercises(planned: Iterable[PlannedExercise], exercises: Mapping[str, ExerciseRecord]) -> Iterator[ExerciseDraft]:
    for each in planned:
        sets = [SetDraft(reps=reps, weight_kg=_decimal(weight)) for reps, weight in each.sets]
        if each.distance_km is not None and each.minutes is not None:
            sets.append(
                SetDraft(duration_seconds=round(each.minutes * 60), distance_m=_decimal(round(each.distance_km * 1000)))
            )
        seconds = None if each.minutes is None else round(each.minutes * 60)
        yield ExerciseDraft(exercise_id=exercises[each.name].id, sets=sets, duration_seconds=seconds)


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))
