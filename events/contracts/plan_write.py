"""What the subgraphs that have plans of people tell alike: that somebody else wrote one."""

from events.envelope import Payload


class PlanWritten(Payload, frozen=True, kw_only=True):
    """Somebody wrote a plan of a person, who is the event's user, by a grant. Aggregate `plan_write`, version 1: it never
    changes. `subject_id` is the plan's id, `what` its kind.
    """

    aggregate_type = "plan_write"

    grant_id: str
    writer_id: str
    what: str
    subject_id: str
