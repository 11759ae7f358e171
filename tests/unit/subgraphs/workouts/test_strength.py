"""Strength from repetitions."""

from decimal import Decimal

import pytest

from subgraphs.workouts.domain.strength import load_kg, one_rep_max_kg, volume_kg


@pytest.mark.parametrize(
    ("weight_kg", "reps", "expected"),
    [("100", 5, "116.67"), ("100", 1, "100.00"), ("100", 10, "133.33"), ("100", 12, "140.00")],
)
def test_one_rep_max_by_epley(weight_kg: str, reps: int, expected: str) -> None:
    estimate = one_rep_max_kg(Decimal(weight_kg), reps)
    assert estimate is not None
    assert estimate.quantize(Decimal("0.01")) == Decimal(expected)


@pytest.mark.parametrize(("weight_kg", "reps"), [("100", 13), ("100", 0), ("0", 5), (None, 5), ("100", None)])
def test_no_estimate_where_it_would_mislead(weight_kg: str | None, reps: int | None) -> None:
    assert one_rep_max_kg(None if weight_kg is None else Decimal(weight_kg), reps) is None


def test_volume_is_load_times_repetitions() -> None:
    assert volume_kg(Decimal("62.5"), 8) == Decimal(500)
    assert volume_kg(None, 8) == 0


@pytest.mark.parametrize(
    ("weight", "share", "body", "expected"),
    [
        ("100", "0", "80", "100"),
        (None, "0", "80", None),
        (None, "1", "80", "80"),
        ("10", "1", "80", "90"),
        (None, "0.64", "80", "51.20"),
        ("10", "1", None, None),
    ],
    ids=["a bar", "nothing told", "a pull-up", "a pull-up with a plate", "a push-up", "an unknown body"],
)
def test_the_load_is_what_is_held_and_the_share_of_the_body(
    weight: str | None, share: str, body: str | None, expected: str | None
) -> None:
    weight_kg, body_kg = (None if given is None else Decimal(given) for given in (weight, body))
    assert load_kg(weight_kg, Decimal(share), body_kg) == (None if expected is None else Decimal(expected))
