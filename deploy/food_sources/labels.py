"""What labels tell, as the catalogue keeps it: portions, barcodes, amounts of 100 g from those of a serving, kinds of food."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from deploy.sample_data.rebuild import CATEGORIES
from subgraphs.nutrition.domain.catalogue_food import LONGEST_LABEL, rounded_amount, shortened
from subgraphs.nutrition.domain.food import (
    HEAVIEST_PORTION_GRAMS,
    LIGHTEST_PORTION_GRAMS,
    FoodCategory,
    Portion,
)

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
_NO_MEASURE = "serving"


def category_of(shelf: str) -> FoodCategory:
    """What kind of food stands on a shelf with this name; OTHER where nothing is known."""
    lowered = shelf.casefold()
    for name, pattern in (*_SHELVES, *CATEGORIES):
        if re.search(pattern, lowered):
            return FoodCategory(name)
    return FoodCategory.OTHER


def number(text: object) -> Decimal | None:
    """A finite number, None for anything else, with which sources fill what they do not know."""
    if text is None or isinstance(text, bool) or text == "":
        return None
    try:
        value = Decimal(str(text).strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def per_100_of_serving(amount: Decimal, serving: Decimal) -> Decimal:
    """Of 100 g, from what a serving of so many grams has."""
    return rounded_amount(amount * 100 / serving)


def portion_of(label: str, grams: Decimal | None) -> tuple[Portion, ...]:
    """The household measure of a label; none where it has no weight that a portion can have."""
    if grams is None or not LIGHTEST_PORTION_GRAMS <= grams <= HEAVIEST_PORTION_GRAMS:
        return ()
    return (Portion(shortened(label, LONGEST_LABEL) or _NO_MEASURE, round(grams, 2)),)
