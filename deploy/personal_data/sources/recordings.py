"""Recordings in GPX, TCX and FIT, each file one workout: by itself, or beside an app's list of activities.

XML is read as a stream by defusedxml, which refuses document types with entities; FIT by fitdecode. Positions are used for
distances and then forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, ParseError

import fitdecode
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from deploy.personal_data.sources.archive import DamagedFileError
from deploy.personal_data.sources.quantities import exact_moment
from deploy.personal_data.sources.reading import Format, Found, SkippedError, Source
from deploy.personal_data.sources.recording import Point, Recording, line_of, track_of
from deploy.personal_data.sources.records import Session
from deploy.personal_data.sources.sports import done_of, exercises_of
from subgraphs.workouts.domain.series import FASTEST_CADENCE, MOST_WATTS
from subgraphs.workouts.domain.track import LEAST_HEART_RATE, MOST_HEART_RATE

#: By so much the clocks of a list and of its recordings may differ.
TOLERANCE_SECONDS = 2
LARGEST_FIT_BYTES = 64 * 1024**2
#: What of XML may be in memory at a time; an archive may unpack to more than any machine has.
MOST_QUIET_BYTES = 1024**2
MOST_OPEN = 100
MOST_IN_POINT = 1_000
#: What readers look at as it ends, and what they then look for in the elements around it.
_POINTS = frozenset({"trkpt", "Trackpoint"})
_KEPT = frozenset({"name", "type", "Calories"})
#: Degrees of one of FIT's semicircles.
_SEMICIRCLE = 180 / 2**31
#: What Strava once wrote into GPX for a kind of activity.
_NUMBERED = {"1": "ride", "4": "hike", "9": "run", "10": "walk"}


def read_gpx(file: BinaryIO) -> Recording:
    """Track points with a time. Raises SkippedError."""
    recording, is_first = Recording(), True
    for event, element in _elements(file):
        match event, _name(element):
            case "start", "trkseg":
                is_first = True
            case "end", "trkpt":
                told = {_name(each): (each.text or "").strip() for each in element.iter()}
                if told.get("time"):
                    recording.add(
                        Point(
                            exact_moment(told["time"], "time").timestamp(),
                            position=(_float(element.get("lat")), _float(element.get("lon"))),
                            altitude=_float_or_none(told.get("ele")),
                            heart_rate=_rate(told.get("hr")),
                            cadence=_whole(told.get("cad") or told.get("cadence"), FASTEST_CADENCE),
                            power=_whole(told.get("power") or told.get("PowerInWatts"), MOST_WATTS),
                            after_break=is_first,
                        )
                    )
                    is_first = False
                element.clear()
            case "end", "trk":
                recording.name = recording.name or _text(element, "name")
                kind = _text(element, "type")
                recording.sport = recording.sport or _NUMBERED.get(kind, kind)
    return recording


def read_tcx(file: BinaryIO) -> Recording:
    """The track points of all laps, with the distance that the device counted. Raises SkippedError."""
    recording = Recording()
    for event, element in _elements(file):
        match event, _name(element):
            case "start", "Activity":
                recording.sport = recording.sport or element.get("Sport", "")
            case "end", "Trackpoint":
                told = {_name(each): (each.text or "").strip() for each in element.iter()}
                if told.get("Time"):
                    recording.add(_tcx_point(told))
                element.clear()
            case "end", "Lap":
                kcal = _float_or_none(_text(element, "Calories"))
                recording.kcal = (recording.kcal or 0.0) + kcal if kcal else recording.kcal
    return recording


def _tcx_point(told: dict[str, str]) -> Point:
    latitude, longitude = (_float_or_none(told.get(f"{each}Degrees")) for each in ("Latitude", "Longitude"))
    return Point(
        exact_moment(told["Time"], "Time").timestamp(),
        position=None if latitude is None or longitude is None else (latitude, longitude),
        metres=_float_or_none(told.get("DistanceMeters")),
        altitude=_float_or_none(told.get("AltitudeMeters")),
        heart_rate=_rate(told.get("Value")),
        cadence=_whole(told.get("Cadence") or told.get("RunCadence"), FASTEST_CADENCE),
        power=_whole(told.get("Watts"), MOST_WATTS),
    )


def read_fit(file: BinaryIO) -> Recording:
    """Messages `record`, and of `session` the sport and energy. Raises SkippedError."""
    if len(content := file.read(LARGEST_FIT_BYTES + 1)) > LARGEST_FIT_BYTES:
        raise SkippedError(f"has more than {LARGEST_FIT_BYTES // 1024**2} MiB")
    try:
        return _recording_of(content)
    except SkippedError:
        raise
    except Exception as error:  # whatever its reader makes of bytes that no device wrote
        raise SkippedError(f"is no FIT file that can be read: {str(error) or type(error).__name__}") from None


def _recording_of(content: bytes) -> Recording:
    recording = Recording()
    with fitdecode.FitReader(
        content, check_crc=fitdecode.CrcCheck.RAISE, error_handling=fitdecode.ErrorHandling.RAISE
    ) as reader:
        for frame in reader:
            if not isinstance(frame, fitdecode.FitDataMessage):
                continue
            told = {each.name: each.value for each in frame.fields}
            if frame.name == "record" and "timestamp" in told:
                recording.add(_fit_point(told))
            elif frame.name == "session":
                recording.sport = recording.sport or str(told.get("sport") or "")
                recording.kcal = recording.kcal or _float_or_none(told.get("total_calories"))
    return recording


def _fit_point(told: dict[str, Any]) -> Point:
    latitude, longitude = told.get("position_lat"), told.get("position_long")
    position = None if latitude is None or longitude is None else (latitude * _SEMICIRCLE, longitude * _SEMICIRCLE)
    altitude = told.get("enhanced_altitude")
    return Point(
        told["timestamp"].timestamp(),
        position=position,
        metres=_float_or_none(told.get("distance")),
        altitude=_float_or_none(told.get("altitude") if altitude is None else altitude),
        heart_rate=_rate(told.get("heart_rate")),
        cadence=_whole(told.get("cadence"), FASTEST_CADENCE),
        power=_whole(told.get("power"), MOST_WATTS),
    )


class _Watched:
    """A file to read from, which complains of bytes that bring no tag."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.quiet_bytes = 0

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(size)
        self.quiet_bytes += len(found)
        if self.quiet_bytes > MOST_QUIET_BYTES:
            raise SkippedError(f"has {MOST_QUIET_BYTES // 1024**2} MiB of XML without a tag")
        return found


