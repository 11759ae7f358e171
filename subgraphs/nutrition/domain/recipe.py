"""What a recipe comes to: its ingredients as they were priced, what is left after cooking, and what a serving holds. Pure."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from subgraphs.nutrition.domain.food import (
    HEAVIEST_PORTION_GRAMS,
    LIGHTEST_PORTION_GRAMS,
    MOST_MACROS_G,
    MOST_PER_100,
    Portion,
)
from subgraphs.nutrition.domain.meal import HEAVIEST_GRAMS, LIGHTEST_GRAMS, Item, ItemDraft, check_amounts
from subgraphs.nutrition.domain.nutrients import OPTIONAL_NAMES, Nutrients, Totals, scale, total_of
from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line

SOURCE = "RECIPE"
SERVING = "serving"
MOST_RECIPES = 500
MOST_INGREDIENTS = 50
MOST_VERSIONS = 20
LONGEST_INSTRUCTIONS = 5000
FEWEST_SERVINGS, MOST_SERVINGS = Decimal("0.1"), Decimal(1000)
#: Of the ingredients' grams: a nutrient that is known of less is not told of the dish.
LEAST_KNOWN = Decimal("0.9")


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a recipe. `yield_grams` is what the cooked dish weighs; None: what its ingredients do."""

    servings: Decimal
    yield_grams: Decimal | None
    instructions: str | None
    ingredients: tuple[Item, ...]

    @property
    def totals(self) -> Totals:
        """What the whole dish holds; cooking takes water and no nutrients."""
        return total_of((item.grams, item.nutrients) for item in self.ingredients)

    @property
    def grams(self) -> Decimal:
        """What the whole dish weighs."""
        return self.totals.grams if self.yield_grams is None else self.yield_grams

    @property
    def per_serving(self) -> Totals:
        totals = self.totals
        known = {name: grams / self.servings for name, grams in totals.known_grams.items()}
        return Totals(
            nutrients=scale(totals.nutrients, 1 / self.servings), grams=totals.grams / self.servings, known_grams=known
        )

    @property
    def per_100(self) -> Nutrients:
        """Of the dish. A nutrient that is not known of nearly all of it is None."""
        totals = self.totals
        unknown = {name: None for name in OPTIONAL_NAMES if totals.known_fraction(name) < LEAST_KNOWN}
        return msgspec.structs.replace(scale(totals.nutrients, 100 / self.grams), **unknown)

    @property
    def portions(self) -> tuple[Portion, ...]:
        return (Portion(SERVING, round(self.grams / self.servings, 2)),)


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(Recipe)


def encode_recipe(recipe: Recipe) -> str:
    return _encoder.encode(recipe).decode()


def decode_recipe(text: str) -> Recipe:
    return _decoder.decode(text)


def check_recipe(
    checks: Checks,
    name: str,
    servings: Decimal,
    yield_grams: Decimal | None,
    instructions: str | None,
    drafts: Sequence[ItemDraft] | None,
) -> None:
    """What can be said before foods are known; `drafts` is None where the ingredients stay."""
    check_line(checks, name, "name", longest=200)
    in_range = FEWEST_SERVINGS <= servings <= MOST_SERVINGS
    checks.require(in_range, "servings", f"must be from {FEWEST_SERVINGS} to {MOST_SERVINGS}")
    in_range = yield_grams is None or LIGHTEST_GRAMS <= yield_grams <= HEAVIEST_GRAMS
    checks.require(in_range, "yieldGrams", f"must be from {LIGHTEST_GRAMS} to {HEAVIEST_GRAMS}")
    short = instructions is None or len(instructions) <= LONGEST_INSTRUCTIONS
    checks.require(short, "instructions", f"may have at most {LONGEST_INSTRUCTIONS} characters")
    if drafts is None:
        return
    within = 1 <= len(drafts) <= MOST_INGREDIENTS
    if checks.require(within, "ingredients", f"must have 1 to {MOST_INGREDIENTS} entries"):
        check_amounts(checks, drafts, "ingredients")


def check_dish(checks: Checks, recipe: Recipe) -> None:
    """That the dish is possible: 100 g of it hold no more than 100 g can, and a serving is a portion."""
    per_100 = recipe.per_100
    macros = per_100.protein_g + per_100.carbs_g + per_100.fat_g
    possible = macros <= MOST_MACROS_G and all(
        (getattr(per_100, name) or 0) <= most for name, most in MOST_PER_100.items()
    )
    checks.require(
        possible, "yieldGrams", "is less than the dish can weigh: 100 g of it would hold more than 100 g can"
    )
    (serving,) = recipe.portions
    is_portion = LIGHTEST_PORTION_GRAMS <= serving.grams <= HEAVIEST_PORTION_GRAMS
    told = f"make servings of {serving.grams} g; they may be {LIGHTEST_PORTION_GRAMS} to {HEAVIEST_PORTION_GRAMS} g"
    checks.require(is_portion, "servings", told)
