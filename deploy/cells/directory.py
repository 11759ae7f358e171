"""Which cell an e-mail address is of: the cells are asked, so that nothing is kept twice and nothing grows old."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp
import structlog

from deploy.cells.cell_map import Cell, CellMap
from subgraphs.users.commands.cell import LOOKUP_PATH
from subgraphs.users.domain.account import email_key

_PATIENCE = aiohttp.ClientTimeout(total=3)
_log = structlog.get_logger("cells")


class CellSilentError(Exception):
    """A cell did not say whether it knows an address that no other knows, so that nobody can be placed."""


@dataclass(frozen=True, slots=True)
class _Account:
    """As a cell tells it; `since` in seconds of the epoch."""

    is_verified: bool
    since: float


class Directory:
    """`secret` is the CELL_SECRET of all cells."""

    def __init__(self, cell_map: CellMap, secret: str, session: aiohttp.ClientSession) -> None:
        self._map = cell_map
        self._headers = {"authorization": f"Bearer {secret}"}
        self._session = session

    async def cell_of(self, email: str) -> Cell:
        """The cell of its account, or, where there is none, the one that a new account goes to. Raises CellSilentError.

        An address that got accounts in two cells at the same moment leads to the one that was proven by mail, else the
        older: whoever registers somebody else's address does not come before its owner.
        """
        answers = await asyncio.gather(*(self._ask(cell, email) for cell in self._map.cells), return_exceptions=True)
        found = [
            (cell, answer)
            for cell, answer in zip(self._map.cells, answers, strict=True)
            if isinstance(answer, _Account)
        ]
        if found:
            return min(found, key=lambda each: (not each[1].is_verified, each[1].since))[0]
        for cell, answer in zip(self._map.cells, answers, strict=True):
            if isinstance(answer, BaseException):
                _log.warning("cell_is_silent", cell=cell.name, reason=type(answer).__name__)
                raise CellSilentError(cell.name) from answer
        return self._map.place(email_key(email))

    async def _ask(self, cell: Cell, email: str) -> _Account | None:
        """Raises aiohttp.ClientError, TimeoutError."""
        async with self._session.post(
            f"{cell.users}{LOOKUP_PATH}", json={"email": email}, headers=self._headers, timeout=_PATIENCE
        ) as response:
            if response.status == 404 and response.content_type == "application/json":
                return None
            response.raise_for_status()
            told = await response.json()
            return _Account(bool(told["verified"]), float(told["since"]))
