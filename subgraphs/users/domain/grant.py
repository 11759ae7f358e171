"""What a person may let others read and plan, for how long, and to how many."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from subgraphs.shell.errors import Checks
from subgraphs.shell.grant_area import GrantArea, PlanArea
from subgraphs.users.domain.account import check_email

LONGEST_GRANT_DAYS = 365
INVITATION_LIFE = timedelta(days=7)
MOST_INVITATIONS = 20
MOST_READERS = 20
MOST_CLIENTS = 500


class GrantRelation(StrEnum):
    COACH = "COACH"
    FAMILY = "FAMILY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What an invitation offers: areas to read and plans to write, for so many days from its acceptance; `email` names who
    may accept it.
    """

    relation: GrantRelation
    areas: tuple[GrantArea, ...]
    days: int
    email: str | None = None
    plans: tuple[PlanArea, ...] = ()


def offer_of(
    relation: GrantRelation,
    areas: Collection[GrantArea],
    days: int,
    email: str | None,
    plans: Collection[PlanArea] = (),
) -> Offer:
    """The offer, its areas in their usual order and each once. Raises ValidationError for one that cannot be made."""
    checks = Checks()
    checks.require(bool(areas), "areas", "must name something to read")
    checks.require(1 <= days <= LONGEST_GRANT_DAYS, "days", f"must be from 1 to {LONGEST_GRANT_DAYS}")
    for number, plan in enumerate(plans):
        is_read = plan.reading in areas
        checks.require(is_read, f"plans.{number}", f"needs {plan.reading} among the areas: who plans it has to see it")
    if email is not None:
        check_email(checks, email)
    checks.done()
    return Offer(
        relation=relation,
        areas=tuple(area for area in GrantArea if area in areas),
        days=days,
        email=email,
        plans=tuple(plan for plan in PlanArea if plan in plans),
    )
