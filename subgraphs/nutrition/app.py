"""The nutrition subgraph as an ASGI application, with what runs beside it: people's names and clocks, their days of training, the search index."""

from subgraphs.nutrition.commands.deleted_entry import forget_deleted
from subgraphs.nutrition.commands.food_index import renew_food_index
from subgraphs.nutrition.commands.meal_plan import forget_planned
from subgraphs.nutrition.commands.training_entry import forget_training
from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.projections import person, training
from subgraphs.nutrition.schema import schema
from subgraphs.shell.app import Subgraph, SubgraphApp, build_app
from subgraphs.shell.context import Resources
from subgraphs.shell.settings import Settings, read_settings


async def index_foods(resources: Resources) -> None:
    """Once at the start: a new release may read names in another way. Returns when every food is found by today's rules."""
    await renew_food_index(resources.database)


SUBGRAPH = Subgraph(
    name="nutrition",
    schema=schema,
    make_loaders=NutritionLoaders,
    consumers=(person.subscription, training.subscription),
    at_start=(index_foods,),
    forget=(forget_deleted, forget_planned, forget_training),
)


def create_app(settings: Settings | None = None) -> SubgraphApp:
    """Raises SettingsError when the environment does not describe a subgraph that can run."""
    return build_app(SUBGRAPH, settings or read_settings(SUBGRAPH.name))
