"""What the subgraphs in which people publish something tell alike: that an administrator decided about it."""

from events.envelope import Payload


class PublicationModerated(Payload, frozen=True, kw_only=True):
    """An administrator decided about what a person, who is the event's user, had published. `before` and `after` say who saw
    it.
    """

    actor_id: str
    decision: str
    reason: str
    before: str
    after: str