def _elements(file: BinaryIO) -> Iterator[tuple[str, Element]]:
    """Each element as it starts and ends, and forgotten then, but for those of a point until it ends, and for the first of
    each of `_KEPT` within another. Raises SkippedError for what is no XML, for entities, and for what fills memory.
    """
    watched = _Watched(file)
    opened: list[Element] = []
    in_point = 0  # elements of the point that is open
    try:
        for event, element in iterparse(watched, events=("start", "end")):
            watched.quiet_bytes = 0
            if event == "start":
                opened.append(element)
                in_point += in_point > 0 or _name(element) in _POINTS
                if len(opened) > MOST_OPEN or in_point > MOST_IN_POINT:
                    raise SkippedError("has more elements within one another than any recording")
                yield event, element
                continue
            yield event, opened.pop()
            if _name(element) in _POINTS:
                in_point = 0
            if opened and not in_point:
                _forget(opened[-1], element)
    except DefusedXmlException as error:
        raise SkippedError(f"defines entities, which no recording does: {error}") from None
    except (ParseError, UnicodeError, LookupError) as error:  # the last for an encoding that nobody knows
        raise SkippedError(f"is no XML that can be read: {error}") from None


def _forget(parent: Element, element: Element) -> None:
    name = _name(element)
    if name not in _KEPT or next(each for each in parent if _name(each) == name) is not element:
        parent.remove(element)


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: Element, name: str) -> str:
    """Of the first child of that name."""
    return next((" ".join((each.text or "").split()) for each in element if _name(each) == name), "")


def _float(text: str | None) -> float:
    found = _float_or_none(text)
    if found is None:
        raise SkippedError(f"{text!r} is no coordinate")
    return found


def _float_or_none(told: Any) -> float | None:
    """None for what is no number, and for one that is not finite."""
    try:
        found = float(told)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < 1e12 else None


def _rate(told: Any) -> int | None:
    """In beats a minute; None for what no heart does, such as a strap's 0."""
    found = _whole(told, MOST_HEART_RATE)
    return None if found is None or found < LEAST_HEART_RATE else found


def _whole(told: Any, most: int) -> int | None:
    """None for what is no number, and for one that is not from 0 to `most`."""
    found = _float_or_none(told)
    return None if found is None or not 0 <= round(found) <= most else round(found)


_READERS: dict[str, tuple[Callable[[BinaryIO], Recording], Callable[[bytes], bool]]] = {
    ".gpx": (read_gpx, lambda head: b"<gpx" in head),
    ".tcx": (read_tcx, lambda head: b"<TrainingCenterDatabase" in head),
    ".fit": (read_fit, lambda head: head[8:12] == b".FIT"),
}


def _ending(name: str) -> str:
    return PurePosixPath(name.lower().removesuffix(".gz")).suffix


def _fits(name: str, head: bytes) -> bool:
    _, is_it = _READERS.get(_ending(name), (None, None))
    return is_it is not None and is_it(head)


def recording_beside(source: Source, path: str, lasted: timedelta) -> dict[str, Any] | None:
    """The track of a recording that a file names for a workout that lasted so long; None where there is none.

    Also None, which is told, where it cannot be read or is of more than the workout.
    """
    name = source.beside(path)
    if source.archive is None or name is None or _ending(name) not in _READERS:
        return None
    source.reading.taken.add(name)
    read, _ = _READERS[_ending(name)]
    try:
        with source.archive.open(name) as file:
            line = line_of(read(file).points)
        if line.seconds[-1] > lasted.total_seconds() + TOLERANCE_SECONDS:
            raise SkippedError("the recording is longer than its activity, which is taken without it")
        return track_of(line)
    except (SkippedError, DamagedFileError) as refusal:
        source.reading.skip(name, str(refusal))
        return None


def _read(source: Source) -> Iterator[Found]:
    source.reading.read[source.name] += 1
    read, _ = _READERS[_ending(source.name)]
    try:
        recording = read(source.file)
        line = line_of(recording.points)
    except SkippedError as refusal:
        source.reading.skip(source.name, str(refusal))
        return
    track = track_of(line)
    lasted = recording.ended_at - recording.started_at
    moving = min(track["movingSeconds"], lasted.total_seconds())
    yield from exercises_of([recording.sport])
    yield Session(
        id_parts=("recording", recording.started_at.isoformat(), recording.ended_at.isoformat()),
        place=source.name,
        name=recording.name or recording.sport.replace("_", " ").capitalize() or PurePosixPath(source.name).name,
        started_at=recording.started_at,
        lasted=lasted,
        exercises=done_of(recording.sport, round(moving), track["distanceM"]),
        kcal=recording.kcal,
        active_minutes=round(moving / 60, 4),
        track=track,
    ).found()


RECORDINGS = Format("GPX, TCX and FIT", _fits, _read)
