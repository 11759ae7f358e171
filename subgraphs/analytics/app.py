"""The analytics subgraph as a process: its schema, loaders and the projector of everybody's events."""

from subgraphs.analytics.loaders import AnalyticsLoaders
from subgraphs.analytics.projections.summary import subscription
from subgraphs.analytics.schema import schema
from subgraphs.shell.app import Subgraph, SubgraphApp, build_app
from subgraphs.shell.settings import Settings, read_settings

SUBGRAPH = Subgraph(name="analytics", schema=schema, make_loaders=AnalyticsLoaders, consumers=(subscription,))


def create_app(settings: Settings | None = None) -> SubgraphApp:
    """The ASGI application. Raises SettingsError without usable settings."""
    return build_app(SUBGRAPH, settings or read_settings(SUBGRAPH.name))
