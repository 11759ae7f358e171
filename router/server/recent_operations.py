"""What a router answered lately, for the console: rates and errors by operation, times, and the slowest with their fetches.

`front_door` notes every operation where the console is served; everything is bounded, and nothing is kept on disk.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

from router.pipeline import Response
from router.prepared_request import PreparedRequest
from router.request_trace import RequestTrace, fetches_without_values, kept_as_json
from router.selection_set import Field
from router.server.outcomes import outcome_of

BUCKET_SECONDS = 2
BUCKETS = 150  # five minutes
MOST_NAMES = 50  # by which operations are told apart; the others are one more
QUIET_BUCKETS = 30  # after a minute of silence a name makes room for a new one
TIMES_KEPT = 200  # of each name
SLOWEST = 20
SLOWEST_OF_A_NAME = 3
SLOW_FOR_SECONDS = 900.0
OTHER = "others"
NAME_CHARACTERS = 60


@dataclass(slots=True)
class _Bucket:
    """`counts` are [operations, errors] by name."""

    number: int
    counts: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Operation:
    type: str
    count: int = 0
    errors: int = 0
    last: int = 0  # the number of the newest bucket that has it
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=TIMES_KEPT))
    codes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Slow:
    name: str
    type: str
    at: float
    seconds: float
    outcome: str
    trace: dict[str, Any]


class RecentOperations:
    """Of one process. Names are the client's, or the root fields of an operation without one."""

    def __init__(self) -> None:
        self._buckets: deque[_Bucket] = deque(maxlen=BUCKETS)
        self._operations: OrderedDict[str, _Operation] = OrderedDict()
        self._slow: list[_Slow] = []

    def note(self, response: Response, prepared: PreparedRequest | None) -> None:
        """One answer; `prepared` is None where the operation was refused before it was understood."""
        outcome = outcome_of(response)
        trace = prepared.trace if prepared is not None else None
        name = _name_of(prepared) if prepared is not None else response.operation_name or "not understood"
        known = self._count(name, response.operation_type, is_error=outcome != "ok")
        for code in {each or "none" for each in response.error_codes}:
            if code in known.codes or len(known.codes) < MOST_NAMES:
                known.codes[code] = known.codes.get(code, 0) + 1
        if trace is not None:
            seconds = trace.seconds
            known.seconds.append(seconds)
            self._note_slow(name, response.operation_type, seconds, outcome, trace)

    def note_stream(self, prepared: PreparedRequest) -> None:
        """A subscription, or an answer in pieces, has begun."""
        self._count(_name_of(prepared), prepared.operation_type, is_error=False)

    def as_json(self) -> dict[str, Any]:
        """Rates a second for each bucket of the last five minutes, times in milliseconds."""
        last = int(time.time() / BUCKET_SECONDS) - 1  # the present one is not over
        numbers = range(last - BUCKETS + 1, last + 1)
        counts = {bucket.number: bucket.counts for bucket in self._buckets}
        series = {
            name: {
                "rates": [counts.get(number, {}).get(name, (0, 0))[0] / BUCKET_SECONDS for number in numbers],
                "errors": [counts.get(number, {}).get(name, (0, 0))[1] / BUCKET_SECONDS for number in numbers],
            }
            for name in self._operations
        }
        self._forget_old()
        return {
            "times": [number * BUCKET_SECONDS for number in numbers],
            "operations": [{"name": name, **_as_json(each), **series[name]} for name, each in self._operations.items()],
            "slow": [
                {
                    "name": each.name,
                    "type": each.type,
                    "at": each.at,
                    "milliseconds": round(each.seconds * 1000, 2),
                    "outcome": each.outcome,
                    "trace": each.trace,
                }
                for each in self._slow
            ],
        }

    def _count(self, name: str, operation_type: str, *, is_error: bool) -> _Operation:
        number = int(time.time() / BUCKET_SECONDS)
        if name not in self._operations and not self._has_room(number):
            name = OTHER
        known = self._operations.setdefault(name, _Operation(operation_type))
        known.last = number
        if not self._buckets or self._buckets[-1].number != number:
            self._buckets.append(_Bucket(number))
        count = self._buckets[-1].counts.setdefault(name, [0, 0])
        known.count += 1
        count[0] += 1
        known.errors += is_error
        count[1] += is_error
        return known

    def _has_room(self, number: int) -> bool:
        """For one more name, perhaps in the place of the one that was seen longest ago; what that had is of the others then."""
        if len(self._operations.keys() - {OTHER}) < MOST_NAMES:
            return True
        name = min((each for each in self._operations if each != OTHER), key=lambda each: self._operations[each].last)
        if number - self._operations[name].last < QUIET_BUCKETS:
            return False
        quiet = self._operations.pop(name)
        others = self._operations.setdefault(OTHER, _Operation(quiet.type))
        others.count += quiet.count
        others.errors += quiet.errors
        others.seconds.extend(quiet.seconds)
        others.last = max(others.last, quiet.last)
        for code, count in quiet.codes.items():
            if code in others.codes or len(others.codes) < MOST_NAMES:
                others.codes[code] = others.codes.get(code, 0) + count
        for bucket in self._buckets:
            if (counts := bucket.counts.pop(name, None)) is not None:
                both = bucket.counts.setdefault(OTHER, [0, 0])
                both[0] += counts[0]
                both[1] += counts[1]
        return True

    def _note_slow(self, name: str, operation_type: str, seconds: float, outcome: str, trace: RequestTrace) -> None:
        if len(self._slow) >= SLOWEST and seconds <= self._slow[-1].seconds:
            return
        same = [each for each in self._slow if each.name == name]  # the slowest first
        if len(same) >= SLOWEST_OF_A_NAME:
            if seconds <= same[-1].seconds:
                return
            self._slow.remove(same[-1])
        told = {
            "milliseconds": round(seconds * 1000, 2),
            "stages": [
                {"name": each.name, "milliseconds": round(each.seconds * 1000, 3), "cached": each.cached}
                for each in trace.stages
            ],
            "fetches": fetches_without_values(trace.fetches),
            "kept": kept_as_json(trace),
        }
        self._slow.append(_Slow(name, operation_type, trace.began_at, seconds, outcome, told))
        self._slow.sort(key=lambda each: -each.seconds)
        del self._slow[SLOWEST:]

    def _forget_old(self) -> None:
        now = time.time()  # what began later was noted while the clock was ahead
        self._slow = [each for each in self._slow if now - SLOW_FOR_SECONDS <= each.at <= now]


def _name_of(prepared: PreparedRequest) -> str:
    operation = prepared.operation.operation
    if operation.name:
        return operation.name[:NAME_CHARACTERS]
    fields = " ".join(item.name for item in operation.selections.items if isinstance(item, Field))
    return f"{{ {fields[:NAME_CHARACTERS]} }}"


def _as_json(operation: _Operation) -> dict[str, Any]:
    times = sorted(operation.seconds)
    return {
        "type": operation.type,
        "count": operation.count,
        "errorCount": operation.errors,
        "codes": operation.codes,
        "median": _share(times, 0.5),
        "p95": _share(times, 0.95),
    }


def _share(times: list[float], share: float) -> float | None:
    """In milliseconds."""
    return round(times[min(int(len(times) * share), len(times) - 1)] * 1000, 2) if times else None
