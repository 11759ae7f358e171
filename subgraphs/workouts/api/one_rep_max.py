"""One-repetition maxima in GraphQL: the formulas, and what one of them gives."""

import strawberry

from subgraphs.shell.scalars import describe_enum
from subgraphs.workouts.domain.one_rep_max import OneRepMaxFormula

__all__ = ["OneRepMaxEstimate", "OneRepMaxFormula"]

describe_enum(
    OneRepMaxFormula,
    "Formulas of the weight that one repetition would allow, from repetitions to failure.",
    EPLEY="Epley 1985: w (1 + r / 30).",
    BRZYCKI="Brzycki 1993: 36 w / (37 - r), up to 36 repetitions; as Epley's at 10.",
    LOMBARDI="Lombardi 1989: w r^0.10.",
    MAYHEW="Mayhew et al. 1992: 100 w / (52.2 + 41.9 e^(-0.055 r)).",
    WATHAN="Wathan 1994: 100 w / (48.8 + 53.8 e^(-0.075 r)).",
    O_CONNER="O'Conner et al. 1989: w (1 + 0.025 r).",
)


@strawberry.type(description="What one repetition would allow, by one formula.")
class OneRepMaxEstimate:
    formula: OneRepMaxFormula = strawberry.field(description="Which formula.")
    kg: float = strawberry.field(description="In kilograms.")
    is_reliable: bool = strawberry.field(
        description="Whether it is of 12 repetitions or fewer, those left included; past them formulas drift apart."
    )
