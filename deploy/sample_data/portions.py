"""Typical household measures for foods that the public tables tell in grams only. Read by `load`; the list is ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from deploy.sample_data import DIRECTORY
from subgraphs.nutrition.domain.food import FoodCategory
from subgraphs.nutrition.domain.food_name import read_name
from subgraphs.shell.search.words import words_of

# What weighs something else by the spoon and the cup than the food that its name begins with.
_OTHER_FORMS = frozenset(
    {"powder", "powdered", "dried", "dehydrated", "flour", "freeze", "mix", "babyfood", "toddler", "bar"}
)
_NO_MEASURE = frozenset({"serving"})

Words = tuple[str, ...]


def with_typical_portions(foods: Iterable[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Rows of foods; those without a household measure get the typical ones of what they are, if there are any."""
    for food in foods:
        known = [part for part in food["portions"].split("|") if part]
        if all(part.rpartition(":")[0] in _NO_MEASURE for part in known):
            known = [*_typical(food), *known]
        labels: dict[str, str] = {part.rpartition(":")[0]: part for part in reversed(known)}
        yield {**food, "portions": "|".join(part for part in known if labels[part.rpartition(":")[0]] == part)}


def _typical(food: Mapping[str, str]) -> tuple[str, ...]:
    named = read_name(food["name"], food["brand"], FoodCategory(food["category"]), food["source"])
    if _OTHER_FORMS.intersection(named.words):
        return ()
    heads = {head for head, cost in named.heads if cost < 1}
    return next((portions for head, words, portions in _measures() if head in heads and words <= set(named.words)), ())


@cache
def _measures() -> tuple[tuple[Words, frozenset[str], tuple[str, ...]], ...]:
    lines = (DIRECTORY / "typical_portions.txt").read_text(encoding="utf-8").splitlines()
    return tuple(_measure(line) for line in lines if line and not line.startswith("#"))


def _measure(line: str) -> tuple[Words, frozenset[str], tuple[str, ...]]:
    what, _, portions = line.partition("=")
    head, *more = what.split("+")
    words = frozenset(word for part in more for word in words_of(part))
    return words_of(head), words, tuple(part.strip() for part in portions.split("|"))
