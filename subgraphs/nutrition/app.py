"""The nutrition subgraph as an ASGI application, with the consumer that keeps people's names and clocks."""

from events.consumer import Subscription, run_consumer
from subgraphs.app import Subgraph, SubgraphApp, build_app
from subgraphs.context import Resources
from subgraphs.nutrition.loaders import NutritionLoaders
from subgraphs.nutrition.projections.person import GROUP, TOPICS, project_people
from subgraphs.nutrition.schema import schema
from subgraphs.settings import Settings, read_settings


async def consume_people(resources: Resources) -> None:
    """Follow accounts until cancelled; returns at once where no Kafka is named."""
    kafka = resources.settings.kafka
    if kafka is not None:
        await run_consumer(Subscription(GROUP, TOPICS, project_people), resources.database.writer, kafka)


SUBGRAPH = Subgraph(name="nutrition", schema=schema, make_loaders=NutritionLoaders, loops=(consume_people,))


def create_app(settings: Settings | None = None) -> SubgraphApp:
    """Raises SettingsError when the environment does not describe a subgraph that can run."""
    return build_app(SUBGRAPH, settings or read_settings(SUBGRAPH.name))
