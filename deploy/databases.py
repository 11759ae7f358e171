"""Migrates the four databases that the environment names. Called by `fittracker migrate`, so by `up`."""

from __future__ import annotations

import asyncio
import os

from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError


def migrate_all() -> None:
    """Raises FriendlyError for a database that is not named."""
    missing = [f"DATABASE_URL_{name.upper()}" for name in DOMAINS if not os.environ.get(f"DATABASE_URL_{name.upper()}")]
    if missing:
        raise FriendlyError(f"not set: {', '.join(missing)}", "`fittracker up` starts databases of its own")
    asyncio.run(_migrate_all())


async def _migrate_all() -> None:
    from subgraphs.database import migrate

    for name in DOMAINS:
        await migrate(name, os.environ[f"DATABASE_URL_{name.upper()}"])
