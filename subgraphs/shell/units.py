"""Units that people choose between, and what one of each is in the unit that is stored."""

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias


class MassUnit(StrEnum):
    KG = "KG"
    LB = "LB"


class DistanceUnit(StrEnum):
    M = "M"
    KM = "KM"
    MI = "MI"


class VolumeUnit(StrEnum):
    ML = "ML"
    FL_OZ = "FL_OZ"


class EnergyUnit(StrEnum):
    KCAL = "KCAL"
    KJ = "KJ"


Unit: TypeAlias = MassUnit | DistanceUnit | VolumeUnit | EnergyUnit

#: In kilograms, metres, millilitres and kilocalories. The pound and the mile are the international ones of 1959, exactly;
#: the fluid ounce is that of the United States, of which a pint has 16; the calorie is the thermochemical one.
_STORED_OF: dict[Unit, Decimal] = {
    MassUnit.KG: Decimal(1),
    MassUnit.LB: Decimal("0.45359237"),
    DistanceUnit.M: Decimal(1),
    DistanceUnit.KM: Decimal(1000),
    DistanceUnit.MI: Decimal("1609.344"),
    VolumeUnit.ML: Decimal(1),
    VolumeUnit.FL_OZ: Decimal("29.5735295625"),
    EnergyUnit.KCAL: Decimal(1),
    EnergyUnit.KJ: 1 / Decimal("4.184"),
}


def amount_in(unit: Unit, stored: Decimal) -> Decimal:
    """How many of the unit an amount is that is stored in kilograms, metres, millilitres or kilocalories."""
    return stored / _STORED_OF[unit]


def stored_amount(unit: Unit, amount: Decimal) -> Decimal:
    """So many of the unit in kilograms, metres, millilitres or kilocalories."""
    return amount * _STORED_OF[unit]
