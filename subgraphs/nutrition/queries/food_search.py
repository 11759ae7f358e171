"""Foods by words: the index over their names, and how a person's habits count in it."""

from collections.abc import Sequence
from pathlib import Path

from subgraphs.nutrition.domain.food_name import BANDS, VERSION
from subgraphs.nutrition.queries.food import FoodFilter
from subgraphs.shell.read_pool import Reader
from subgraphs.shell.search.phrases import Phrases
from subgraphs.shell.search.store import Found, Narrowing, SearchIndex

_DOMAIN = Path(__file__).parents[1] / "domain"


def _lines(name: str) -> list[str]:
    return (_DOMAIN / name).read_text(encoding="utf-8").splitlines()


FOOD_INDEX = SearchIndex(
    phrases=Phrases(_lines("food_phrases.txt"), _lines("food_makers.txt")),
    version=VERSION,
    times="(SELECT times FROM recent_food WHERE user_id = :viewer_id AND food_id = found.id)",
    kept=(
        "EXISTS (SELECT FROM food WHERE food.id = found.id"
        " AND (CAST(:category AS text) IS NULL OR category = :category)"
        " AND (CAST(:verified AS boolean) IS NULL OR verified = :verified)"
        " AND (CAST(:own AS boolean) IS NULL OR (created_by IS NOT NULL) = :own))"
    ),
    bands=BANDS,
)


async def search_foods(reader: Reader, searches: Sequence[str], wanted: FoodFilter) -> dict[str, list[Found]]:
    """The foods that fit each search best, best first; at most `MOST_FOUND`.

    One search after the other: however many an operation asks for, it holds one connection and others get their turn.
    """
    filters = {"category": wanted.category, "verified": wanted.verified, "own": wanted.own}
    tags = () if wanted.category is None else (wanted.category,)
    narrowed = Narrowing(filters, tags) if any(value is not None for value in filters.values()) else None
    return {words: await FOOD_INDEX.find(reader, words, wanted.viewer_id, narrowed) for words in searches}
