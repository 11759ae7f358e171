"""Foods that people show others, in GraphQL: the type, and where they are found. Changes are in `published_food_mutations`.

A type of its own has what others see of a food, so that nothing that a food gains later is shown by oversight.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.nutrition.api.declaration import FoodDeclaration, declaration_node
from subgraphs.nutrition.api.food_category import FoodCategory
from subgraphs.nutrition.api.nutrients import Nutrients, nutrients_node
from subgraphs.nutrition.api.portion import Portion
from subgraphs.nutrition.domain.food import MOST_PORTIONS
from subgraphs.nutrition.domain.gtin import normalise_gtin
from subgraphs.nutrition.domain.published_food import (
    FoodAudience,
    FoodVisibility,
    PublishedContent,
    PublishedIngredient,
    PublishedRecipe,
    decode_published,
    labels_of,
)
from subgraphs.nutrition.domain.recipe import MOST_INGREDIENTS
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.published_food import PublishedFilter, PublishedFoodRecord, reported_foods_page
from subgraphs.shell.context import Info
from subgraphs.shell.cost import SEARCH_COST, list_size
from subgraphs.shell.errors import ValidationError
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.publication_type import ReportCount, report_counts
from subgraphs.shell.scalars import describe_enum, rounded, rounded_or_none
from subgraphs.shell.scopes import ADMINISTRATORS_ONLY, READS_DIARY
from subgraphs.shell.search.words import words_of_search
from subgraphs.shell.sharing import SHARED_DIARY, may_read

if TYPE_CHECKING:
    from subgraphs.nutrition.api.food import Food

LazyFood = Annotated["Food", strawberry.lazy("subgraphs.nutrition.api.food")]

describe_enum(
    FoodAudience,
    "To whom a person shows a food.",
    READERS="Whoever has a grant to read the person's diary.",
    EVERYBODY="Everybody who is signed in.",
)
describe_enum(
    FoodVisibility,
    "Who sees a food of one's own.",
    PRIVATE="Nobody else.",
    READERS="Whoever has a grant to read the person's diary sees what was published of it.",
    EVERYBODY="Everybody who is signed in sees what was published of it.",
    HIDDEN="It was published, and so many people reported it that nobody else sees it before administrators have decided.",
    WITHDRAWN="It was published, and administrators withdrew it: as PRIVATE, for good.",
)


@strawberry.type(description="A part of a dish that somebody shows others.")
class PublishedRecipeIngredient:
    ingredient: strawberry.Private[PublishedIngredient]
    name: str = strawberry.field(description="What the food was called when the recipe was written.")
    grams: float = strawberry.field(description="How much of it, in grams.")

    @strawberry.field(
        description="The food of the catalogue; null for one of the author's own, and for one that the catalogue has no more."
    )
    async def food(self, info: Info) -> LazyFood | None:
        from subgraphs.nutrition.api.food import load_food

        return None if self.ingredient.food_id is None else await load_food(info, self.ingredient.food_id)


@strawberry.type(description="How a dish is made that somebody shows others.")
class PublishedRecipeCard:
    recipe: strawberry.Private[PublishedRecipe]
    servings: float = strawberry.field(description="How many servings it makes.")
    yield_grams: float | None = strawberry.field(
        description="What the cooked dish weighs, in grams; null: what its ingredients do."
    )
    instructions: str | None = strawberry.field(description="How it is made; null if that is not told.")

    @strawberry.field(description=f"What it is made of, in order; 1 to {MOST_INGREDIENTS}.", directives=[list_size(8)])
    def ingredients(self) -> list[PublishedRecipeIngredient]:
        return [
            PublishedRecipeIngredient(ingredient=each, name=each.name, grams=rounded(each.grams))
            for each in self.recipe.ingredients
        ]


@strawberry.type(
    description="A food or recipe of one person as it was when the person showed it to others. It is none of the catalogue: nobody"
    " has checked it, and it is logged as a copy of one's own (`copyPublishedFood`).",
    directives=[SHARED_DIARY],
)
class PublishedFood:
    content: strawberry.Private[PublishedContent]
    id: strawberry.ID = strawberry.field(description="Identifies the published food in the whole graph.")
    name: str = strawberry.field(description="What its author calls it.")
    brand: str | None = strawberry.field(description="Who makes it; null for what has no maker.")
    gtin: str | None = strawberry.field(description="The barcode, as 14 digits; null without one.")
    category: FoodCategory = strawberry.field(description="What kind of food it is.")
    audience: FoodAudience = strawberry.field(description="Who sees it.")
    author_name: str | None = strawberry.field(
        description="How the person is called who published it; null where the person wants no name beside it."
    )
    food_version: int = strawberry.field(description="The version of its author's food that is shown.")
    published_at: datetime = strawberry.field(description="When it was published first.")

    @strawberry.field(description="What 100 g of it hold.")
    def per100(self) -> Nutrients:
        return nutrients_node(self.content.per_100)

    @strawberry.field(
        description=f"Its household measures, the commonest first; at most {MOST_PORTIONS}.", directives=[list_size(5)]
    )
    def portions(self) -> list[Portion]:
        return [Portion(label=label, grams=rounded(grams)) for label, grams in self.content.portions]

    @strawberry.field(
        description="What its author told of allergens and diets, or of a recipe its ingredients did then."
    )
    def declared(self) -> FoodDeclaration:
        return declaration_node(self.content.declared)

    @strawberry.field(description="How it is made; null for a food that no recipe makes.")
    def recipe(self) -> PublishedRecipeCard | None:
        made = self.content.recipe
        if made is None:
            return None
        return PublishedRecipeCard(
            recipe=made,
            servings=rounded(made.servings),
            yield_grams=rounded_or_none(made.yield_grams),
            instructions=made.instructions,
        )


def published_food_node(record: PublishedFoodRecord) -> PublishedFood:
    return PublishedFood(
        content=decode_published(record.content),
        id=strawberry.ID(record.id),
        name=record.name,
        brand=record.brand,
        gtin=record.gtin,
        category=FoodCategory(record.category),
        audience=FoodAudience(record.audience),
        author_name=record.author_name,
        food_version=record.food_version,
        published_at=record.published_at,
    )


async def readable_published_food(info: Info, id: str) -> PublishedFoodRecord | None:
    """What was published under this id, where the viewer is among those whom it is shown to.

    Raises UnauthenticatedError for nobody, whether or not there is such a food.
    """
    _ = info.context.viewer
    record = await loaders_of(info).published_food_by_id.load(id)
    if record is None or record.audience == FoodAudience.EVERYBODY:
        return record
    return record if await may_read(info, PublishedFood, record.user_id) else None


@strawberry.type(description="A published food that people reported, and nobody has decided about since.")
class ReportedFood:
    record: strawberry.Private[PublishedFoodRecord]
    reported_at: datetime = strawberry.field(description="When it was reported last.")
    author_id: strawberry.ID = strawberry.field(description="Who published it.")
    is_hidden: bool = strawberry.field(description="Whether so many reported it that nobody else sees it.")
    is_withdrawn: bool = strawberry.field(description="Whether it was withdrawn before.")

    @strawberry.field(description="What others see of it, or saw.")
    def food(self) -> PublishedFood:
        return published_food_node(self.record)

    @strawberry.field(description="For what, the most frequent reason first.", directives=[list_size(5)])
    async def reasons(self, info: Info) -> list[ReportCount]:
        return report_counts(await loaders_of(info).report_reasons_by_published_food.load(self.record.id))


def _reported_node(record: PublishedFoodRecord) -> ReportedFood:
    return ReportedFood(
        record=record,
        reported_at=_reported_at(record),
        author_id=strawberry.ID(record.user_id),
        is_hidden=record.is_hidden,
        is_withdrawn=record.withdrawn_at is not None,
    )


def _reported_at(record: PublishedFoodRecord) -> datetime:
    assert record.reported_at is not None  # the list is of those that were
    return record.reported_at


def _digits_of(gtin: str | None) -> str | None:
    """Raises ValidationError for what is no barcode."""
    normal = None if gtin is None else normalise_gtin(gtin)
    if gtin is not None and normal is None:
        raise ValidationError(("gtin", "must be a GTIN of 8, 12, 13 or 14 digits with its check digit"))
    return normal


@strawberry.type
class PublishedFoodQuery:
    @strawberry.field(
        description="One food that somebody shows the viewer, or everybody; null if there is none with this id, or none any more.",
        directives=[READS_DIARY],
    )
    async def published_food(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The published food's id.")]
    ) -> PublishedFood | None:
        record = await readable_published_food(info, id)
        return None if record is None else published_food_node(record)

    @strawberry.field(
        description="Foods and recipes that people show everybody, the newest first: none of them is of the catalogue, and `foods`"
        " finds none of them. `totalCount` is null.",
        directives=[READS_DIARY],
    )
    async def public_foods(
        self,
        info: Info,
        search: Annotated[
            str | None,
            strawberry.argument(
                description="Words that the name or the maker's has, 1 to 8, 100 characters at most. Null: any name.",
                directives=[SEARCH_COST],
            ),
        ] = None,
        category: Annotated[
            FoodCategory | None, strawberry.argument(description="Foods of this kind only. Null: of any.")
        ] = None,
        gtin: Annotated[
            str | None, strawberry.argument(description="A barcode of 8, 12, 13 or 14 digits. Null: any, or none.")
        ] = None,
        is_recipe: Annotated[
            bool | None, strawberry.argument(description="Recipes only, or foods that no recipe makes. Null: both.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[PublishedFood]:
        labels = labels_of(words=words_of_search(search), category=category, gtin=_digits_of(gtin), is_recipe=is_recipe)
        page = KeysetList("Query.publicFoods", "", (datetime, str)).page(first, after, last, before)
        records = await loaders_of(info).public_foods.load((PublishedFilter(tuple(labels)), page))
        return connect(records, page, published_food_node, lambda record: (record.published_at, record.id))

    @strawberry.field(
        description="Published foods that were reported, the latest report first; for administrators. `totalCount` is null.",
        directives=[ADMINISTRATORS_ONLY],
    )
    async def reported_foods(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[ReportedFood]:
        page = KeysetList("Query.reportedFoods", "", (datetime, str)).page(first, after, last, before)
        records = await info.context.resources.database.batch_reader(reported_foods_page)(page)
        return connect(records, page, _reported_node, lambda record: (_reported_at(record), record.id))
