"""Which exercise of an account is meant by another app's name: one of the same words, or the one that a short table says.

The table is `exercise_names.csv`: what Strong and Hevy call their most common exercises, and the catalogue's name of the same.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Self

from deploy.personal_data.graph_client import GraphClient

TABLE = Path(__file__).with_name("exercise_names.csv")
_EXERCISES = """query ImportExercises($after: String) {
  exercises(first: 100, after: $after) { nodes { id name isOwn } pageInfo { hasNextPage endCursor } }
}"""

Words = tuple[str, ...]


class ExerciseNames:
    """The ids of all exercises that a person can use, by the words of their names. The person's own come first."""

    def __init__(self, exercises: Iterable[Mapping[str, Any]]) -> None:
        self._ids: dict[Words, str] = {}
        for each in sorted(exercises, key=lambda exercise: not exercise["isOwn"]):
            self._ids.setdefault(words_of(each["name"]), each["id"])

    @classmethod
    async def of(cls, client: GraphClient) -> Self:
        found, after = [], None
        while True:
            page = (await client.ask(_EXERCISES, {"after": after}))["exercises"]
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return cls(found)
            after = page["pageInfo"]["endCursor"]

    def find(self, name: str) -> str | None:
        """The exercise's id; None where no name has just these words, in whatever order."""
        words = words_of(name)
        return self._ids.get(words) or self._ids.get(catalogue_names().get(words, ()))


def words_of(name: str) -> Words:
    """Sorted and in the singular, so that `Rows (Seated Cable)` is `Seated Cable Row`."""
    return tuple(sorted(_singular(word) for word in re.findall(r"[^\W_]+", name.casefold())))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@cache
def catalogue_names() -> Mapping[Words, Words]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {words_of(row["called"]): words_of(row["catalogue"]) for row in csv.DictReader(file)}
