"""What foods are told to contain, in GraphQL, and how a food goes with what the viewer avoids."""

import strawberry

from subgraphs.nutrition.domain.declaration import (
    Allergen,
    Declaration,
    Diet,
    Fit,
    Preferences,
    check_declaration,
    declare,
)
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import Checks
from subgraphs.shell.scalars import describe_enum

describe_enum(
    Allergen,
    "What labels have to name because some people do not bear it (EU 1169/2011, annex II).",
    GLUTEN="Cereals that contain gluten, such as wheat, rye and barley.",
    CRUSTACEANS="Crustaceans, such as shrimps and crabs.",
    EGGS="Eggs.",
    FISH="Fish.",
    PEANUTS="Peanuts.",
    SOYBEANS="Soybeans.",
    MILK="Milk, with its lactose.",
    NUTS="Tree nuts, such as almonds, hazelnuts and walnuts.",
    CELERY="Celery.",
    MUSTARD="Mustard.",
    SESAME="Sesame seeds.",
    SULPHITES="Sulphur dioxide and sulphites, above 10 mg a kilogram.",
    LUPIN="Lupin.",
    MOLLUSCS="Molluscs, such as mussels and squid.",
)
describe_enum(
    Diet,
    "How somebody eats.",
    VEGETARIAN="Without meat and fish.",
    VEGAN="Without anything that animals give.",
)
describe_enum(
    Fit,
    "How a food goes with what somebody avoids.",
    CONFLICTS="Something of it is told to be in the food, or by its label perhaps in traces.",
    UNKNOWN="Not everything of it is told to be absent. It may be in the food.",
    FITS="The food is told to be free of all of it.",
)

_LONG = [list_size(4)]


@strawberry.type(
    description=(
        "What a food is told to contain and to be free of; of what stands in neither list nothing is known. Labels and recipes"
        " change: what stands on the package counts. Of a recipe: by its ingredients as they are now."
    )
)
class FoodDeclaration:
    contains: list[Allergen] = strawberry.field(
        description="Allergens that are in it, or by its label may be in it in traces.", directives=_LONG
    )
    free_from: list[Allergen] = strawberry.field(
        description="Allergens that are told not to be in it.", directives=_LONG
    )
    suits: list[Diet] = strawberry.field(description="Diets that it is told to suit.", directives=_LONG)
    suits_not: list[Diet] = strawberry.field(
        description="Diets that it does not suit, as is told or follows from what is in it.", directives=_LONG
    )


@strawberry.type(
    description="How a food goes with what the viewer avoids, by what is told of it. No medical advice: the package counts."
)
class DietaryFit:
    fit: Fit = strawberry.field(description="All in all.")
    contains: list[Allergen] = strawberry.field(
        description="What the viewer avoids and the food contains, or may by its label.", directives=_LONG
    )
    not_known: list[Allergen] = strawberry.field(
        description="What the viewer avoids and of which nothing is told.", directives=_LONG
    )
    diet: Fit | None = strawberry.field(description="How it goes with the viewer's diet; null without one.")


@strawberry.input(description="What stands on the label of a food; what is in neither list is not known.")
class FoodDeclarationInput:
    contains: list[Allergen] = strawberry.field(default_factory=list, description="Allergens that are in it.")
    free_from: list[Allergen] = strawberry.field(
        default_factory=list, description="Allergens that are not in it; none that it contains."
    )
    suits: list[Diet] = strawberry.field(
        default_factory=list, description="Diets that it suits; none that what is in it rules out."
    )
    suits_not: list[Diet] = strawberry.field(default_factory=list, description="Diets that it does not suit.")

    def to_declaration(self) -> Declaration:
        """Raises ValidationError for what is told both ways."""
        checks = Checks()
        check_declaration(checks, self.contains, self.free_from, self.suits, self.suits_not)
        checks.done()
        return declare(contains=self.contains, free_from=self.free_from, suits=self.suits, suits_not=self.suits_not)


def declaration_node(told: Declaration) -> FoodDeclaration:
    return FoodDeclaration(
        contains=told.allergens, free_from=told.absent_allergens, suits=told.suits, suits_not=told.suits_not
    )


def dietary_fit_node(told: Declaration, preferences: Preferences) -> DietaryFit:
    avoided = [each for each in Allergen if each in preferences.avoid]
    diet = None if preferences.diet is None else told.fit(Preferences(diet=preferences.diet).avoided)
    return DietaryFit(
        fit=told.fit(preferences.avoided),
        contains=[each for each in avoided if each in told.contains],
        not_known=[each for each in avoided if each not in told.contains | told.free_from],
        diet=diet,
    )
