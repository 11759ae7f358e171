"""Which cells there are, from a YAML file: their routers, their users subgraphs, and who takes new people."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from deploy.errors import FriendlyError
from subgraphs.shell.settings import CELL_NAME


class Cell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One platform. `router` is its router's address without a path, `users` that of its users subgraph, and `takes` its
    share of new people beside the other cells' shares; 0: it is full.
    """

    name: Annotated[str, msgspec.Meta(pattern=f"^{CELL_NAME.pattern}$")]
    router: Annotated[str, msgspec.Meta(pattern=r"^https?://[^/]+$")]
    users: Annotated[str, msgspec.Meta(pattern=r"^https?://[^/]+$")]
    takes: Annotated[float, msgspec.Meta(ge=0)] = 1.0


class CellMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first cell gets what says nothing of a cell: reference data, and the tokens from before there were cells."""

    cells: Annotated[tuple[Cell, ...], msgspec.Meta(min_length=1)]

    @property
    def first(self) -> Cell:
        return self.cells[0]

    def named(self, name: str | None) -> Cell | None:
        return next((cell for cell in self.cells if cell.name == name), None)

    def place(self, email_key: str) -> Cell:
        """Where a new person goes: always the same cell for the same address while the map is the same.

        Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights after Schindelhauer and Schomaker 2005): of two
        maps that differ in one cell, only that cell's people are placed elsewhere.
        """
        return max((cell for cell in self.cells if cell.takes), key=lambda cell: _score(cell, email_key))


def read_cell_map(file: Path) -> CellMap:
    """Raises FriendlyError for a file that is none, for two cells of one name, and where nobody takes new people."""
    try:
        cell_map = msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), CellMap)
    except OSError as error:
        raise FriendlyError(f"{file}: {error.strerror}", "it names the cells: see deploy/cells/README.md") from None
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise FriendlyError(f"{file} is no map of cells: {error}", "see deploy/cells/README.md") from None
    names = [cell.name for cell in cell_map.cells]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FriendlyError(f"{file} names {', '.join(twice)} twice", "each cell has its own CELL")
    if not any(cell.takes for cell in cell_map.cells):
        raise FriendlyError(f"{file}: no cell takes new people", "give one of them `takes: 1`")
    return cell_map


def _score(cell: Cell, email_key: str) -> float:
    digest = hashlib.sha256(f"{cell.name}\0{email_key}".encode()).digest()
    uniform = (int.from_bytes(digest[:7]) + 1) / (2**56 + 2)  # in (0, 1)
    return -cell.takes / math.log(uniform)
