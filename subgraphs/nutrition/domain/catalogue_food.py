"""A food as a database of products tells it, before it is taken into the catalogue."""

import hashlib
import json
import re
import uuid
from dataclasses import dataclass
from decimal import Decimal

from subgraphs.nutrition.domain.declaration import NOTHING_TOLD, Declaration, stored
from subgraphs.nutrition.domain.food import FoodCategory, Portion, check_food
from subgraphs.nutrition.domain.food_source import BulkSource
from subgraphs.nutrition.domain.nutrients import Nutrients, encode
from subgraphs.shell.errors import Checks

_NAMESPACE = uuid.UUID("6f7d5c0e-8a55-4d0a-9d8e-3f1c52f3a7b1")
_OF_THIS_FOOD = re.compile(r",(?: they are)? [\d.]+$")
LONGEST_NAME, LONGEST_BRAND, LONGEST_LABEL = 200, 100, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFood:
    """Amounts are per 100 g. `code` is what the source calls the food from one release to the next: the barcode if there is one."""

    source: BulkSource
    code: str
    name: str
    category: FoodCategory
    per_100: Nutrients
    brand: str | None = None
    gtin: str | None = None
    portions: tuple[Portion, ...] = ()
    declared: Declaration = NOTHING_TOLD

    @property
    def id(self) -> str:
        """The same on every machine, a UUIDv5 of source and code: a load finds what an earlier one wrote."""
        return f"food_{uuid.uuid5(_NAMESPACE, f'{self.source}:{self.code}')}"

    @property
    def digest(self) -> bytes:
        """Equal for equal content, so that a load writes nothing where nothing changed."""
        portions = [[portion.label, str(portion.grams)] for portion in self.portions]
        content: list[object] = [self.name, self.brand, self.gtin, self.category, encode(self.per_100), portions]
        if self.declared != NOTHING_TOLD:  # what tells nothing of it is as it was before there was any
            content += [stored(self.declared.contains), stored(self.declared.free_from)]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).digest()[:16]


def refusal_of(food: CatalogueFood) -> str | None:
    """The first rule that the food breaks, of those for a food that a person enters; None if none.

    In the same words for all foods that break it: loads count them.
    """
    checks = Checks()
    check_food(checks, food.name, food.brand, food.per_100, food.portions)
    if not checks.violations:
        return None
    place, message = checks.violations[0]
    if " with this " in message:
        return f"{place} does not fit the protein, carbohydrate, fat and alcohol"
    return f"{place} {_OF_THIS_FOOD.sub('', message)}"


def shortened(text: str, longest: int) -> str:
    """One line of at most so many characters, cut at a blank where there is one near the end."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if len(line) <= longest:
        return line
    cut = line[:longest]
    return (cut[: cut.rfind(" ")] if " " in cut[longest // 2 :] else cut).rstrip(" ,;-")


def readable_name(text: str) -> str:
    """Sources write names in capitals and tell the flavour twice: "RICE CAKES, RICE CAKES" is "Rice cakes"."""
    name = shortened(text, LONGEST_NAME)
    if name.isupper():
        name = name.capitalize()
    first, _, last = name.rpartition(", ")
    return first if first and last.casefold() in first.casefold() else name


def rounded_amount(value: Decimal) -> Decimal:
    """To a thousandth, as amounts of foods are told, without zeros at the end."""
    rounded = round(value, 3).normalize()
    return rounded.quantize(Decimal(1)) if rounded == rounded.to_integral_value() else rounded
