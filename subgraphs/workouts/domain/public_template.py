"""What of a template becomes public, what it is called there, and how many a person has. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from subgraphs.workouts.domain.exercise import ExerciseLevel
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.domain.planned_workout import PlannedExercise, PlannedExercises

#: Of one person, withdrawn ones among them.
MOST_PUBLIC = 50


class TemplateKind(StrEnum):
    STRENGTH = "STRENGTH"
    CARDIO = "CARDIO"
    HIIT = "HIIT"
    FLEXIBILITY = "FLEXIBILITY"
    MIXED = "MIXED"


class TemplateVisibility(StrEnum):
    PRIVATE = "PRIVATE"
    PUBLIC = "PUBLIC"
    HIDDEN = "HIDDEN"
    WITHDRAWN = "WITHDRAWN"


def public_plan(plan: Plan) -> Plan:
    """A plan without what tells of its person's strength: the weight and the training max.

    An increment of a training max goes with it, so that what is cloned is a plan that may be made: of an estimated maximum.
    """
    return replace(
        plan,
        weight_kg=None,
        training_max_kg=None,
        increment_kg=None if plan.percent is not None else plan.increment_kg,
    )


def public_exercises(exercises: Iterable[tuple[str, Plan]], catalogue: Collection[str]) -> PlannedExercises:
    """Of (exercise id, plan) in order those of the catalogue, as everybody may see them; a person's own are left out."""
    return tuple(
        PlannedExercise(exercise_id=exercise_id, plan=public_plan(plan))
        for exercise_id, plan in exercises
        if exercise_id in catalogue
    )


def muscles_of(primary_muscles: Iterable[Sequence[str]]) -> list[str]:
    """What the exercises of a template train above all, each muscle once, in their order."""
    return list(dict.fromkeys(muscle for muscles in primary_muscles for muscle in muscles))


def labels_of(
    *,
    words: Iterable[str] = (),
    kind: TemplateKind | None = None,
    level: ExerciseLevel | None = None,
    muscles: Iterable[str] = (),
    from_catalogue: bool | None = None,
) -> list[str]:
    """What a public template is found by, in one list, so that one index answers whatever is asked for together.

    `words` are those of its name, as `words_of` makes them, which have no `=`.
    """
    labels = {*words, *(f"muscle={muscle}" for muscle in muscles)}
    if kind is not None:
        labels.add(f"kind={kind.value}")
    if level is not None:
        labels.add(f"level={level.value}")
    if from_catalogue is not None:
        labels.add("from=catalogue" if from_catalogue else "from=people")
    return sorted(labels)
