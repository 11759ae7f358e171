"""What resolvers take from the request: its loaders, and the engine that commands write through. Typed in one place."""

from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.context import Info
from subgraphs.workouts.loaders import WorkoutsLoaders


def loaders_of(info: Info) -> WorkoutsLoaders:
    loaders = info.context.loaders
    assert isinstance(loaders, WorkoutsLoaders)
    return loaders


def writer_of(info: Info) -> AsyncEngine:
    return info.context.resources.database.writer
