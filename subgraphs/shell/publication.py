"""What people publish for others, whatever it is: why it is reported, what becomes of it, and the bounds of both. Pure."""

from datetime import timedelta
from enum import StrEnum

from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line

#: By one person, of one kind of things: more in a day is no judgement any more.
MOST_REPORTS_A_DAY = 20
#: What so many people have reported is shown to nobody before an administrator has decided about it.
REPORTS_THAT_HIDE = 5
#: Reports of younger accounts are told to administrators and hide nothing: five accounts are made in a minute.
HIDES_FROM_AGE = timedelta(days=7)


class ReportReason(StrEnum):
    OFFENSIVE = "OFFENSIVE"
    DANGEROUS = "DANGEROUS"
    SPAM = "SPAM"
    PERSONAL_DATA = "PERSONAL_DATA"
    OTHER = "OTHER"


class ModerationDecision(StrEnum):
    KEEP = "KEEP"
    WITHDRAW = "WITHDRAW"


def check_moderation(checks: Checks, reason: str) -> None:
    """Why an administrator decides so: 3 to 500 characters, for the audit trail."""
    check_line(checks, reason, "reason", shortest=3, longest=500)
