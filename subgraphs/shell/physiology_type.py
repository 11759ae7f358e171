"""The body in GraphQL: what users answer and other subgraphs' formulas require, so that each says it in the same words."""

from datetime import date

import strawberry

from subgraphs.shell.cost import list_size
from subgraphs.shell.physiology import ActivityLevel, FitnessGoal, HeartRateKind, Sex
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
describe_enum(
    HeartRateKind,
    "Which heart rate of a person's own.",
    RESTING="At complete rest, as in the morning before getting up.",
    MAXIMUM="The most that the heart can reach, as a test to exhaustion finds it.",
)


PHYSIOLOGY_DESCRIPTION = "The body as of now, for other subgraphs' formulas."
HEART_RATES_DESCRIPTION = "Of any day, the newest first; at most 1,000."


@strawberry.federation.type(name="Physiology", shareable=True, inaccessible=True, description=PHYSIOLOGY_DESCRIPTION)
class PhysiologyOfEffort:
    """As much of the type as formulas of effort ask for; a subgraph that needs no more declares no more."""

    weight_kg: float | None = strawberry.field(
        default=None, description="The newest weighing in kilograms; null without one."
    )
    age_years: int | None = strawberry.field(
        default=None, description="Whole years on the person's calendar; null if not told."
    )
    sex: Sex | None = strawberry.field(default=None, description="Null if not told.")


@strawberry.federation.type(
    shareable=True, inaccessible=True, description="A heart rate that a person keeps, for other subgraphs' formulas."
)
class HeldHeartRate:
    kind: HeartRateKind = strawberry.field(description="Which one.")
    beats_per_minute: int = strawberry.field(description="In beats a minute.")
    since: date = strawberry.field(description="The first day on which it holds; it does until that of the next.")


@strawberry.federation.type(name="Physiology", shareable=True, inaccessible=True, description=PHYSIOLOGY_DESCRIPTION)
class PhysiologyOfHeart(PhysiologyOfEffort):
    """What zones and efforts of a day ask for besides."""

    date_of_birth: date | None = strawberry.field(default=None, description="Null if not told.")
    heart_rates: list[HeldHeartRate] = strawberry.field(
        default_factory=list,
        description=HEART_RATES_DESCRIPTION,
        directives=[list_size(10)],
    )


@strawberry.federation.type(shareable=True, inaccessible=True, description=PHYSIOLOGY_DESCRIPTION)
class Physiology(PhysiologyOfEffort):
    height_cm: float | None = strawberry.field(default=None, description="In centimetres; null if not told.")
    activity_level: ActivityLevel | None = strawberry.field(default=None, description="Null if not told.")
    fitness_goal: FitnessGoal | None = strawberry.field(default=None, description="Null if not told.")
    body_fat_percent: float | None = strawberry.field(
        default=None, description="Of the newest weighing, in percent of the weight; null if it was not measured."
    )
