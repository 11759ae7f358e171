"""What is told of a food: that something is in it, that it is free of it, or neither. What is not told is never taken for absent.

Allergens are the fourteen that labels have to name (EU 1169/2011, annex II). A diet is avoided like an allergen: who eats as a
vegetarian avoids meat and fish, who eats as a vegan all that animals give.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from subgraphs.shell.errors import Checks


class Allergen(StrEnum):
    GLUTEN = "GLUTEN"
    CRUSTACEANS = "CRUSTACEANS"
    EGGS = "EGGS"
    FISH = "FISH"
    PEANUTS = "PEANUTS"
    SOYBEANS = "SOYBEANS"
    MILK = "MILK"
    NUTS = "NUTS"
    CELERY = "CELERY"
    MUSTARD = "MUSTARD"
    SESAME = "SESAME"
    SULPHITES = "SULPHITES"
    LUPIN = "LUPIN"
    MOLLUSCS = "MOLLUSCS"


class Diet(StrEnum):
    VEGETARIAN = "VEGETARIAN"
    VEGAN = "VEGAN"


class Fit(StrEnum):
    """How a food goes with what is avoided, the least well first."""

    CONFLICTS = "CONFLICTS"
    UNKNOWN = "UNKNOWN"
    FITS = "FITS"

    def is_at_least(self, other: "Fit") -> bool:
        ordered = tuple(Fit)
        return ordered.index(self) >= ordered.index(other)


_MEAT_OR_FISH = "MEAT_OR_FISH"
_OF_ANIMALS = "OF_ANIMALS"
#: What a diet avoids, as it stands beside allergens in the stored lists.
_AVOIDED = {Diet.VEGETARIAN: _MEAT_OR_FISH, Diet.VEGAN: _OF_ANIMALS}


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a food is told to contain and to be free of, by the names of allergens and of what diets avoid; never both."""

    contains: frozenset[str] = frozenset()
    free_from: frozenset[str] = frozenset()

    @property
    def allergens(self) -> list[Allergen]:
        """Those in it, in the order of the law."""
        return [each for each in Allergen if each in self.contains]

    @property
    def absent_allergens(self) -> list[Allergen]:
        return [each for each in Allergen if each in self.free_from]

    @property
    def suits(self) -> list[Diet]:
        return [diet for diet, avoided in _AVOIDED.items() if avoided in self.free_from]

    @property
    def suits_not(self) -> list[Diet]:
        return [diet for diet, avoided in _AVOIDED.items() if avoided in self.contains]

    def fit(self, avoided: Collection[str]) -> Fit:
        """Whether it has any of what is avoided, none of it, or is not told enough."""
        if self.contains.intersection(avoided):
            return Fit.CONFLICTS
        return Fit.FITS if self.free_from.issuperset(avoided) else Fit.UNKNOWN


#: Of most foods.
NOTHING_TOLD = Declaration()


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person avoids, and how the person eats; `version` is 0 before anything was chosen."""

    avoid: frozenset[Allergen] = frozenset()
    diet: Diet | None = None
    version: int = 0

    @property
    def avoided(self) -> frozenset[str]:
        """As `Declaration` names it; empty for who avoids nothing."""
        of_diet = frozenset() if self.diet is None else frozenset({_AVOIDED[self.diet]})
        return frozenset(self.avoid) | of_diet


def declare(
    *,
    contains: Iterable[Allergen] = (),
    free_from: Iterable[Allergen] = (),
    suits: Iterable[Diet] = (),
    suits_not: Iterable[Diet] = (),
    traces: Iterable[Allergen] = (),
) -> Declaration:
    """What was told and what follows from it. Of what is told both ways, what is in the food counts.

    `traces` may be in it, by the label: they count as contained, and say nothing of a diet.
    """
    found = {*contains, *(_AVOIDED[diet] for diet in suits_not)}
    if found & {Allergen.FISH, Allergen.CRUSTACEANS, Allergen.MOLLUSCS}:
        found.add(_MEAT_OR_FISH)
    if found & {Allergen.MILK, Allergen.EGGS, _MEAT_OR_FISH}:
        found.add(_OF_ANIMALS)
    absent = {*free_from, *(_AVOIDED[diet] for diet in suits)}
    if _OF_ANIMALS in absent:
        absent.add(_MEAT_OR_FISH)
    told = frozenset(str(each) for each in found | set(traces))
    return Declaration(told, frozenset(str(each) for each in absent) - told)


def check_declaration(
    checks: Checks,
    contains: Collection[Allergen],
    free_from: Collection[Allergen],
    suits: Collection[Diet],
    suits_not: Collection[Diet],
) -> None:
    """A person tells each thing one way, and nothing that what is in the food rules out."""
    message = "cannot hold what the food contains"
    checks.require(not set(contains) & set(free_from), "declared.freeFrom", message)
    ruled_out = declare(contains=contains, suits_not=suits_not).suits_not
    checks.require(
        not set(suits) & set(ruled_out), "declared.suits", "cannot hold a diet that what is in the food rules out"
    )


def of_ingredients(parts: Iterable[Declaration]) -> Declaration:
    """What is in any of them is in the dish; it is free of what all of them are free of. Of nothing, nothing is told."""
    told = list(parts)
    if not told:
        return NOTHING_TOLD
    contains = frozenset().union(*(part.contains for part in told))
    return Declaration(contains, frozenset.intersection(*(part.free_from for part in told)) - contains)


def stored(names: frozenset[str]) -> list[str] | None:
    """As a column keeps it: in an order of its own, and nothing where nothing is told."""
    return sorted(names) or None
