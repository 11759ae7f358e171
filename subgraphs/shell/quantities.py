"""Quantities in GraphQL: an amount with its unit, and the argument that asks for one.

Users knows a person's `settings.units` and lets them decide where no unit is named; the other subgraphs do not know them.
"""

from decimal import Decimal
from typing import Annotated

import strawberry

from subgraphs.shell.scalars import describe_enum, rounded
from subgraphs.shell.units import DistanceUnit, EnergyUnit, MassUnit, VolumeUnit, amount_in

describe_enum(MassUnit, "Units of mass.", KG="Kilograms.", LB="International pounds of 0.45359237 kilograms.")
describe_enum(
    DistanceUnit,
    "Units of distance.",
    M="Metres.",
    KM="Kilometres.",
    MI="International miles of 1,609.344 metres.",
)
describe_enum(VolumeUnit, "Units of volume.", ML="Millilitres.", FL_OZ="US fluid ounces of 29.5735295625 millilitres.")
describe_enum(EnergyUnit, "Units of energy.", KCAL="Kilocalories.", KJ="Kilojoules; a kilocalorie has 4.184.")

_DEFAULT = "one where none is named: `settings.units` does not decide here"
MassIn = Annotated[MassUnit, strawberry.argument(description=f"The unit to answer in; a metric {_DEFAULT}.")]
DistanceIn = Annotated[DistanceUnit, strawberry.argument(description=f"The unit to answer in; a metric {_DEFAULT}.")]
VolumeIn = Annotated[VolumeUnit, strawberry.argument(description=f"The unit to answer in; a metric {_DEFAULT}.")]
EnergyIn = Annotated[EnergyUnit, strawberry.argument(description=f"The unit to answer in; the usual {_DEFAULT}.")]


@strawberry.federation.type(shareable=True, description="A mass in a unit.")
class Mass:
    value: float = strawberry.field(description="How many of the unit, to two places.")
    unit: MassUnit = strawberry.field(description="Of what.")


@strawberry.federation.type(shareable=True, description="A distance in a unit.")
class Distance:
    value: float = strawberry.field(description="How many of the unit, to two places.")
    unit: DistanceUnit = strawberry.field(description="Of what.")


@strawberry.federation.type(shareable=True, description="A volume in a unit.")
class Volume:
    value: float = strawberry.field(description="How many of the unit, to two places.")
    unit: VolumeUnit = strawberry.field(description="Of what.")


@strawberry.federation.type(shareable=True, description="An energy in a unit.")
class Energy:
    value: float = strawberry.field(description="How many of the unit, to two places.")
    unit: EnergyUnit = strawberry.field(description="Of what.")


def mass(kilograms: Decimal, unit: MassUnit) -> Mass:
    return Mass(value=rounded(amount_in(unit, kilograms)), unit=unit)


def distance(metres: Decimal, unit: DistanceUnit) -> Distance:
    return Distance(value=rounded(amount_in(unit, metres)), unit=unit)


def volume(millilitres: int, unit: VolumeUnit) -> Volume:
    return Volume(value=rounded(amount_in(unit, Decimal(millilitres))), unit=unit)


def energy(kilocalories: Decimal, unit: EnergyUnit) -> Energy:
    return Energy(value=rounded(amount_in(unit, kilocalories)), unit=unit)
