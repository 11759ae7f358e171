"""What of a plan becomes public, and what a public template is found by."""

from decimal import Decimal

from subgraphs.shell.errors import Checks
from subgraphs.shell.search.words import words_of
from subgraphs.workouts.domain.exercise import ExerciseLevel
from subgraphs.workouts.domain.plan import Plan, check_template
from subgraphs.workouts.domain.public_template import (
    TemplateKind,
    labels_of,
    muscles_of,
    public_exercises,
    public_plan,
)

RAISED = Plan(sets=3, least_reps=5, most_reps=8, weight_kg=Decimal(90), rest_seconds=90, increment_kg=Decimal("2.5"))
SHARE = Plan(sets=5, most_reps=5, percent=Decimal(85), training_max_kg=Decimal(120), increment_kg=Decimal(5))


def test_what_tells_of_strength_is_no_part_of_a_public_plan_and_the_rest_is() -> None:
    assert public_plan(RAISED) == Plan(sets=3, least_reps=5, most_reps=8, rest_seconds=90, increment_kg=Decimal("2.5"))
    assert public_plan(SHARE) == Plan(sets=5, most_reps=5, percent=Decimal(85))


def test_what_is_public_of_any_plan_may_be_planned() -> None:
    checks = Checks()
    check_template(checks, "Cloned", None, [public_plan(RAISED), public_plan(SHARE)])
    checks.done()


def test_exercises_that_are_not_of_the_catalogue_are_left_out_in_their_order() -> None:
    told = [("squat", RAISED), ("own", RAISED), ("bench", SHARE)]
    assert [each.exercise_id for each in public_exercises(told, {"bench", "squat"})] == ["squat", "bench"]


def test_muscles_are_named_once_in_the_order_of_the_exercises() -> None:
    assert muscles_of([["chest", "triceps"], [], ["lats", "chest"]]) == ["chest", "triceps", "lats"]


def test_no_name_makes_a_label_that_stands_for_something_else() -> None:
    assert labels_of(words=words_of("kind=HIIT level=BEGINNER"), from_catalogue=False) == [
        "beginner",
        "from=people",
        "hiit",
        "kind",
        "level",
    ]
    kind = labels_of(kind=TemplateKind.HIIT, level=ExerciseLevel.BEGINNER, muscles=["lower back"])
    assert kind == ["kind=HIIT", "level=BEGINNER", "muscle=lower back"]
