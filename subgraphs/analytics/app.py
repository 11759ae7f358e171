"""The analytics subgraph as a process: its schema, loaders and the projector of everybody's events."""

from events.consumer import Subscription, run_consumer
from subgraphs.analytics.loaders import AnalyticsLoaders
from subgraphs.analytics.projections.summary import GROUP, TOPICS, summary_projector
from subgraphs.analytics.schema import schema
from subgraphs.app import Subgraph, SubgraphApp, build_app
from subgraphs.context import Resources
from subgraphs.settings import Settings, read_settings


async def consume_events(resources: Resources) -> None:
    """Project events into summaries until cancelled; returns at once where no Kafka is named."""
    kafka = resources.settings.kafka
    if kafka is not None:
        subscription = Subscription(GROUP, TOPICS, summary_projector(resources.fanout))
        await run_consumer(subscription, resources.database.writer, kafka)


SUBGRAPH = Subgraph(name="analytics", schema=schema, make_loaders=AnalyticsLoaders, loops=(consume_events,))


def create_app(settings: Settings | None = None) -> SubgraphApp:
    """The ASGI application. Raises SettingsError without usable settings."""
    return build_app(SUBGRAPH, settings or read_settings(SUBGRAPH.name))
