"""Meals that a person keeps to log again: foods with amounts, priced anew each time. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from subgraphs.nutrition.domain.meal import STORED_PLACES, Item, ItemDraft
from subgraphs.nutrition.domain.nutrients import QuickAdd
from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line

MOST_SAVED_MEALS = 200
LONGEST_NAME = 100


class SavedContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a saved meal is made of; each item tells its grams."""

    items: tuple[ItemDraft, ...]
    quick_adds: tuple[QuickAdd, ...] = ()

    def times(self, factor: Decimal) -> "SavedContent":
        """As much of everything."""
        items = (
            ItemDraft(
                food_id=item.food_id,
                grams=None if item.grams is None else round(item.grams * factor, STORED_PLACES),
                portion=item.portion,
                quantity=None if item.quantity is None else round(item.quantity * factor, STORED_PLACES),
            )
            for item in self.items
        )
        return SavedContent(items=tuple(items), quick_adds=tuple(each.times(factor) for each in self.quick_adds))


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(SavedContent)


def encode_content(content: SavedContent) -> str:
    return _encoder.encode(content).decode()


def decode_content(text: str) -> SavedContent:
    return _decoder.decode(text)


def grams_of(contents: Iterable[SavedContent]) -> dict[str, Decimal]:
    """The grams of each food together."""
    grams: defaultdict[str, Decimal] = defaultdict(Decimal)
    for content in contents:
        for item in content.items:
            grams[item.food_id] += item.grams or 0
    return dict(grams)


def draft_of(item: Item) -> ItemDraft:
    """The amount of an item that was priced, to price it again."""
    return ItemDraft(food_id=item.food_id, grams=item.grams, portion=item.portion, quantity=item.quantity)


def check_name(checks: Checks, name: str) -> None:
    check_line(checks, name, "name", longest=LONGEST_NAME)
