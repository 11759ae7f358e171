"""Foods in GraphQL: the entity with its two keys, the search, and foods of one's own."""

from decimal import Decimal
from typing import Any

import strawberry

from subgraphs.context import Info
from subgraphs.errors import ValidationError
from subgraphs.nutrition.api.nutrients import Nutrients, NutrientsInput, nutrients_node
from subgraphs.nutrition.commands import food as commands
from subgraphs.nutrition.domain import food as domain
from subgraphs.nutrition.domain.gtin import normalise_gtin
from subgraphs.nutrition.domain.nutrients import decode_nutrients
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.food import FoodRecord, FoodSearch, FoundFood, search_foods
from subgraphs.pagination import Connection, connect, read_page
from subgraphs.scalars import CACHE_PUBLIC_HOUR, CacheControl, CacheControlScope, decimal_of, rounded

FoodCategory = strawberry.enum(domain.FoodCategory)
LEAST_LETTERS = 2
_CACHE_FOR_VIEWER = CacheControl(max_age=60, scope=CacheControlScope.PRIVATE)


@strawberry.type(description="A household measure of a food.")
class Portion:
    label: str
    grams: float


@strawberry.federation.type(
    keys=["id", "gtin"], description="Something to eat or drink.", directives=[CACHE_PUBLIC_HOUR]
)
class Food:
    record: strawberry.Private[FoodRecord]
    id: strawberry.ID
    name: str
    brand: str | None
    gtin: str | None = strawberry.field(description="The barcode, as 14 digits.")
    category: domain.FoodCategory
    source: str = strawberry.field(description="Where its numbers come from; USER for a person's own food.")
    verified: bool
    version: int

    @classmethod
    async def resolve_reference(
        cls, info: Info, id: strawberry.ID | None = None, gtin: str | None = None, **_: object
    ) -> "Food | None":
        if id is not None:
            return await load_food(info, id)
        return None if gtin is None else await load_food_by_barcode(info, gtin)

    @strawberry.field(description="What 100 g of it hold.")
    def per100(self) -> Nutrients:
        return nutrients_node(decode_nutrients(self.record.per_100))

    @strawberry.field
    async def portions(self, info: Info) -> list[Portion]:
        portions = await loaders_of(info).portions_by_food.load(self.id)
        return [Portion(label=portion.label, grams=rounded(portion.grams)) for portion in portions]


def food_node(record: FoodRecord) -> Food:
    return Food(
        record=record,
        id=strawberry.ID(record.id),
        name=record.name,
        brand=record.brand,
        gtin=record.gtin,
        category=domain.FoodCategory(record.category),
        source=record.source,
        verified=record.verified,
        version=record.version,
    )


def _viewer_id(info: Info) -> str | None:
    """Foods of the catalogue are for everybody, signed in or not."""
    viewer = info.context.viewer_or_none
    return None if viewer is None else viewer.id


async def load_food(info: Info, food_id: str) -> Food | None:
    """The food, unless it is another person's own."""
    record = await loaders_of(info).food_by_id.load(food_id)
    return food_node(record) if record is not None and record.is_visible_to(_viewer_id(info)) else None


async def load_food_by_barcode(info: Info, gtin: str) -> Food | None:
    normal = normalise_gtin(gtin)
    record = None if normal is None else await loaders_of(info).food_by_gtin.load(normal)
    return None if record is None else food_node(record)


@strawberry.type
class FoodQuery:
    # Own foods are among the answers, so these two may not be cached for everybody as Food itself may.
    @strawberry.field(description="A food of the catalogue, or of the viewer.", directives=[_CACHE_FOR_VIEWER])
    async def food(self, info: Info, id: strawberry.ID) -> Food | None:
        return await load_food(info, id)

    @strawberry.field(description="The food of the catalogue with this barcode: GTIN-8, -12, -13 or -14.")
    async def food_by_barcode(self, info: Info, gtin: str) -> Food | None:
        if normalise_gtin(gtin) is None:
            raise ValidationError(("gtin", "must be a GTIN of 8, 12, 13 or 14 digits with its check digit"))
        return await load_food_by_barcode(info, gtin)

    @strawberry.field(
        description="Foods by name, or best fit first where words are searched for.", directives=[_CACHE_FOR_VIEWER]
    )
    async def foods(
        self,
        info: Info,
        search: str | None = None,
        category: domain.FoodCategory | None = None,
        verified: bool | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Food]:
        words = (search or "").strip() or None
        if words is not None and not LEAST_LETTERS <= len(words) <= 100:
            raise ValidationError(("search", f"must have {LEAST_LETTERS} to 100 characters"))
        page = read_page(first, after, (str, str, str))
        wanted = FoodSearch(_viewer_id(info), words, category.value if category else None, verified)
        async with info.context.resources.database.reading() as connection:
            found = await search_foods(connection, wanted, _with_score(page.after), page.limit)
        return connect(found, page, lambda each: food_node(each.food), _sort_keys)


def _sort_keys(found: FoundFood) -> tuple[Any, ...]:
    return str(found.score), found.food.name.lower(), found.food.id


def _with_score(after: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    """Scores travel as text in cursors, so that they come back exact."""
    if after is None:
        return None
    try:
        return Decimal(after[0]), after[1], after[2]
    except ArithmeticError:
        raise ValidationError(("after", "is not a cursor of this list")) from None


@strawberry.input
class PortionInput:
    label: str
    grams: float


@strawberry.input
class CreateFoodInput:
    name: str
    category: domain.FoodCategory
    per100: NutrientsInput
    brand: str | None = None
    gtin: str | None = None
    portions: list[PortionInput] = strawberry.field(default_factory=list)


@strawberry.type
class CreateFoodPayload:
    food: Food


@strawberry.type
class FoodMutation:
    @strawberry.mutation(description="Add a food that only the viewer sees.")
    async def create_food(self, info: Info, input: CreateFoodInput) -> CreateFoodPayload:
        resources = info.context.resources
        new = commands.NewFood(
            name=input.name,
            category=input.category,
            per_100=input.per100.to_nutrients(),
            brand=input.brand,
            gtin=input.gtin,
            portions=[domain.Portion(portion.label, decimal_of(portion.grams, 2)) for portion in input.portions],
        )
        record = await commands.create_food(info.context.viewer, new, database=resources.database, now=resources.now())
        info.context.renew_loaders()
        return CreateFoodPayload(food=food_node(record))
