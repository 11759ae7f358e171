"""Energy in GraphQL: a number with where it comes from."""

import strawberry

from subgraphs.scalars import rounded_or_none
from subgraphs.workouts.domain import energy

strawberry.enum(energy.EnergyMethod)


@strawberry.federation.type(shareable=True, description="Energy in kcal, and why there is none if there is none.")
class EnergyEstimate:
    kcal: float | None = strawberry.field(description="Gross: what was burned altogether.")
    net_kcal: float | None = strawberry.field(description="Without what rest would have burned.")
    method: energy.EnergyMethod
    body_weight_kg: float | None = strawberry.field(description="The weight it was computed with.")


def estimate(computed: energy.Energy) -> EnergyEstimate:
    return EnergyEstimate(
        kcal=rounded_or_none(computed.gross_kcal),
        net_kcal=rounded_or_none(computed.net_kcal),
        method=computed.method,
        body_weight_kg=rounded_or_none(computed.body_weight_kg),
    )
