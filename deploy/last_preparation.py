"""Whether what `prepare` did at an earlier start still holds: then `up` neither migrates nor composes again.

It holds where the code, the ports, the composed file and the revisions that the databases stand at are what they were.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg

from deploy.data_directory import write_whole

_ROOT = Path(__file__).parents[1]
_ROOMS = ("subgraphs", "loaders", "events", "schema")
_OURS = ("deploy/prepare.py", "deploy/composition.py")
_PACKAGES = ("strawberry-graphql", "graphql-core", "alembic", "sqlalchemy")  # which print SDL, compose, and migrate


@dataclass(frozen=True, slots=True)
class LastPreparation:
    """`file` says what the last one was of; `urls` are the databases' by subgraph."""

    file: Path
    supergraph: Path
    ports: Mapping[str, int]
    urls: Mapping[str, str]

    @property
    def is_remembered(self) -> bool:
        """Whether there was any that came to its end."""
        return self.file.exists() and self.supergraph.exists()

    async def holds(self) -> bool:
        """False also where it cannot be known, such as for a database that does not answer."""
        try:
            return bool(json.loads(self.file.read_text(encoding="utf-8")) == await self._facts())
        except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False

    async def remember(self, code: str) -> None:
        """After a preparation of the code with this digest, taken before it began."""
        write_whole(self.file, json.dumps({**await self._facts(), "code": code}))

    async def _facts(self) -> dict[str, Any]:
        revisions = await asyncio.gather(*map(_revisions, self.urls.values()))
        return {
            "code": await asyncio.to_thread(digest_of_code),
            "ports": dict(self.ports),
            "supergraph": sha256(self.supergraph.read_bytes()).hexdigest(),
            "revisions": dict(zip(self.urls, revisions, strict=True)),
        }


def digest_of_code() -> str:
    """Of whatever can make another supergraph or other tables."""
    digest = sha256(sys.version.encode())
    for package in _PACKAGES:
        digest.update(f"\0{package} {version(package)}".encode())
    for file in sorted(_sources()):
        digest.update(f"\0{file.relative_to(_ROOT)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield from (_ROOT / name for name in _OURS)
    for room in _ROOMS:
        yield from (_ROOT / room).rglob("*.py")


async def _revisions(url: str) -> list[str]:
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://", 1), timeout=5)
    try:
        return sorted(row[0] for row in await connection.fetch("SELECT version_num FROM alembic_version"))
    finally:
        await connection.close()
