"""The workouts subgraph as a process: its schema, loaders and the consumer of what it must know of people."""

from events.consumer import Subscription, run_consumer
from subgraphs.app import Subgraph, SubgraphApp, build_app
from subgraphs.context import Resources
from subgraphs.settings import Settings, read_settings
from subgraphs.workouts.loaders import WorkoutsLoaders
from subgraphs.workouts.projections.person import GROUP, TOPICS, project_person
from subgraphs.workouts.schema import schema


async def consume_people(resources: Resources) -> None:
    """Follow accounts and weighings until cancelled; returns at once where no Kafka is named."""
    kafka = resources.settings.kafka
    if kafka is not None:
        await run_consumer(Subscription(GROUP, TOPICS, project_person), resources.database.writer, kafka)


SUBGRAPH = Subgraph(name="workouts", schema=schema, make_loaders=WorkoutsLoaders, loops=(consume_people,))


def create_app(settings: Settings | None = None) -> SubgraphApp:
    """The ASGI application. Raises SettingsError without usable settings."""
    return build_app(SUBGRAPH, settings or read_settings(SUBGRAPH.name))
