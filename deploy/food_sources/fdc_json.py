"""FoodData Central's branded foods as JSON: `{"BrandedFoods": [{...}, ...]}`, several gigabytes that are read piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, TextIO

from deploy.errors import FriendlyError
from deploy.food_sources import Refused, Told
from deploy.food_sources.fooddata_central import FdcFood, amounts_of, date_of, food_of
from subgraphs.nutrition.domain.label import number

_PIECE = 1 << 20
_LARGEST_RECORD = 16 << 20


def read_json(stream: TextIO) -> Iterator[Told | Refused]:
    """Raises FriendlyError where the file ends within a record or is no list of foods."""
    for place, record in enumerate(_records(stream), start=1):
        yield _told(record) if isinstance(record, Mapping) else Refused("a record is no object", f"record {place}")


def _told(record: Mapping[str, Any]) -> Told | Refused:
    labels = record.get("labelNutrients")
    label = {
        name: amount
        for name, told in (labels.items() if isinstance(labels, Mapping) else ())
        if isinstance(told, Mapping) and (amount := number(told.get("value"))) is not None
    }
    return food_of(
        FdcFood(
            fdc_id=str(record.get("fdcId", "")),
            description=str(record.get("description") or ""),
            published=date_of(record.get("publicationDate") or record.get("publishedDate")),
            brand=str(record.get("brandName") or record.get("brandOwner") or ""),
            gtin=str(record.get("gtinUpc") or ""),
            shelf=str(record.get("brandedFoodCategory") or ""),
            serving_size=number(record.get("servingSize")),
            serving_unit=str(record.get("servingSizeUnit") or ""),
            household=str(record.get("householdServingFullText") or ""),
            ingredients=str(record.get("ingredients") or ""),
            per_100=amounts_of(record.get("foodNutrients")),
            label=label,
        )
    )


def _records(stream: TextIO) -> Iterator[Any]:
    """The entries of the file's first list, each decoded as soon as it is there whole."""
    decoder = json.JSONDecoder()
    held = stream.read(_PIECE)
    begins = held.find("[")
    if begins < 0:
        raise FriendlyError("this is no list of foods", 'FoodData Central\'s JSON begins with {"BrandedFoods": [')
    held = held[begins + 1 :]
    while True:
        held = held.lstrip(" \t\r\n,")
        if held.startswith("]"):
            return
        record, end = None, 0
        with suppress(ValueError):  # not whole yet
            record, end = decoder.raw_decode(held)
        # A number at the end of what is held may go on in the next piece; records are objects, which do not.
        if end:
            held = held[end:]
            yield record
            continue
        piece = stream.read(_PIECE)
        if not piece or len(held) > _LARGEST_RECORD:
            raise FriendlyError("the file ends within a record, or is no JSON", "fetch it anew: it is not whole")
        held += piece
