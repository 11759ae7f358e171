"""Where troubles are made: the running platform and what belongs to one rehearsal of it, and the form of a trouble."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from deploy.rehearsals.cluster import Cluster
from deploy.rehearsals.platform import Platform


@dataclass(frozen=True, slots=True)
class Scene:
    """The running platform and the folder of this rehearsal; `textfile` is what node-exporter reads.

    `replica` streams from a primary that nobody else uses; both are watched. None where there is no Postgres of the distribution.
    """

    platform: Platform
    folder: Path
    replica: tuple[Cluster, Cluster] | None

    @property
    def textfile(self) -> Path:
        return self.folder / "textfile" / "fittracker.prom"

    def pid(self, part: str) -> int:
        return self.platform.state.pids[part]

    def database(self, domain: str) -> str:
        return self.platform.state.environment[f"DATABASE_URL_{domain.upper()}"]


Making = Callable[[Scene], AbstractAsyncContextManager[None]]


class NotHereError(Exception):
    """A trouble cannot be made on this machine; the message says what it needs."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`what` is said in the log; every one of `alerts` must be told while the trouble that `make` makes lasts."""

    what: str
    alerts: frozenset[str]
    make: Making
