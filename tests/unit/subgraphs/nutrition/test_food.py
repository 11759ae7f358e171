"""Barcodes, and whether a food's energy can be true."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.nutrition.domain.food import is_plausible
from subgraphs.nutrition.domain.gtin import check_digit, normalise_gtin
from subgraphs.nutrition.domain.nutrients import Nutrients


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("4006381333931", "04006381333931"),
        ("4 006381 333931", "04006381333931"),
        ("036000291452", "00036000291452"),
        ("96385074", "00000096385074"),
        ("14006381333938", "14006381333938"),
        ("4006381333930", None),
        ("400638133393", None),
        ("123456789", None),
        ("٤006381333931", None),
        ("", None),
        ("abcdefgh", None),
    ],
)
def test_barcodes_become_fourteen_digits_or_nothing(text: str, normal: str | None) -> None:
    assert normalise_gtin(text) == normal


@given(st.text("0123456789", min_size=12, max_size=12), st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(digits: str, place: int, change: int) -> None:
    gtin = digits + str(check_digit(digits))
    wrong = gtin[:place] + str((int(gtin[place]) + change) % 10) + gtin[place + 1 :]
    assert normalise_gtin(gtin) is not None
    assert normalise_gtin(wrong) is None


@pytest.mark.parametrize(
    ("kcal", "protein", "carbs", "fat", "fiber", "plausible"),
    [
        (389, 16.9, 66.3, 6.9, 10.6, True),  # oats
        (884, 0, 0, 100, None, True),  # oil
        (0, 0, 0, 0, None, True),  # water
        (12, 0, 2.5, 0, None, True),
        (240, 0.3, 0.1, 0, 99, True),  # nearly all fibre
        (100, 20, 40, 17, None, False),
        (700, 0, 50, 0, None, False),
        (0, 0, 50, 0, None, False),
    ],
)
def test_energy_must_fit_the_macronutrients(
    kcal: float, protein: float, carbs: float, fat: float, fiber: float | None, plausible: bool
) -> None:
    amounts = [Decimal(str(each)) for each in (kcal, protein, carbs, fat)]
    per_100 = Nutrients(
        energy_kcal=amounts[0],
        protein_g=amounts[1],
        carbs_g=amounts[2],
        fat_g=amounts[3],
        fiber_g=None if fiber is None else Decimal(str(fiber)),
    )
    assert is_plausible(per_100) is plausible
