"""What a set of repetitions says about strength. Used for records and volume."""

from decimal import Decimal

RELIABLE_REPS = 12


def one_rep_max_kg(weight_kg: Decimal | None, reps: int | None) -> Decimal | None:
    """The weight one repetition would allow, by Epley (1985); None past 12 repetitions, where it misleads."""
    if weight_kg is None or reps is None or weight_kg <= 0 or not 1 <= reps <= RELIABLE_REPS:
        return None
    if reps == 1:
        return weight_kg
    return weight_kg * (1 + Decimal(reps) / 30)


def volume_kg(weight_kg: Decimal | None, reps: int | None) -> Decimal:
    return (weight_kg or Decimal(0)) * (reps or 0)
