"""The body in GraphQL: what users answer and other subgraphs' formulas require, so that each says it in the same words."""

import strawberry

from subgraphs.shell.physiology import ActivityLevel, FitnessGoal, Sex
from subgraphs.shell.scalars import describe_enum

describe_enum(
    Sex,
    "What formulas of energy ask for.",
    MALE="The formulas' male constant.",
    FEMALE="The formulas' female constant.",
    OTHER="The mean of the two constants.",
)
describe_enum(
    ActivityLevel,
    "How much somebody moves apart from workouts.",
    SEDENTARY="Sits nearly all day.",
    LIGHT="Walks a little.",
    MODERATE="Is on the feet half of the day.",
    ACTIVE="Is on the feet nearly all day.",
    VERY_ACTIVE="Works hard with the body.",
)
describe_enum(
    FitnessGoal,
    "What somebody is here for.",
    LOSE_WEIGHT="To weigh less.",
    MAINTAIN="To stay at the same weight.",
    GAIN_WEIGHT="To weigh more.",
    GAIN_MUSCLE="To grow stronger and heavier.",
    ENDURANCE="To last longer.",
    GENERAL_FITNESS="To be fit, without an aim in numbers.",
)


_DESCRIPTION = "The body as of now, for other subgraphs' formulas."


@strawberry.federation.type(name="Physiology", shareable=True, inaccessible=True, description=_DESCRIPTION)
class PhysiologyOfEffort:
    """As much of the type as formulas of effort ask for; a subgraph that needs no more declares no more."""

    weight_kg: float | None = strawberry.field(
        default=None, description="The newest weighing in kilograms; null without one."
    )
    age_years: int | None = strawberry.field(
        default=None, description="Whole years on the person's calendar; null if not told."
    )
    sex: Sex | None = strawberry.field(default=None, description="Null if not told.")


@strawberry.federation.type(shareable=True, inaccessible=True, description=_DESCRIPTION)
class Physiology(PhysiologyOfEffort):
    height_cm: float | None = strawberry.field(default=None, description="In centimetres; null if not told.")
    activity_level: ActivityLevel | None = strawberry.field(default=None, description="Null if not told.")
    fitness_goal: FitnessGoal | None = strawberry.field(default=None, description="Null if not told.")
    body_fat_percent: float | None = strawberry.field(
        default=None, description="Of the newest weighing, in percent of the weight; null if it was not measured."
    )
