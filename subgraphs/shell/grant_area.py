"""What a grant opens, as the domains are cut: areas to read, named by `sharing` on fields and types, and plans to write,
asked for by `plan_writing`. Stored by `grants`.
"""

from enum import StrEnum


class GrantArea(StrEnum):
    """What a person may let somebody read."""

    BODY = "BODY"
    DIARY = "DIARY"
    TRAINING = "TRAINING"
    PROGRESS = "PROGRESS"


class PlanArea(StrEnum):
    """What a person may let somebody plan for them. What was eaten, trained and weighed is nobody else's to write."""

    MEALS = "MEALS"
    TRAINING = "TRAINING"
    GOALS = "GOALS"

    @property
    def reading(self) -> GrantArea:
        """The area that whoever plans has to read: nobody plans for a person unseen, and no answer shows more than it."""
        return _READING[self]


_READING = {
    PlanArea.MEALS: GrantArea.DIARY,
    PlanArea.TRAINING: GrantArea.TRAINING,
    PlanArea.GOALS: GrantArea.PROGRESS,
}
