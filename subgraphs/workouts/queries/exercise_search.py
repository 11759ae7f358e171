"""Exercises by words: the index over their names, and how a person's habits count in it."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from subgraphs.shell.read_pool import Reader
from subgraphs.shell.search.phrases import Phrases
from subgraphs.shell.search.store import Found, Narrowing, SearchIndex
from subgraphs.workouts.domain.exercise_name import VERSION
from subgraphs.workouts.queries.exercise import IS_WANTED, ExerciseFilter

_PHRASES = Path(__file__).parents[1] / "domain" / "exercise_phrases.txt"

EXERCISE_INDEX = SearchIndex(
    phrases=Phrases(_PHRASES.read_text(encoding="utf-8").splitlines()),
    version=VERSION,
    # Whether it was ever done: counting the sets of years would read them all.
    times=(
        "(SELECT 1 WHERE EXISTS (SELECT FROM personal_record AS record"
        " WHERE record.user_id = :viewer_id AND record.exercise_id = found.id))"
    ),
    kept=f"EXISTS (SELECT FROM exercise WHERE exercise.id = found.id AND {IS_WANTED})",
)


async def search_exercises(reader: Reader, searches: Sequence[str], wanted: ExerciseFilter) -> dict[str, list[Found]]:
    """The exercises that fit each search best, best first; at most `MOST_FOUND`. One search after the other."""
    filters = asdict(wanted)
    viewer_id = filters.pop("viewer_id")
    narrowed = Narrowing(filters) if any(value is not None for value in filters.values()) else None
    return {words: await EXERCISE_INDEX.find(reader, words, viewer_id, narrowed) for words in searches}
