"""The areas that a grant opens, as the domains are cut. Named by `sharing` on fields and types, stored by `grants`."""

from enum import StrEnum


class GrantArea(StrEnum):
    """What a person may let somebody read."""

    BODY = "BODY"
    DIARY = "DIARY"
    TRAINING = "TRAINING"
    PROGRESS = "PROGRESS"
