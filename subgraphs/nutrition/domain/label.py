"""What labels tell, as the catalogue keeps it: numbers, household measures, amounts of 100 g from those of a serving."""

from decimal import Decimal, InvalidOperation

from subgraphs.nutrition.domain.catalogue_food import LONGEST_LABEL, rounded_amount, shortened
from subgraphs.nutrition.domain.food import HEAVIEST_PORTION_GRAMS, LIGHTEST_PORTION_GRAMS, Portion

_NO_MEASURE = "serving"
_LARGEST = Decimal(10) ** 9


def number(text: object) -> Decimal | None:
    """A number of a size that labels have; None for anything else, with which sources fill what they do not know."""
    if text is None or isinstance(text, bool) or text == "":
        return None
    try:
        value = Decimal(str(text).strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < _LARGEST else None


def per_100_of_serving(amount: Decimal, serving: Decimal) -> Decimal:
    """Of 100 g, from what a serving of so many grams has."""
    return rounded_amount(amount * 100 / serving)


def portion_of(label: str, grams: Decimal | None) -> tuple[Portion, ...]:
    """The household measure of a label; none where it has no weight that a portion can have."""
    if grams is None or not LIGHTEST_PORTION_GRAMS <= grams <= HEAVIEST_PORTION_GRAMS:
        return ()
    return (Portion(shortened(label, LONGEST_LABEL) or _NO_MEASURE, round(grams, 2)),)
