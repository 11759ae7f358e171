"""Open Food Facts' dumps: products as JSON Lines, or the table of its CSV export, which is parted by tabs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from deploy.food_sources import Refused, Told
from subgraphs.nutrition.domain.open_food_facts import food_of_product

_NOT_WHOLE = "a line is no product in JSON"
_LONGEST_CELL = 1 << 20


def read_lines(stream: TextIO) -> Iterator[Told | Refused]:
    """A product a line; a line that is no object is refused, and the rest goes on."""
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            product = json.loads(line)
        except ValueError:
            product = None
        yield _told(product, f"line {number}") if isinstance(product, dict) else Refused(_NOT_WHOLE, f"line {number}")


def read_table(stream: TextIO) -> Iterator[Told | Refused]:
    """The columns ..._100g are what `nutriments` are in JSON."""
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
    for row in reader:
        nutriments = {name: cell for name, cell in row.items() if name and name.endswith("_100g") and cell}
        yield _told({**row, "nutriments": nutriments}, f"line {reader.line_num}")


def _told(product: Mapping[str, Any], place: str) -> Told | Refused:
    food = food_of_product(product)
    if isinstance(food, str):
        return Refused(food, place)
    return Told(food, str(product.get("last_modified_t") or "").rjust(12, "0"))
