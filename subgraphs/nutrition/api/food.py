"""Foods in GraphQL: the entity with its two keys and the search. Changes to own foods are in `food_mutations`."""

from typing import Annotated

import strawberry

from subgraphs.nutrition.api.declaration import DietaryFit, FoodDeclaration, declaration_node, dietary_fit_node
from subgraphs.nutrition.api.food_category import FoodCategory
from subgraphs.nutrition.api.nutrients import Nutrients, nutrients_node
from subgraphs.nutrition.api.portion import Portion
from subgraphs.nutrition.api.published_food import PublishedFood, published_food_node
from subgraphs.nutrition.api.recipe import Recipe, recipe_node
from subgraphs.nutrition.commands.product_lookup import product_lookup_of
from subgraphs.nutrition.commands.published_food import visibility_of
from subgraphs.nutrition.domain.declaration import NOTHING_TOLD, Fit, Preferences
from subgraphs.nutrition.domain.food_source import attribution_of
from subgraphs.nutrition.domain.gtin import normalise_gtin
from subgraphs.nutrition.domain.nutrients import decode_nutrients
from subgraphs.nutrition.domain.published_food import FoodVisibility
from subgraphs.nutrition.domain.recipe import MOST_VERSIONS
from subgraphs.nutrition.domain.recipe import SOURCE as RECIPE_SOURCE
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.food import FoodFilter, FoodRecord
from subgraphs.shell.context import Info
from subgraphs.shell.cost import SEARCH_COST, list_size
from subgraphs.shell.errors import ValidationError
from subgraphs.shell.grant_area import GrantArea
from subgraphs.shell.keyset import KeysetList, Page
from subgraphs.shell.node import Node
from subgraphs.shell.pagination import After, Before, Connection, First, Last, connect
from subgraphs.shell.scalars import CacheControl, CacheControlScope, rounded
from subgraphs.shell.search.store import LEAST_LETTERS, MOST_FOUND, page_of
from subgraphs.shell.search.words import MOST_LETTERS

# One's own foods are among all answers, and can be corrected: nobody else may get them, and nobody for long.
_CACHE_FOR_VIEWER = CacheControl(max_age=60, scope=CacheControlScope.PRIVATE)


@strawberry.type(description="Whose numbers these are, and on what terms: to be shown beside them.")
class FoodAttribution:
    publisher: str = strawberry.field(description="Who publishes them.")
    licence: str = strawberry.field(description="The licence's name.")
    licence_url: str | None = strawberry.field(description="Its text; null where it has none on the web.")
    url: str = strawberry.field(description="The food's page at the publisher's, or the publisher's own.")


