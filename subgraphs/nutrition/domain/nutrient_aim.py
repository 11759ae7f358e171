"""What a person aims at of single nutrients: at least so much, at most so much, or between. Pure."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from subgraphs.nutrition.domain.nutrients import OPTIONAL_NAMES, Totals
from subgraphs.shell.errors import Checks

MOST_AIM = 1_000_000  # in the nutrient's own unit: a bound, no judgement
#: Of what was eaten: with less of it known, a total that is short of an aim, or below a limit, tells nothing yet.
ENOUGH_KNOWN = Decimal("0.9")


class NutrientAim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`name` is one of `OPTIONAL_NAMES`; amounts are in its unit, and one of them is told."""

    name: str
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    def is_met(self, eaten: Totals) -> bool | None:
        """Whether what was eaten keeps to it; None where too little is known to say."""
        amount = getattr(eaten.nutrients, self.name)
        if amount is not None and self.maximum is not None and amount > self.maximum:
            return False  # what is not known can only add to it
        reached = self.minimum is None or (amount is not None and amount >= self.minimum)
        if reached and self.maximum is None:
            return True
        return reached if eaten.known_fraction(self.name) >= ENOUGH_KNOWN and not eaten.quick_kcal else None


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(tuple[NutrientAim, ...])


def encode_aims(aims: Sequence[NutrientAim]) -> str:
    return _encoder.encode(aims).decode()


def decode_aims(text: str) -> tuple[NutrientAim, ...]:
    return _decoder.decode(text)


def check_aims(checks: Checks, aims: Sequence[NutrientAim]) -> None:
    """Each nutrient once, and amounts that can be kept to together."""
    seen: set[str] = set()
    if not checks.require(
        len(aims) <= len(OPTIONAL_NAMES), "nutrients", f"may have at most {len(OPTIONAL_NAMES)} entries"
    ):
        return
    for number, aim in enumerate(aims):
        place = f"nutrients.{number}"
        checks.require(aim.name not in seen, f"{place}.nutrient", "is there already")
        seen.add(aim.name)
        told = aim.minimum is not None or aim.maximum is not None
        checks.require(told, place, "needs minimum, or maximum, or both")
        for field, amount in (("minimum", aim.minimum), ("maximum", aim.maximum)):
            fits = amount is None or 0 <= amount <= MOST_AIM
            checks.require(fits, f"{place}.{field}", f"must be from 0 to {MOST_AIM}")
        if aim.minimum is not None and aim.maximum is not None:
            checks.require(aim.minimum <= aim.maximum, f"{place}.maximum", "must not be below minimum")
