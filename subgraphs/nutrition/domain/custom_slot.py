"""A person's own slots of the day beside breakfast, lunch, dinner and snacks: a second breakfast, the meal before training. Pure."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from subgraphs.nutrition.domain.meal import MealSlot
from subgraphs.nutrition.domain.nutrients import NOTHING, Totals, add_totals
from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line

MOST_CUSTOM_SLOTS = 12
LONGEST_SLOT_NAME = 40
_SLOTS = tuple(MealSlot)


class CustomSlot(msgspec.Struct, frozen=True, kw_only=True):
    """What a person calls it, and which of everybody's slots it counts as for whoever knows no others."""

    name: str
    counts_as: MealSlot


class SlotOfDay(msgspec.Struct, frozen=True, kw_only=True):
    """One slot of one day with what was eaten in it; `custom_slot` is None for one of everybody's."""

    slot: MealSlot
    custom_slot: str | None
    meals: int
    totals: Totals


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[CustomSlot, ...])


def encode_slots(slots: Sequence[CustomSlot]) -> str:
    return _encoder.encode(slots).decode()


def decode_slots(text: str) -> tuple[CustomSlot, ...]:
    return _decoder.decode(text)


def check_slots(checks: Checks, slots: Sequence[CustomSlot]) -> None:
    checks.require(len(slots) <= MOST_CUSTOM_SLOTS, "slots", f"may have at most {MOST_CUSTOM_SLOTS} entries")
    seen: set[str] = set()
    for position, slot in enumerate(slots[:MOST_CUSTOM_SLOTS]):
        place = f"slots.{position}.name"
        check_line(checks, slot.name, place, longest=LONGEST_SLOT_NAME)
        folded = slot.name.strip().casefold()
        checks.require(folded not in seen, place, "must differ from the other slots' names")
        seen.add(folded)


def slot_named(name: str, slots: Sequence[CustomSlot]) -> CustomSlot | None:
    """Without regard to case and blanks around it."""
    folded = name.strip().casefold()
    return next((slot for slot in slots if slot.name.casefold() == folded), None)


def day_by_slots(eaten: Sequence[tuple[MealSlot, str | None, Totals]], slots: Sequence[CustomSlot]) -> list[SlotOfDay]:
    """Everybody's slots in the order of a day, each followed by the person's own that count as it, in the person's order.

    Meals of a slot that the person has no more stand after these, by name. `eaten` is (slot, own slot, what it held) of each meal.
    """
    mine = {slot.name: slot for slot in slots}
    gone = sorted({(slot, name) for slot, name, _ in eaten if name is not None and name not in mine})
    places: list[tuple[MealSlot, str | None]] = []
    for each in _SLOTS:
        places.append((each, None))
        places += [(each, own.name) for own in slots if own.counts_as is each]
        places += [(slot, name) for slot, name in gone if slot is each]
    by_place: dict[tuple[MealSlot, str | None], list[Totals]] = {place: [] for place in places}
    for slot, name, totals in eaten:
        by_place[(mine[name].counts_as, name) if name in mine else (slot, name)].append(totals)
    return [
        SlotOfDay(slot=slot, custom_slot=name, meals=len(held), totals=add_totals(held) if held else NOTHING)
        for (slot, name), held in by_place.items()
    ]


def energy_share(part: Totals, whole: Totals) -> Decimal | None:
    """The part's share of the day's energy, from 0 to 1; None on a day without any."""
    energy = whole.nutrients.energy_kcal
    return part.nutrients.energy_kcal / energy if energy else None
