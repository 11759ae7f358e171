"""Units are what the world means by them."""

from decimal import Decimal

import pytest

from subgraphs.shell.units import DistanceUnit, EnergyUnit, MassUnit, Unit, VolumeUnit, amount_in


@pytest.mark.parametrize(
    ("unit", "stored", "expected"),
    [
        (MassUnit.KG, "80", "80"),
        (MassUnit.LB, "80", "176.36981"),  # NIST SP 811: 1 lb = 0.45359237 kg
        (DistanceUnit.M, "5000", "5000"),
        (DistanceUnit.KM, "5000", "5"),
        (DistanceUnit.MI, "5000", "3.10686"),  # NIST SP 811: 1 mi = 1609.344 m
        (VolumeUnit.ML, "250", "250"),
        (VolumeUnit.FL_OZ, "250", "8.45351"),  # NIST SP 811: 1 US fl oz = 29.57353 ml
        (EnergyUnit.KCAL, "500", "500"),
        (EnergyUnit.KJ, "500", "2092"),  # NIST SP 811: 1 cal (thermochemical) = 4.184 J
    ],
)
def test_amounts_in_units(unit: Unit, stored: str, expected: str) -> None:
    assert round(amount_in(unit, Decimal(stored)), 5) == Decimal(expected)


def test_every_unit_can_be_asked_for() -> None:
    for kind in (MassUnit, DistanceUnit, VolumeUnit, EnergyUnit):
        assert all(amount_in(unit, Decimal(1)) > 0 for unit in kind)
