"""Templates as they are read: by id, by person page by page, with their exercises; and what was done of them last."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from sqlalchemy import TextClause, text

from subgraphs.shell.keyset import Page, PageShape, SortOrder
from subgraphs.shell.person_lists import count_of_each, page_of_each
from subgraphs.shell.read_pool import Reader, any_of
from subgraphs.workouts.domain.one_rep_max import RELIABLE_REPS, OneRepMaxFormula
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.domain.progression import LastTime
from subgraphs.workouts.domain.workout_set import STRENGTH_KINDS

_COLUMNS = "id, user_id, name, notes, created_at, planned_at, version, author_id, cloned_from"
#: Of sets that progression goes by.
_KINDS = sorted(kind.value for kind in STRENGTH_KINDS)


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    """One template without its exercises."""

    id: str
    user_id: str
    name: str
    notes: str | None
    created_at: datetime
    planned_at: datetime
    version: int
    author_id: str | None
    cloned_from: str | None


@dataclass(frozen=True, slots=True)
class TemplateExerciseRecord:
    """One exercise of a template, and what is planned of it."""

    template_id: str
    exercise_id: str
    position: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class LastSet:
    """A working set that a plan grows by."""

    reps: int | None
    weight_kg: Decimal | None
    rpe: Decimal | None = None


_BY_ID = text(f"SELECT {_COLUMNS} FROM workout_template WHERE id = {any_of('ids')}")  # noqa: S608 - our names
_COUNTS = text("SELECT user_id, count(*) FROM workout_template WHERE user_id = ANY(:user_ids) GROUP BY user_id")
_EXERCISES = text(
    "SELECT template_id, exercise_id, position, sets, least_reps, most_reps, weight_kg, rest_seconds, superset,"  # noqa: S608
    f" increment_kg, percent, training_max_kg, formula, target_rpe, step_kg FROM template_exercise WHERE template_id = {any_of('ids')} ORDER BY template_id, position"
)
_LAST_SETS = text(
    """
    SELECT wanted.id, s.reps, s.weight_kg, s.rpe, place.planned_weight_kg, place.planned_max_kg, last.started_at
    FROM unnest(CAST(:exercise_ids AS text[])) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT best.workout_id, workout.started_at FROM exercise_best AS best JOIN workout ON workout.id = best.workout_id
        WHERE best.user_id = :user_id AND best.exercise_id = wanted.id AND workout.status = 'COMPLETED'
        ORDER BY best.local_date DESC, best.workout_id DESC LIMIT 1
    ) AS last
    JOIN workout_exercise AS place ON place.workout_id = last.workout_id AND place.exercise_id = wanted.id
    JOIN workout_set AS s ON s.workout_exercise_id = place.id AND s.kind = ANY(:kinds)
    """
)
# For so many repetitions and an exertion the heaviest shows the most, so it is a row for each, however much was done.
_STRONGEST = text(
    """
    SELECT wanted.id, s.reps, max(s.weight_kg), s.rpe FROM unnest(CAST(:exercise_ids AS text[])) AS wanted (id)
    JOIN exercise_best AS best ON best.user_id = :user_id AND best.exercise_id = wanted.id AND best.local_date >= :since
    JOIN workout ON workout.id = best.workout_id AND workout.status = 'COMPLETED'
    JOIN workout_exercise AS place ON place.workout_id = best.workout_id AND place.exercise_id = wanted.id
    JOIN workout_set AS s ON s.workout_exercise_id = place.id AND s.kind = ANY(:kinds) AND s.load_kg = s.weight_kg
        AND s.reps <= :most_reps
    GROUP BY wanted.id, s.reps, s.rpe
    """
)
_ORDER = SortOrder(("created_at", "id"))


@cache
def _pages(shape: PageShape) -> TextClause:
    return text(
        "SELECT found.* FROM unnest(CAST(:user_ids AS text[])) AS person (id) CROSS JOIN LATERAL ("  # noqa: S608
        f" SELECT {_COLUMNS} FROM workout_template WHERE workout_template.user_id = person.id"
        f" AND {_ORDER.beyond(shape)} ORDER BY {_ORDER.order_by(shape)} LIMIT :limit) AS found"
    )


async def templates_by_id(connection: Reader, ids: Sequence[str]) -> dict[str, TemplateRecord]:
    return {row[0]: TemplateRecord(*row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})}


async def templates_by_user(connection: Reader, user_ids: Sequence[str], page: Page) -> dict[str, list[TemplateRecord]]:
    """The same page for several people in one statement: nearest to the page's cursor first, up to its limit each."""
    return await page_of_each(connection, _pages(page.shape), user_ids, page, TemplateRecord)


async def template_counts(connection: Reader, user_ids: Sequence[str]) -> dict[str, int]:
    """How many templates each person has."""
    return await count_of_each(connection, _COUNTS, user_ids)


async def exercises_by_template(
    connection: Reader, template_ids: Sequence[str]
) -> dict[str, list[TemplateExerciseRecord]]:
    """The exercises of each template, in order."""
    found: defaultdict[str, list[TemplateExerciseRecord]] = defaultdict(list)
    for row in await connection.execute(_EXERCISES, {"ids": list(template_ids)}):
        plan = Plan(
            sets=row[3],
            least_reps=row[4],
            most_reps=row[5],
            weight_kg=row[6],
            rest_seconds=row[7],
            superset=row[8],
            increment_kg=row[9],
            percent=row[10],
            training_max_kg=row[11],
            formula=OneRepMaxFormula(row[12]) if row[12] else None,
            target_rpe=row[13],
            step_kg=row[14],
        )
        found[row[0]].append(TemplateExerciseRecord(row[0], row[1], row[2], plan))
    return found


async def last_times(
    connection: Reader, user_id: str, exercise_ids: Sequence[str], planned_at: datetime
) -> dict[str, LastTime]:
    """The person's last completed workout with each exercise; `planned_at` is when the template's plans were told."""
    found: dict[str, LastTime] = {}
    sets: defaultdict[str, list[LastSet]] = defaultdict(list)
    parameters = {"user_id": user_id, "exercise_ids": list(exercise_ids), "kinds": _KINDS}
    for exercise_id, reps, weight, rpe, planned_weight, planned_max, began in await connection.execute(
        _LAST_SETS, parameters
    ):
        sets[exercise_id].append(LastSet(reps, weight, rpe))
        found[exercise_id] = LastTime(sets[exercise_id], planned_weight, planned_max, began >= planned_at)
    return found


async def strongest_sets(
    connection: Reader, user_id: str, exercise_ids: Sequence[str], since: date
) -> dict[str, list[LastSet]]:
    """The heaviest working set of each exercise for each number of repetitions and exertion, from this day on.

    Only sets in which the weight told is all that was moved, and of as many repetitions as an estimate can be made of.
    """
    found: defaultdict[str, list[LastSet]] = defaultdict(list)
    parameters = {
        "user_id": user_id,
        "exercise_ids": list(exercise_ids),
        "since": since,
        "most_reps": RELIABLE_REPS,
        "kinds": _KINDS,
    }
    for exercise_id, *done in await connection.execute(_STRONGEST, parameters):
        found[exercise_id].append(LastSet(*done))
    return found
