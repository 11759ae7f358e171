"""How much of the body an exercise lifts."""

from decimal import Decimal

import pytest

from deploy.sample_data import read_exercises, read_own_exercises
from subgraphs.shell.exercise_category import ExerciseCategory
from subgraphs.workouts.domain.exercise import (
    Equipment,
    ExerciseLevel,
    ExerciseTracking,
    Muscle,
    body_weight_share,
)


@pytest.mark.parametrize(
    ("name", "tracking", "equipment", "share"),
    [
        ("Pullups", "REPS", "body only", "1"),
        ("Pushups", "REPS", "body only", "0.64"),
        ("Incline Push-Up", "REPS", "body only", "0.41"),
        ("Push-Ups With Feet Elevated", "REPS", "body only", "0.74"),
        ("Bodyweight Squat", "REPS", "body only", "0.88"),
        ("Box Jump (Multiple Response)", "REPS", "other", "0.88"),
        ("Sledgehammer Swings", "REPS", "other", "0"),
        ("Medicine Ball Chest Pass", "REPS", "medicine ball", "0"),
        ("Barbell Squat", "WEIGHT_REPS", "barbell", "0"),
        ("Plank", "TIME", "body only", "0"),
        ("My own", "REPS", None, "1"),
    ],
)
def test_repetitions_without_a_weight_lift_a_share_of_the_body(
    name: str, tracking: str, equipment: str | None, share: str
) -> None:
    assert body_weight_share(name, tracking, equipment) == Decimal(share)


def test_the_catalogue_names_only_muscles_equipment_and_kinds_that_there_are() -> None:
    for row in (*read_exercises(), *read_own_exercises()):
        for muscle in (*(row.get("primaryMuscles") or ()), *(row.get("secondaryMuscles") or ())):
            assert Muscle(muscle)
        assert row.get("equipment") is None or Equipment(row["equipment"])
        assert ExerciseCategory(row["category"])
        assert ExerciseLevel(row["level"])
        assert ExerciseTracking(row["tracking"])


@pytest.mark.parametrize("tracking", ["REPS", "WEIGHT_REPS"])
@pytest.mark.parametrize("equipment", ["machine", "bands", "other", None])
def test_what_hangs_with_help_lifts_the_body_whatever_it_is_done_with(tracking: str, equipment: str | None) -> None:
    assert body_weight_share("Chin-Up (Assisted)", tracking, equipment) == 1
    assert body_weight_share("Band Assisted Pull-Up", tracking, equipment) == 1
    assert body_weight_share("Assisted Dip Machine", tracking, equipment) == 1
