"""What of a food of one's own others see once it is shown to them, to whom it may be shown, and what it is found by. Pure."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from enum import StrEnum

import msgspec

from subgraphs.nutrition.domain.declaration import Declaration
from subgraphs.nutrition.domain.food import FoodCategory, Portion
from subgraphs.nutrition.domain.nutrients import Nutrients
from subgraphs.nutrition.domain.recipe import Recipe

#: Of one person, withdrawn ones among them.
MOST_PUBLISHED = 200


class FoodAudience(StrEnum):
    """To whom a person shows a food."""

    READERS = "READERS"
    EVERYBODY = "EVERYBODY"


class FoodVisibility(StrEnum):
    """Who sees a food of one's own."""

    PRIVATE = "PRIVATE"
    READERS = "READERS"
    EVERYBODY = "EVERYBODY"
    HIDDEN = "HIDDEN"
    WITHDRAWN = "WITHDRAWN"


class PublishedIngredient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a dish. `food_id` is of the catalogue; None where the ingredient is a food of its author's own."""

    name: str
    grams: Decimal
    food_id: str | None = None


class PublishedRecipe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a dish is made. `yield_grams` is what it weighs cooked; None: what its ingredients do."""

    servings: Decimal
    ingredients: tuple[PublishedIngredient, ...]
    yield_grams: Decimal | None = None
    instructions: str | None = None

    @property
    def is_of_catalogue(self) -> bool:
        """Whether everybody has all of its ingredients."""
        return all(each.food_id is not None for each in self.ingredients)


class PublishedContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The numbers of a food as they were when it was published; portions are (label, grams)."""

    per_100: Nutrients
    portions: tuple[tuple[str, Decimal], ...] = ()
    contains: tuple[str, ...] = ()
    free_from: tuple[str, ...] = ()
    recipe: PublishedRecipe | None = None

    @property
    def declared(self) -> Declaration:
        return Declaration(frozenset(self.contains), frozenset(self.free_from))


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(PublishedContent)


def encode_published(content: PublishedContent) -> str:
    return _encoder.encode(content).decode()


def decode_published(text: str) -> PublishedContent:
    return _decoder.decode(text)


def published_content(
    per_100: Nutrients,
    portions: Iterable[Portion],
    declared: Declaration,
    recipe: Recipe | None,
    catalogue: Collection[str],
) -> PublishedContent:
    """What others see of a food. `catalogue` are the ids of ingredients that everybody has; the others lose theirs."""
    return PublishedContent(
        per_100=per_100,
        portions=tuple((portion.label, portion.grams) for portion in portions),
        contains=tuple(sorted(declared.contains)),
        free_from=tuple(sorted(declared.free_from)),
        recipe=None if recipe is None else _published_recipe(recipe, catalogue),
    )


def _published_recipe(recipe: Recipe, catalogue: Collection[str]) -> PublishedRecipe:
    return PublishedRecipe(
        servings=recipe.servings,
        yield_grams=recipe.yield_grams,
        instructions=recipe.instructions,
        ingredients=tuple(
            PublishedIngredient(
                name=item.food_name, grams=item.grams, food_id=item.food_id if item.food_id in catalogue else None
            )
            for item in recipe.ingredients
        ),
    )


def labels_of(
    *,
    words: Iterable[str] = (),
    category: FoodCategory | None = None,
    gtin: str | None = None,
    is_recipe: bool | None = None,
) -> list[str]:
    """What a published food is found by, in one list, so that one index answers whatever is asked for together.

    `words` are those of its name and its maker, as `words_of` makes them, which have no `=`; `gtin` has 14 digits.
    """
    labels = set(words)
    if category is not None:
        labels.add(f"category={category.value}")
    if gtin is not None:
        labels.add(f"gtin={gtin}")
    if is_recipe is not None:
        labels.add("is=recipe" if is_recipe else "is=food")
    return sorted(labels)
