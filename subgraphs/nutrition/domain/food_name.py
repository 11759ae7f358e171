"""What a food's name says it is: its heads, its words, and how likely it is the one meant by few words.

Composition tables name foods from the general to the particular: "Fish, salmon, Atlantic, wild, raw" is a salmon.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from subgraphs.nutrition.domain.food import FoodCategory
from subgraphs.shell.search.phrases import Words
from subgraphs.shell.search.words import fold, words_of

VERSION = 4

# A first part that says the shelf and not the food.
_SHELVES = frozenset(
    {
        "alcoholic beverage", "alcoholic beverages", "beverages", "candies", "cereals", "cereals ready-to-eat", "crustaceans",
        "fast food", "fast foods", "fish", "game meat", "mollusks", "nuts", "pasta mix", "restaurant", "seeds", "snacks",
        "spices", "sweeteners", "vegetables",
    }
)  # fmt: skip
# A first part that is a kind with members: "Oil, olive" is an olive oil.
_KINDS = frozenset(
    {
        "beans", "beef", "bread", "cake", "candy", "cereal", "cheese", "chicken", "coffee", "cookie", "cookies", "cracker",
        "crackers", "cream", "flour", "frozen dessert", "ice cream", "ice creams", "juice", "lettuce", "liqueur", "melons",
        "milk", "muffin", "mushroom", "mushrooms", "noodles", "oil", "onions", "pasta", "peas", "peppers", "pie", "pork",
        "potato", "potatoes", "rice", "roll", "rolls", "salad", "salad dressing", "sandwich", "sauce", "sausage",
        "soft drink", "soup", "squash", "stew", "sugar", "sugars", "syrup", "syrups", "tea", "tomatoes", "turkey", "vinegar",
        "water", "wine", "yogurt",
    }
)  # fmt: skip
# Kinds whose members are called by their own name too: "Cheese, cheddar" is a cheddar.
_KINDS_WITH_NAMES = frozenset(
    {"cheese", "lettuce", "liqueur", "melons", "mushrooms", "pasta", "peppers", "pork", "squash"}
)
_END_OF_HEAD = re.compile(
    r"\b(?:with|without|in|and|or|made|from|on|for|as|w|includes?|topped|filled|style|type|nfs|ns)\b|[(/&]"
)
_PLANT_PARTS = frozenset({"root", "bulb", "fruit"})
_BRACKETS = re.compile(r"\([^)]*\)")

# How likely a food with this word is meant by somebody who does not say the word.
_WEIGHTS = {
    "fresh": 0.6, "nfs": 2.2, "plain": 1.2, "regular": 0.8, "whole": 0.3, "brewed": 1.0, "table": 0.3,
    "canned": -1.0, "frozen": -0.6, "dried": -1.5, "dehydrated": -2.5, "powder": -2.5, "powdered": -2.5, "dry": -1.2,
    "concentrate": -2.0, "unprepared": -2.5, "mix": -2.0, "condensed": -2.0, "evaporated": -2.0, "instant": -1.2,
    "fried": -0.8, "breaded": -1.2, "coated": -1.2, "battered": -1.2, "pickled": -1.2, "candied": -1.5, "toasted": -0.8,
    "flavored": -1.0, "sweetened": -1.0, "imitation": -3.0, "substitute": -3.0, "analog": -3.0, "analogue": -3.0,
    "decaffeinated": -1.5, "diet": -1.2, "light": -0.7, "lite": -0.7, "reduced": -0.6, "low": -0.5, "lowfat": -0.5,
    "nonfat": -0.3, "free": -0.6, "fortified": -0.5, "enriched": 0.0, "unenriched": -0.8, "unsweetened": -0.2,
    "baby": -2.0, "babyfood": -5.0, "infant": -5.0, "toddler": -5.0, "formula": -5.0, "junior": -3.0, "strained": -3.0,
    "ingredient": -4.0, "alaska": -3.0, "navajo": -3.0, "hopi": -3.0, "shoshone": -3.0, "apache": -3.0, "indian": -0.5,
    "southwest": -3.0, "plains": -3.0, "bran": -0.7, "germ": -1.0, "hull": -2.0, "seed": -0.4, "leaf": -0.4, "skin": -0.2,
    "giblet": -3.0, "liver": -1.5, "heart": -2.0, "kidney": -1.5, "tongue": -2.0, "brain": -3.0, "tail": -1.5, "feet": -3.0,
    "fat": -0.1, "separable": -1.5, "bone": -0.5, "byproduct": -3.0, "mechanically": -3.0, "school": -2.0,
    "overripe": -1.2, "crude": -1.5, "glutinous": -1.0, "calcium": -0.8, "vitamin": -0.8, "salt": -0.1, "extra": -0.4,
    "sauce": -0.6, "gravy": -0.8, "dip": -0.6, "filling": -1.5, "topping": -1.0, "spread": -0.4, "smoked": -0.9,
    "cured": -0.8, "dressing": -0.6, "creamed": -0.8, "added": -0.4, "no": 0.5, "butter": -0.6, "margarine": -0.8, "sugar": -0.3, "cream": -0.3, "cheese": -0.3, "salad": -1.2, "stick": -0.6, "nonalcoholic": -1.5, "meatless": -3.0, "mock": -3.0, "sprouted": -1.5, "honey": -0.6, "glazed": -1.0, "ground": -0.4, "scalloped": -0.8, "mashed": -0.4, "stuffed": -1.0,
}  # fmt: skip
# How a food is when nothing is said of it, by what it is.
_PLAIN_STATES = {
    FoodCategory.FRUIT: {"raw": 1.8, "cooked": -0.8, "juice": -0.5},
    FoodCategory.VEGETABLE: {"raw": 1.5, "cooked": 0.3, "boiled": 0.3},
    FoodCategory.NUT: {"raw": 0.5, "unsalted": 0.3},
    FoodCategory.GRAIN: {"cooked": 1.2, "raw": 0.2, "white": 0.4, "uncooked": -0.6},
    FoodCategory.LEGUME: {"cooked": 1.0, "raw": -0.3, "mature": 0.2},
    FoodCategory.PROTEIN: {"raw": 0.9, "cooked": 0.7, "boiled": 0.3, "baked": 0.4, "roasted": 0.3, "grilled": 0.5},
    FoodCategory.DAIRY: {"raw": -0.3},
}
_SOURCES = {
    "USDA_SURVEY": 0.4,
    "USDA_FOUNDATION": 0.2,
    "FITTRACKER": 0.6,
    "USDA_BRANDED": -4.0,
    "OPEN_FOOD_FACTS": -4.0,
}
# Of a database of products, names of at most so many words stand in the first band of the search, and so on; longer ones in the last.
_LONGEST_OF_BANDS = (2, 3, 5)
BANDS = len(_LONGEST_OF_BANDS) + 1
_LONG_WORD_COUNT = 9
_IN_CAPITALS = re.compile(r"\b[A-Z'&]{4,}\b")
_SKIN_ALONE = re.compile(r", skin(?! eaten| not)\b(?: only)?(?: \(|,|$)")
_OTHER_WAY, _SHELF_ALONE, _MEMBER_ALONE = 0.4, 1.0, 3.5


@dataclass(frozen=True, slots=True)
class FoodName:
    """A name taken apart. `rank` is how likely it is meant among foods that fit the words equally well.

    `band` is where it stands among names by the hundred thousand: the fewer words, the earlier it is read.
    """

    heads: tuple[tuple[Words, float], ...]
    words: Words
    rank: float
    band: int


def read_name(name: str, brand: str | None, category: FoodCategory, source: str) -> FoodName:
    parts = [part.strip() for part in fold(_BRACKETS.sub(" ", name)).split(",") if part.strip()] or [fold(name)]
    of_name = words_of(name)
    words = (*of_name, *words_of(brand)) if brand else of_name
    heads = tuple((head, cost) for head, cost in _heads(parts) if head) or ((words or ("",), 0.0),)
    rank = round(_rank(name, words, heads, category, source), 2)
    band = 1 + bisect_left(_LONGEST_OF_BANDS, len(of_name))
    return FoodName(heads, tuple(dict.fromkeys(words)), rank, band)


def _heads(parts: list[str]) -> Iterator[tuple[Words, float]]:
    first, *more = parts
    if first in _SHELVES and more:
        yield from _heads(more)
        yield (*_head(more[0]), *words_of(first)), _OTHER_WAY
        yield words_of(first), _SHELF_ALONE
        return
    head = _head(first)
    yield head, 0.0
    if (short := head[:-1]) and head[-1] in _PLANT_PARTS:  # "ginger root" is what "ginger" means
        yield short, 0.0
    if first in _KINDS and more:
        member = _head(more[0])
        yield (*member, *words_of(first)), _OTHER_WAY
        yield member, _OTHER_WAY if first in _KINDS_WITH_NAMES else _MEMBER_ALONE
        if len(more) > 1 and first == "squash":  # summer and winter come between
            yield _head(more[1]), _OTHER_WAY


def _head(part: str) -> Words:
    """Up to the first preposition, unless it begins with one."""
    found = _END_OF_HEAD.search(part)
    return words_of(part[: found.start()] if found and found.start() else part)


def _rank(
    name: str, words: Words, heads: tuple[tuple[Words, float], ...], category: FoodCategory, source: str
) -> float:
    in_head = set(heads[0][0])
    states = _PLAIN_STATES.get(category, {})
    rank = _SOURCES.get(source, 0.0)
    rank += sum(states.get(word, _WEIGHTS.get(word, -0.1)) for word in set(words) if word not in in_head)
    rank += sum(min(0.0, _WEIGHTS.get(word, 0.0)) for word in in_head)
    if category is FoodCategory.BABY_FOOD:
        rank -= 4
    if _IN_CAPITALS.search(name):  # a maker's or a restaurant's
        rank -= 1.5
    if _SKIN_ALONE.search(name.lower()):  # the skin alone
        rank -= 3
    rank -= 0.2 * max(0, len(words) - _LONG_WORD_COUNT)
    return max(-9.0, min(6.0, rank))
