"""Exercises by words: the index over their names, and how a person's habits count in it."""

from collections.abc import Sequence
from pathlib import Path

from subgraphs.shell.read_pool import Reader
from subgraphs.shell.search.phrases import Phrases
from subgraphs.shell.search.store import Found, Narrowing, SearchIndex
from subgraphs.workouts.domain.exercise_name import VERSION
from subgraphs.workouts.queries.exercise import ExerciseFilter

_PHRASES = Path(__file__).parents[1] / "domain" / "exercise_phrases.txt"

EXERCISE_INDEX = SearchIndex(
    phrases=Phrases(_PHRASES.read_text(encoding="utf-8").splitlines()),
    version=VERSION,
    # Whether it was ever done: counting the sets of years would read them all.
    times=(
        "(SELECT 1 WHERE EXISTS (SELECT FROM personal_record AS record"
        " WHERE record.user_id = :viewer_id AND record.exercise_id = found.id))"
    ),
    kept=(
        "EXISTS (SELECT FROM exercise WHERE exercise.id = found.id"
        " AND (CAST(:muscle AS text) IS NULL OR primary_muscles @> ARRAY[CAST(:muscle AS text)]"
        "      OR secondary_muscles @> ARRAY[CAST(:muscle AS text)])"
        " AND (CAST(:category AS text) IS NULL OR category = :category)"
        " AND (CAST(:level AS text) IS NULL OR level = :level)"
        " AND (CAST(:equipment AS text) IS NULL OR equipment = :equipment)"
        " AND (CAST(:force AS text) IS NULL OR force = :force)"
        " AND (CAST(:mechanic AS text) IS NULL OR mechanic = :mechanic)"
        " AND (CAST(:own AS boolean) IS NULL OR (created_by IS NOT NULL) = :own))"
    ),
)


async def search_exercises(reader: Reader, searches: Sequence[str], wanted: ExerciseFilter) -> dict[str, list[Found]]:
    """The exercises that fit each search best, best first; at most `MOST_FOUND`. One search after the other."""
    filters = {
        "muscle": wanted.muscle,
        "category": wanted.category,
        "level": wanted.level,
        "equipment": wanted.equipment,
        "force": wanted.force,
        "mechanic": wanted.mechanic,
        "own": wanted.own,
    }
    narrowed = Narrowing(filters) if any(value is not None for value in filters.values()) else None
    return {words: await EXERCISE_INDEX.find(reader, words, wanted.viewer_id, narrowed) for words in searches}