@strawberry.federation.type(
    keys=["id", "gtin", "nodeId"], description="Something to eat or drink.", directives=[_CACHE_FOR_VIEWER]
)
class Food(Node):
    record: strawberry.Private[FoodRecord]
    name: str = strawberry.field(description="What it is called.")
    brand: str | None = strawberry.field(description="Who makes it; null for what has no maker.")
    gtin: str | None = strawberry.field(description="The barcode, as 14 digits; null without one.")
    category: FoodCategory = strawberry.field(description="What kind of food it is.")
    source: str = strawberry.field(
        description=(
            "Where its numbers come from: USDA_SURVEY, USDA_SR_LEGACY, USDA_FOUNDATION, USDA_BRANDED, OPEN_FOOD_FACTS,"
            " FITTRACKER, or USER and RECIPE for a person's own food."
        )
    )
    verified: bool = strawberry.field(description="Whether its energy fits its macronutrients; own foods never are.")
    is_own: bool = strawberry.field(
        description="Whether the viewer made it; nobody else sees more of it than was published."
    )
    version: int = strawberry.field(description="Counts changes; send it as `expectedVersion` to change only this one.")

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

    @strawberry.field(description="Whose numbers these are; null for a person's own food and for this platform's.")
    def attribution(self) -> FoodAttribution | None:
        told = attribution_of(self.source)
        if told is None:
            return None
        page = told.page_of(self.gtin)
        return FoodAttribution(publisher=told.publisher, licence=told.licence, licence_url=told.licence_url, url=page)

    @strawberry.field(description="What is told of allergens and diets.")
    async def declared(self, info: Info) -> FoodDeclaration:
        return declaration_node(await loaders_of(info).declaration_by_food.load(self.id) or NOTHING_TOLD)

    @strawberry.field(
        description="How it goes with what the viewer avoids; null for who avoids nothing, for nobody and for API keys."
    )
    async def dietary_fit(self, info: Info) -> DietaryFit | None:
        preferences = await _preferences_of_viewer(info)
        if preferences is None:
            return None
        told = await loaders_of(info).declaration_by_food.load(self.id)
        return dietary_fit_node(told or NOTHING_TOLD, preferences)

    @strawberry.field(description="What it is made of; null for a food that no recipe makes.")
    async def recipe(self, info: Info) -> Recipe | None:
        record = await loaders_of(info).recipe_by_food.load(self.id) if self.source == RECIPE_SOURCE else None
        return None if record is None else recipe_node(record)

    @strawberry.field(
        description=f"Versions of its recipe, the newest first; the last {MOST_VERSIONS}. Empty without a recipe.",
        directives=[list_size(5)],
    )
    async def recipe_versions(self, info: Info) -> list[Recipe]:
        if self.source != RECIPE_SOURCE:
            return []
        return [recipe_node(record) for record in await loaders_of(info).recipe_versions_by_food.load(self.id)]

    @strawberry.field(description="Who else sees a food of the viewer's own; null for one of the catalogue.")
    async def visibility(self, info: Info) -> FoodVisibility | None:
        if not self.is_own:
            return None
        return visibility_of(await loaders_of(info).publication_by_food.load(self.id))

    @strawberry.field(description="What others see of a food of the viewer's own; null while that is nothing.")
    async def published(self, info: Info) -> PublishedFood | None:
        record = await loaders_of(info).publication_by_food.load(self.id) if self.is_own else None
        return None if record is None or record.withdrawn_at is not None else published_food_node(record)

    @strawberry.field(description="Whether the viewer marked it as a favourite; false for nobody.")
    async def is_favourite(self, info: Info) -> bool:
        viewer = viewer_id(info)
        return viewer is not None and await loaders_of(info).is_favourite_by_food.load((self.id, viewer))

    @strawberry.field(
        description="Its household measures, the commonest first; at most 30, and grams always work.",
        directives=[list_size(5)],
    )
    async def portions(self, info: Info) -> list[Portion]:
        portions = await loaders_of(info).portions_by_food.load(self.id)
        return [Portion(label=portion.label, grams=rounded(portion.grams)) for portion in portions]


#: By the text that a record has: asked for each food of a list, where the enum's own call is two of Python's.
_CATEGORIES = {each.value: each for each in FoodCategory}


def food_node(record: FoodRecord) -> Food:
    return Food(
        record=record,
        id=strawberry.ID(record.id),
        name=record.name,
        brand=record.brand,
        gtin=record.gtin,
        category=_CATEGORIES[record.category],
        source=record.source,
        verified=record.verified,
        is_own=record.created_by is not None,
        version=record.version,
    )


def viewer_id(info: Info) -> str | None:
    """Foods of the catalogue are for everybody, signed in or not."""
    viewer = info.context.viewer_or_none
    return viewer.id if viewer is not None and viewer.reaches(GrantArea.DIARY) else None


async def _preferences_of_viewer(info: Info) -> Preferences | None:
    """What the viewer avoids; None for who avoids nothing, and for programs, which are told nothing of it."""
    viewer = info.context.viewer_or_none
    if viewer is None or viewer.is_limited:
        return None
    found = await loaders_of(info).dietary_preferences_by_user.load(viewer.id)
    return found if found is not None and found.avoided else None


async def load_food(info: Info, food_id: str) -> Food | None:
    """The food, unless it is another person's own or was deleted."""
    record = await loaders_of(info).food_by_id.load(food_id)
    return food_node(record) if record is not None and record.is_visible_to(viewer_id(info)) else None


async def load_food_by_barcode(info: Info, gtin: str) -> Food | None:
    normal = normalise_gtin(gtin)
    record = None if normal is None else await loaders_of(info).food_by_gtin.load((normal, viewer_id(info)))
    return None if record is None else food_node(record)


async def _look_up(info: Info, gtin: str) -> Food | None:
    """For whoever is signed in: nobody else may use up what may be asked of Open Food Facts."""
    lookup = product_lookup_of(info.context.resources)
    if lookup is None or viewer_id(info) is None:
        return None
    food_id = await lookup.food_id(gtin, info.context.resources.database, info.context.resources.now())
    if food_id is None:
        return None
    info.context.renew_loaders()
    return await load_food(info, food_id)


