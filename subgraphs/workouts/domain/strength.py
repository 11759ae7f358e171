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


def load_kg(weight_kg: Decimal | None, body_weight_share: Decimal, body_weight_kg: Decimal | None) -> Decimal | None:
    """What one repetition moves: the weight on the bar, and of the body the share that the exercise lifts. A weight below zero
    helps and is taken from that; nothing is left where it is more than the body.

    None where that cannot be said: no weight was told and none of the body is lifted, or the body's weight is unknown.
    """
    if body_weight_share == 0:
        return weight_kg
    if body_weight_kg is None:
        return None
    return max(Decimal(0), (weight_kg or Decimal(0)) + body_weight_share * body_weight_kg)


def volume_kg(load: Decimal | None, reps: int | None) -> Decimal:
    """Repetitions times load; 0 where either is unknown."""
    return (load or Decimal(0)) * (reps or 0)
