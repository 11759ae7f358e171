"""What kind of food stands on a shelf of a shop."""

from __future__ import annotations

import re

from deploy.sample_data.rebuild import CATEGORIES
from subgraphs.nutrition.domain.food import FoodCategory

# Shelves of shops that the composition tables do not have, before their patterns.
_SHELVES = (
    ("SWEET", r"cupcake|snack cake"),
    ("SNACK", r"snack|chips|pretzel|granola bar"),
    ("BEVERAGE", r"\bsoda|\balcohol|tea bags|energy|sport"),
    ("SWEET", r"chocolate|confection|gum|mints|honey|frozen dessert|dessert topping"),
    ("CONDIMENT", r"seasoning|marinade|ketchup|pickle|baking (?:additive|decoration)|extract"),
    ("MEAL", r"dinner|entree|appetizer|soups?\b|chili|stew|sushi|wraps|deli salad|prepared side"),
    ("PROTEIN", r"salami|cold cut|pepperoni|seafood|tuna|salmon|shellfish"),
    ("GRAIN", r"noodle|dough|crust|bakery|pastry|flour|breads?\b"),
)


def category_of(shelf: str) -> FoodCategory:
    """What kind of food stands on a shelf with this name; OTHER where nothing is known."""
    lowered = shelf.casefold()
    for name, pattern in (*_SHELVES, *CATEGORIES):
        if re.search(pattern, lowered):
            return FoodCategory(name)
    return FoodCategory.OTHER