@strawberry.type
class FoodQuery:
    @strawberry.field(
        description="A food of the catalogue, or of the viewer; null where there is none.",
        directives=[_CACHE_FOR_VIEWER],
    )
    async def food(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The food's id.")]
    ) -> Food | None:
        return await load_food(info, id)

    @strawberry.field(
        description=(
            "The food with this barcode: the viewer's own, else the catalogue's; null where there is none. Where the"
            " platform is set up so, a barcode that it does not know is looked up at Open Food Facts for those signed in."
        ),
        directives=[_CACHE_FOR_VIEWER],
    )
    async def food_by_barcode(
        self,
        info: Info,
        gtin: Annotated[
            str, strawberry.argument(description="A GTIN of 8, 12, 13 or 14 digits; blanks and hyphens are ignored.")
        ],
    ) -> Food | None:
        normal = normalise_gtin(gtin)
        if normal is None:
            raise ValidationError(("gtin", "must be a GTIN of 8, 12, 13 or 14 digits with its check digit"))
        return await load_food_by_barcode(info, normal) or await _look_up(info, normal)

    @strawberry.field(
        description=(
            "Foods of the catalogue and the viewer's own: by name, or best fit first where words are searched for."
            f" A search lists and counts at most {MOST_FOUND}; by name, `totalCount` is null: it would read all of them."
        ),
        directives=[_CACHE_FOR_VIEWER],
    )
    async def foods(
        self,
        info: Info,
        search: Annotated[
            str | None,
            strawberry.argument(
                description=(
                    f"What somebody types, {LEAST_LETTERS} to {MOST_LETTERS} characters: plurals, accents, British and"
                    " American words, brands, amounts and typing errors are understood. Null: all foods by name."
                ),
                directives=[SEARCH_COST],
            ),
        ] = None,
        category: Annotated[
            FoodCategory | None, strawberry.argument(description="Foods of this kind only. Null: of any.")
        ] = None,
        verified: Annotated[
            bool | None, strawberry.argument(description="Foods whose energy fits, or does not. Null: both.")
        ] = None,
        own: Annotated[
            bool | None, strawberry.argument(description="The viewer's own foods, or the catalogue's. Null: both.")
        ] = None,
        least_fit: Annotated[
            Fit | None,
            strawberry.argument(
                description=(
                    "With `search`: of what it found, foods that go at least so well with what the viewer avoids. FITS:"
                    " what is told to fit; UNKNOWN: that, and what is not told enough of; CONFLICTS, null, and for who"
                    " avoids nothing: all."
                )
            ),
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Food]:
        wanted = FoodFilter(viewer_id(info), category.value if category else None, verified, own)
        list_of = f"{wanted.viewer_id}/{wanted.category}/{wanted.verified}/{wanted.own}"
        if search is not None and search.strip():
            if not LEAST_LETTERS <= len(search.strip()) <= MOST_LETTERS:
                raise ValidationError(("search", f"must have {LEAST_LETTERS} to {MOST_LETTERS} characters"))
            ordered = KeysetList("foods(search)", f"{list_of}/{least_fit}/{search}", (float, str, str))
            return await _search(info, search, wanted, least_fit, ordered.page(first, after, last, before))
        if least_fit is not None:
            raise ValidationError(("leastFit", "goes with a search"))
        page = KeysetList("foods", list_of, (str, str)).page(first, after, last, before)
        foods = await loaders_of(info).foods_by_name.load((wanted, page))
        return connect(foods, page, food_node, lambda food: (food.name.lower(), food.id))


async def _search(info: Info, search: str, wanted: FoodFilter, least_fit: Fit | None, page: Page) -> Connection[Food]:
    loaders = loaders_of(info)
    found = await loaders.foods_by_words.load((search, wanted))
    preferences = None if least_fit is None else await _preferences_of_viewer(info)
    if least_fit is not None and preferences is not None:
        told = await loaders.declaration_by_food.load_many([each.id for each in found])
        fits = [(one or NOTHING_TOLD).fit(preferences.avoided) for one in told]
        found = [each for each, fit in zip(found, fits, strict=True) if fit.is_at_least(least_fit)]
    here = page_of(found, page)
    foods = await loaders.food_by_id.load_many([each.id for each in here])
    pairs = [(each, food) for each, food in zip(here, foods, strict=True) if food is not None]

    async def count() -> int:
        return len(found)

    return connect(pairs, page, lambda pair: food_node(pair[1]), lambda pair: pair[0].order, count)
