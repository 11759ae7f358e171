"""Which workouts an account has already, whichever app brought them: the same start and length, or distance, is the same one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping
from datetime import datetime
from math import inf
from typing import Any, Self

from deploy.personal_data.graph_client import GraphClient

#: A watch, a phone and the app that copies from them disagree by seconds, and by what one of them takes for a pause.
SAME_START_SECONDS = 180.0
SAME_LENGTH_SECONDS, SAME_LENGTH_SHARE = 180.0, 0.1
SAME_DISTANCE_SHARE = 0.05
_WORKOUTS = """query ImportWorkouts($after: String) {
  me { workouts(first: 100, after: $after, status: COMPLETED) { nodes { startedAt endedAt track { distanceM } } pageInfo { hasNextPage endCursor } } }
}"""


class PresentWorkouts:
    """The start and length of each in seconds, and the metres of its recording, 0 without one."""

    def __init__(self, workouts: Iterable[Mapping[str, Any]]) -> None:
        self._spans = sorted(_span(each) for each in workouts)

    @classmethod
    async def of(cls, client: GraphClient) -> Self:
        """Those of the account: 10,000 at most, three numbers each."""
        found, after = [], None
        while True:
            page = (await client.ask(_WORKOUTS, {"after": after}))["me"]["workouts"]
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return cls(found)
            after = page["pageInfo"]["endCursor"]

    def has(self, workout: Mapping[str, Any]) -> bool:
        """Whether one is there that began as this one did, and lasted as long or went as far."""
        start, length, metres = _span(workout)
        first = bisect_left(self._spans, (start - SAME_START_SECONDS,))
        last = bisect_right(self._spans, (start + SAME_START_SECONDS, inf))
        return any(
            abs(length - other_length) <= max(SAME_LENGTH_SECONDS, SAME_LENGTH_SHARE * max(length, other_length))
            or (metres > 0 and abs(metres - other_metres) <= SAME_DISTANCE_SHARE * metres)
            for _, other_length, other_metres in self._spans[first:last]
        )

    def add(self, workout: Mapping[str, Any]) -> None:
        insort(self._spans, _span(workout))


def _span(workout: Mapping[str, Any]) -> tuple[float, float, float]:
    start, end = (datetime.fromisoformat(workout[name]).timestamp() for name in ("startedAt", "endedAt"))
    return start, end - start, (workout.get("track") or {}).get("distanceM", 0.0)
