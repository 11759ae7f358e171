"""Energy in GraphQL: a number with where it comes from."""

import strawberry

from subgraphs.shell.quantities import Energy, EnergyIn
from subgraphs.shell.quantities import energy as energy_in
from subgraphs.shell.scalars import describe_enum, rounded_or_none
from subgraphs.shell.units import EnergyUnit
from subgraphs.workouts.domain import energy

describe_enum(
    energy.EnergyMethod,
    "Where an amount of energy comes from, or why there is none.",
    MET="Estimated from metabolic equivalents (MET), body weight and minutes.",
    REPORTED="Told by a device or by the person.",
    UNKNOWN_WEIGHT="There is none: no body weight is known. It is estimated as soon as one is.",
    UNKNOWN_EFFORT="There is none: nothing says what was done, or how hard that is.",
    NO_DURATION="There is none: nothing says how long it took.",
)


@strawberry.federation.type(shareable=True, description="Energy in kcal, and why there is none if there is none.")
class EnergyEstimate:
    computed: strawberry.Private[energy.Energy]
    kcal: float | None = strawberry.field(
        description="Gross, in kcal: what was burned altogether, rest included. Null: see `method`."
    )
    net_kcal: float | None = strawberry.field(
        description="In kcal, without what rest would have burned in the same time (1 MET). Null where `kcal` is, and"
        " where the weight or the time is not known."
    )
    method: energy.EnergyMethod = strawberry.field(description="Where the number comes from, or why there is none.")
    body_weight_kg: float | None = strawberry.field(
        description="The body weight in kilograms that was counted with: the one in force on the day. Null: unknown."
    )

    @strawberry.field(description="Gross, rest included, in a unit. Null: see `method`.")
    def gross(self, unit: EnergyIn = EnergyUnit.KCAL) -> Energy | None:
        return None if self.computed.gross_kcal is None else energy_in(self.computed.gross_kcal, unit)

    @strawberry.field(description="Without what rest would have burned, in a unit. Null where `netKcal` is.")
    def net(self, unit: EnergyIn = EnergyUnit.KCAL) -> Energy | None:
        return None if self.computed.net_kcal is None else energy_in(self.computed.net_kcal, unit)


def estimate(computed: energy.Energy) -> EnergyEstimate:
    return EnergyEstimate(
        computed=computed,
        kcal=rounded_or_none(computed.gross_kcal),
        net_kcal=rounded_or_none(computed.net_kcal),
        method=computed.method,
        body_weight_kg=rounded_or_none(computed.body_weight_kg),
    )
