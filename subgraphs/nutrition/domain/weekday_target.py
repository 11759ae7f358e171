"""What a target is on some weekdays in place of what it is on the others. Pure; kept as JSON with its target."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from subgraphs.shell.calendar import Weekday
from subgraphs.shell.errors import Checks

MOST_VARIATIONS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekdayTarget:
    """Energy and macronutrients of some weekdays; water and single nutrients are those of every day."""

    weekdays: tuple[Weekday, ...]
    energy_kcal: Decimal
    protein_g: Decimal | None = None
    carbs_g: Decimal | None = None
    fat_g: Decimal | None = None


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(tuple[WeekdayTarget, ...])


def encode_variations(variations: Sequence[WeekdayTarget]) -> str:
    return _encoder.encode(variations).decode()


def decode_variations(text: str) -> tuple[WeekdayTarget, ...]:
    return _decoder.decode(text)


def check_variations(checks: Checks, variations: Sequence[WeekdayTarget]) -> None:
    """Each names weekdays, and no weekday is named twice."""
    fits = len(variations) <= MOST_VARIATIONS
    if not checks.require(fits, "weekdays", f"may have at most {MOST_VARIATIONS} entries"):
        return
    seen: set[Weekday] = set()
    for number, variation in enumerate(variations):
        place = f"weekdays.{number}.weekdays"
        checks.require(len(variation.weekdays) > 0, place, "needs at least one weekday")
        is_new = len(set(variation.weekdays)) == len(variation.weekdays) and not seen & set(variation.weekdays)
        checks.require(is_new, place, "must name no weekday that is named already")
        seen |= set(variation.weekdays)
