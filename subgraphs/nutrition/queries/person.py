"""What is replicated of people: their name and their clock."""

from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.shell.auth import Viewer
from subgraphs.shell.replicated_person import PersonRecord, replicated_person

#: The consumer group that replicates people, `projections.person`.
GROUP = "nutrition-profile"


async def person_of(connection: AsyncConnection, viewer: Viewer) -> PersonRecord:
    """The viewer as replicated, or newer."""
    return await replicated_person(connection, GROUP, viewer)
