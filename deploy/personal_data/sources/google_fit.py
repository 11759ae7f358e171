"""Google Fit in Google Takeout: a JSON file for each session, and a table of days, of which the mean weight and the steps are taken.

Health Connect exports a database instead of files of these kinds; it is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import time
from typing import Any

import orjson

from deploy.personal_data.sources import quantities
from deploy.personal_data.sources.reading import Format, Found, Person, SkippedError, Source
from deploy.personal_data.sources.records import Session, step_count, weighing
from deploy.personal_data.sources.sheet import Row, columns_of, table
from deploy.personal_data.sources.sports import done_of, exercises_of

LARGEST_SESSION_BYTES = 8 * 1024**2
_WEIGHED_AT = time(8)
_WEIGHT = "Average weight (kg)"
_STEPS = "Step count"
_DAYS = frozenset({"Date", _WEIGHT, _STEPS})
_COUNTER = "Google Fit"
#: What Google takes for sessions and nobody for a workout.
_NO_WORKOUT = frozenset({"still", "unknown", "in_vehicle", "tilting"})


def _is_session(name: str, head: bytes) -> bool:
    return name.lower().endswith(".json") and b'"fitnessActivity"' in head


def _read_session(source: Source) -> Iterator[Found]:
    source.reading.read[source.name] += 1
    try:
        called, found = _session(source)
    except SkippedError as refusal:
        source.reading.skip(source.name, str(refusal))
        return
    yield from exercises_of([called])
    yield found


def _session(source: Source) -> tuple[str, Found]:
    told = _told(source.file.read(LARGEST_SESSION_BYTES + 1))
    called = str(told.get("fitnessActivity") or "workout")
    if called in _NO_WORKOUT or called.startswith("sleep"):
        raise SkippedError(f"{called} is no workout")
    started_at = quantities.exact_moment(str(told.get("startTime")), "startTime")
    ended_at = quantities.exact_moment(str(told.get("endTime")), "endTime")
    moving = quantities.duration(str(told.get("duration") or ""), "duration").total_seconds()
    lasted = ended_at - started_at
    totals = _totals(told)
    kcal = totals.get("com.google.calories.expended")
    metres = round(totals.get("com.google.distance.delta", 0.0), 2)
    session = Session(
        id_parts=("googlefit", started_at.isoformat(), ended_at.isoformat(), called),
        place=source.name,
        name=called.replace("_", " ").replace(".", " ").capitalize(),
        started_at=started_at,
        lasted=lasted,
        exercises=done_of(called, round(moving or lasted.total_seconds()), metres),
        kcal=None if kcal is None else round(kcal, 2),
        active_minutes=round(min(moving, lasted.total_seconds()) / 60, 4) if moving else None,
    )
    return called, session.found()


def _told(text: bytes) -> dict[str, Any]:
    if len(text) > LARGEST_SESSION_BYTES:
        raise SkippedError(f"has more than {LARGEST_SESSION_BYTES // 1024**2} MiB")
    try:
        told = orjson.loads(text)
    except ValueError as error:
        raise SkippedError(f"is no JSON: {error}") from None
    if not isinstance(told, dict):
        raise SkippedError("is no JSON object")
    return told


def _totals(told: dict[str, Any]) -> dict[str, float]:
    """The sums of the session by metric; what is no number is none."""
    aggregate = told.get("aggregate")
    found: dict[str, float] = {}
    for each in aggregate if isinstance(aggregate, list) else ():
        value = each.get("floatValue", each.get("intValue")) if isinstance(each, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[str(each.get("metricName"))] = float(value)
    return found


def _has_days(name: str, head: bytes) -> bool:
    """Of nobody who has no scales there is a column of weights."""
    columns = set(columns_of(head))
    return name.lower().endswith(".csv") and "Date" in columns and not columns.isdisjoint({_WEIGHT, _STEPS})


def _day(row: Row, person: Person) -> Iterator[Found]:
    """Days on which nobody stood on scales have no weight, and days that were not counted no steps; neither is anything to tell of."""
    day = quantities.day(row.get("Date"), "Date")
    kg = quantities.amount(row.get(_WEIGHT), _WEIGHT)
    if kg is not None:
        at = quantities.at_clock(day, _WEIGHED_AT, person)
        yield weighing("googlefit", row.place, at, kg)
    steps = quantities.count(row.get(_STEPS), _STEPS)
    if steps is not None:
        yield step_count("googlefit", row.place, day, _COUNTER, steps, None)


SESSIONS = Format("Google Fit sessions", _is_session, _read_session)
DAYS = replace(table("Google Fit days", ("Date",), _DAYS, _day), fits=_has_days)
