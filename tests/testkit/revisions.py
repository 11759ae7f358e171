"""A subgraph's database at an older revision, to put rows into that later revisions must mend."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from subgraphs.shell.database import _SHELL, _SUBGRAPHS, Database


async def migrate_to(database: Database, subgraph: str, revision: str) -> None:
    """Bring an empty database to this revision and no further."""
    async with database.transaction() as transaction:
        await transaction.run_sync(_upgrade, subgraph, revision)


def _upgrade(connection: Connection, subgraph: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SHELL / "migrations"))
    config.set_main_option("version_locations", str(_SUBGRAPHS / subgraph / "migrations" / "versions"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
