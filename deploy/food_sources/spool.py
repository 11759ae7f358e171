"""Foods on their way into the database: each once, in its newest edition, in the order of ids; on disk, for they may be a million."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from deploy.food_sources import Told
from subgraphs.nutrition.domain.catalogue_food import CatalogueFood

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(CatalogueFood)


class Spool:
    """One load's foods. Databases of products tell a barcode anew with each label: without this, each load would go through all
    of them again, and end where the last one did only by luck.
    """

    def __init__(self, folder: Path) -> None:
        self._store = sqlite3.connect(folder / "spool.sqlite", isolation_level=None)
        self._store.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
            "CREATE TABLE told (id TEXT PRIMARY KEY, edition TEXT, food BLOB) WITHOUT ROWID;"
        )
        self.told = 0

    def add(self, told: Told) -> None:
        self.told += 1
        row = (told.food.id, told.edition, _encoder.encode(told.food))
        self._store.execute(
            "INSERT INTO told VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET edition = excluded.edition, food = excluded.food"
            " WHERE excluded.edition > edition",
            row,
        )

    @property
    def distinct(self) -> int:
        return int(self._store.execute("SELECT count(*) FROM told").fetchone()[0])

    def __iter__(self) -> Iterator[CatalogueFood]:
        for (food,) in self._store.execute("SELECT food FROM told ORDER BY id"):
            yield _decoder.decode(food)

    def close(self) -> None:
        self._store.close()
