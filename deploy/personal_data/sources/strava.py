"""Strava's `activities.csv`, a line for each activity, with moments in UTC and the file of its recording.

Some columns are there twice: first in the units of the person's screen, then in metres and seconds. The latter count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from deploy.personal_data.sources import quantities
from deploy.personal_data.sources.quantities import METRES
from deploy.personal_data.sources.reading import Format, Found, Person, SkippedError, Source
from deploy.personal_data.sources.recordings import recording_beside
from deploy.personal_data.sources.records import Session, gear, notes
from deploy.personal_data.sources.sheet import Row, columns_of, require, rows_of
from deploy.personal_data.sources.sports import done_of, exercises_of

_UTC = ZoneInfo("UTC")
_USED = frozenset(
    {"Activity ID", "Activity Date", "Activity Name", "Activity Type", "Activity Description", "Activity Private Note",
     "Elapsed Time", "Moving Time", "Distance", "Calories", "Filename", "Activity Gear"}
)  # fmt: skip


def _fits(name: str, head: bytes) -> bool:
    return name.lower().endswith(".csv") and {"Activity ID", "Activity Date", "Activity Type"} <= set(columns_of(head))


def _read(source: Source) -> Iterator[Found]:
    """Distances of the older form, which has the column once, are in kilometres."""
    with_metres = source.file.peek(1)[:8192] if hasattr(source.file, "peek") else b""
    is_twice = columns_of(with_metres).count("Distance") > 1
    activities, seen = set(), dict[str, str]()
    for row in rows_of(source, _USED):
        try:
            session = _session(row, replace(source.person, zone=_UTC), in_metres=is_twice)
        except SkippedError as refusal:
            source.reading.skip(row.place, str(refusal))
            continue
        activities.add(activity := row.get("Activity Type") or "")
        if session.gear is not None:
            seen.setdefault(session.gear, _gear_kind(activity))
        track = recording_beside(source, row.get("Filename") or "", session.lasted)
        yield replace(session, track=track).found()
    yield from exercises_of(activities)
    yield from (gear(name, kind) for name, kind in seen.items())


def _session(row: Row, person: Person, *, in_metres: bool) -> Session:
    called = require(row, "Activity Type")
    elapsed = quantities.number(row.get("Elapsed Time"), "Elapsed Time")
    if elapsed is None:
        raise SkippedError("Elapsed Time is empty")
    moving = min(quantities.number(row.get("Moving Time"), "Moving Time") or elapsed, elapsed)
    metres = quantities.amount(row.get("Distance"), "Distance", METRES["m" if in_metres else "km"])
    return Session(
        id_parts=("strava", require(row, "Activity ID")),
        place=row.place,
        name=row.get("Activity Name") or called,
        started_at=quantities.moment(row.get("Activity Date"), "Activity Date", person),
        lasted=timedelta(seconds=float(elapsed)),
        exercises=done_of(called, round(moving), metres),
        said=notes(row.get("Activity Description"), row.get("Activity Private Note")),
        kcal=quantities.amount(row.get("Calories"), "Calories"),
        active_minutes=round(float(moving) / 60, 4),
        gear=row.get("Activity Gear") or None,
    )


def _gear_kind(activity: str) -> str:
    """Strava has shoes and bicycles, and tells of an activity with either by its name alone."""
    plain = activity.casefold()
    if "ride" in plain:
        return "BICYCLE"
    return "SHOES" if any(word in plain for word in ("run", "walk", "hike")) else "OTHER"


STRAVA = Format("Strava", _fits, _read)
