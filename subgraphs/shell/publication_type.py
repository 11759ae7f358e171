"""Reports and decisions about what people publish, in GraphQL: one description for each subgraph that has it."""

from collections.abc import Iterable

import strawberry

from subgraphs.shell.publication import ModerationDecision, ReportReason
from subgraphs.shell.scalars import describe_enum

__all__ = ["ModerationDecision", "ReportCount", "ReportReason", "report_counts"]

describe_enum(
    ReportReason,
    "Why something that a person published is out of place.",
    OFFENSIVE="Its name, or its text, offends.",
    DANGEROUS="It may hurt whoever goes by it.",
    SPAM="It advertises something.",
    PERSONAL_DATA="It tells of somebody.",
    OTHER="Something else.",
)
describe_enum(
    ModerationDecision,
    "What becomes of something that a person published.",
    KEEP="It stays public, or is public again.",
    WITHDRAW="Nobody but its person sees it any more, and it cannot be published again.",
)


@strawberry.federation.type(
    shareable=True, description="How often something that a person published was reported for one reason."
)
class ReportCount:
    reason: ReportReason = strawberry.field(description="Why it is out of place.")
    times: int = strawberry.field(description="By how many people.")


def report_counts(counted: Iterable[tuple[str, int]]) -> list[ReportCount]:
    return [ReportCount(reason=ReportReason(reason), times=times) for reason, times in counted]
