"""What resolvers take from the request: its loaders, and the engine that commands write through. Typed in one place."""

from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.analytics.loaders import AnalyticsLoaders
from subgraphs.context import Info


def loaders_of(info: Info) -> AnalyticsLoaders:
    loaders = info.context.loaders
    assert isinstance(loaders, AnalyticsLoaders)
    return loaders


def writer_of(info: Info) -> AsyncEngine:
    return info.context.resources.database.writer
