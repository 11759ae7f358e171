"""Apple Health's `export.xml`, which has gigabytes: read as a stream of elements, of which a few numbers each are kept.

Weighings take the body fat that was measured at the same moment. What was eaten is summed for each moment and app, and becomes
a quick add. Steps are summed for each day and device or app that counted them. The energy of a workout is active and resting energy where the export has both, else what it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import create_parser

from deploy.personal_data.sources import quantities
from deploy.personal_data.sources.archive import DamagedFileError
from deploy.personal_data.sources.quantities import KCAL, KG, METRES, SECONDS
from deploy.personal_data.sources.reading import Format, Found, Person, SkippedError, Source
from deploy.personal_data.sources.recordings import MOST_OPEN, MOST_QUIET_BYTES, recording_beside
from deploy.personal_data.sources.records import (
    LONGEST_COUNTER,
    Eaten,
    Session,
    line,
    meal,
    record_id,
    step_count,
    weighing,
)
from deploy.personal_data.sources.sports import done_of, exercises_of
from subgraphs.shell.calendar import is_time_zone, local_date

#: Different moments of weighings and of meals that are kept until the end of the file.
MOST_MOMENTS = 200_000
#: Kinds of workouts; Apple has about eighty.
MOST_ACTIVITIES = 1_000
_PIECE = 256 * 1024
_QUANTITY = "HKQuantityTypeIdentifier"
_MASS, _FAT = f"{_QUANTITY}BodyMass", f"{_QUANTITY}BodyFatPercentage"
_ENERGY = f"{_QUANTITY}DietaryEnergyConsumed"
_MACROS = {
    f"{_QUANTITY}DietaryProtein": "protein_g",
    f"{_QUANTITY}DietaryCarbohydrates": "carbs_g",
    f"{_QUANTITY}DietaryFatTotal": "fat_g",
}
_STEPS = f"{_QUANTITY}StepCount"
_USED_RECORDS = frozenset({_MASS, _FAT, _ENERGY, _STEPS, *_MACROS})
_BURNED = frozenset({f"{_QUANTITY}ActiveEnergyBurned", f"{_QUANTITY}BasalEnergyBurned"})
_SLOTS = ((time(4), "SNACK"), (time(11), "BREAKFAST"), (time(16), "LUNCH"), (time(22), "DINNER"))
_GRAM = {"g": Decimal(1), "mg": Decimal("0.001"), "kg": Decimal(1000)}


@dataclass
class _Workout:
    """An element `Workout` and what its children say."""

    place: str
    attributes: dict[str, str]
    burned: Decimal = Decimal(0)
    metres: Decimal = Decimal(0)
    time_zone: str | None = None
    route: str = ""


class _EndlessError(Exception):
    """The file was made to fill memory."""


@dataclass
class _Meal:
    place: str
    amounts: dict[str, Decimal] = field(default_factory=dict)


@dataclass
class _Steps:
    """What was counted of a day so far, until `counted_at`."""

    place: str
    counted_at: datetime
    total: Decimal = Decimal(0)


class _Handler(ContentHandler):
    """Collects what becomes records; workouts are taken as they end, the others at the file's end."""

    def __init__(self, source: Source, parser: Any) -> None:
        super().__init__()
        self._source = source
        self._parser = parser
        self._workout: _Workout | None = None
        self._opened = 0
        self.tags = 0
        self.workouts: list[Found] = []
        self.activities: set[str] = set()
        self.masses: dict[datetime, tuple[str, float]] = {}
        self.fats: dict[datetime, tuple[str, float]] = {}
        self.meals: dict[tuple[datetime, str], _Meal] = {}
        self.steps: dict[tuple[date, str], _Steps] = {}

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 - SAX calls it so
        self.tags += 1
        self._opened += 1
        if self._opened > MOST_OPEN:
            raise _EndlessError(f"more than {MOST_OPEN} elements within one another")
        if name == "Record" and attrs.get("type") in _USED_RECORDS:
            self._told(self._record, dict(attrs.items()))
        elif name == "Workout":
            self._source.reading.read[self._source.name] += 1
            self._workout = _Workout(self.place, dict(attrs.items()))
        elif name in {"WorkoutStatistics", "MetadataEntry"} and self._workout is not None:
            self._child(self._workout, dict(attrs.items()))
        elif name == "FileReference" and self._workout is not None:
            self._workout.route = attrs.get("path", "")

    def endElement(self, name: str) -> None:  # noqa: N802 - SAX calls it so
        self._opened -= 1
        if name == "Workout" and self._workout is not None:
            ended, self._workout = self._workout, None
            try:
                session = _session(ended)
                track = recording_beside(self._source, ended.route, session.lasted)
                called = _called(ended)
                if called not in self.activities and len(self.activities) >= MOST_ACTIVITIES:
                    raise SkippedError(f"the file has more than {MOST_ACTIVITIES:,} kinds of workouts")
                self.workouts.append(replace(session, track=track).found())
                self.activities.add(called)
            except SkippedError as refusal:
                self._source.reading.skip(ended.place, str(refusal))

    @property
    def place(self) -> str:
        return f"{self._source.name}:{self._parser.getLineNumber()}"

    def _told(self, read: Any, attributes: dict[str, str]) -> None:
        self._source.reading.read[self._source.name] += 1
        try:
            read(attributes)
        except SkippedError as refusal:
            self._source.reading.skip(self.place, str(refusal))

    def _record(self, attributes: dict[str, str]) -> None:
        at = quantities.exact_moment(attributes.get("startDate"), "startDate")
        if max(len(self.masses), len(self.fats), len(self.meals), len(self.steps)) >= MOST_MOMENTS:
            raise SkippedError(f"the file has more than {MOST_MOMENTS:,} moments")
        kind = attributes["type"]
        if kind == _STEPS:
            self._count_steps(attributes, at)
        elif kind == _MASS:
            self.masses.setdefault(at, (self.place, round(float(_in(attributes, KG)), 2)))
        elif kind == _FAT:
            share = _in(attributes, {"%": Decimal(100)})
            self.fats.setdefault(at, (self.place, round(float(share), 1)))
        else:
            eaten = self.meals.setdefault((at, attributes.get("sourceName", "")), _Meal(self.place))
            name, units = (_MACROS[kind], _GRAM) if kind in _MACROS else ("energy_kcal", KCAL)
            eaten.amounts[name] = eaten.amounts.get(name, Decimal(0)) + _in(attributes, units)

    def _count_steps(self, attributes: dict[str, str], at: datetime) -> None:
        """Of the day on which they began."""
        steps = _in(attributes, {"count": Decimal(1)})
        until = quantities.exact_moment(attributes.get("endDate"), "endDate")
        person = self._source.person
        day = local_date(at, person.zone.key, person.day_start_hour)
        counter = line(attributes.get("sourceName"), LONGEST_COUNTER, "Apple Health")
        counted = self.steps.setdefault((day, counter), _Steps(self.place, until))
        counted.total += steps
        counted.counted_at = max(counted.counted_at, until)

    def _child(self, workout: _Workout, attributes: dict[str, str]) -> None:
        """What is odd in a child is left out: the workout stands without it."""
        kind = attributes.get("type", "")
        zone = attributes.get("value", "") if attributes.get("key") == "HKTimeZone" else ""
        if is_time_zone(zone):
            workout.time_zone = zone
        try:
            if kind in _BURNED:
                workout.burned += _in(attributes, KCAL, "sum")
            elif kind.startswith(f"{_QUANTITY}Distance"):
                workout.metres += _in(attributes, METRES, "sum")
        except SkippedError:
            return


def _fits(name: str, head: bytes) -> bool:
    return name.lower().endswith(".xml") and b"<HealthData" in head


def _read(source: Source) -> Iterator[Found]:
    parser = create_parser()
    handler = _Handler(source, parser)
    parser.setContentHandler(handler)
    quiet_bytes = 0
    try:
        while piece := source.file.read(_PIECE):
            before = handler.tags
            parser.feed(piece)
            yield from handler.workouts
            handler.workouts.clear()
            quiet_bytes = 0 if handler.tags > before else quiet_bytes + len(piece)
            if quiet_bytes > MOST_QUIET_BYTES:
                raise _EndlessError(f"{MOST_QUIET_BYTES // 1024**2} MiB without a tag")
        parser.close()
    except DefusedXmlException as error:
        raise DamagedFileError(f"defines entities, which no export of Apple Health does: {error}") from None
    except SAXParseException as error:
        place = f"{source.name}:{error.getLineNumber()}"
        source.reading.skip(place, f"this line and all after it: {error.getMessage()}")
    except (_EndlessError, LookupError, UnicodeError) as error:  # the latter of an encoding that nobody knows
        source.reading.skip(handler.place, f"this line and all after it: {error}")
    yield from handler.workouts
    yield from exercises_of(handler.activities)
    yield from _weighings(handler, source)
    yield from _meals(handler, source)
    for (day, counter), counted in handler.steps.items():
        yield step_count("apple", counted.place, day, counter, round(counted.total), counted.counted_at)


def _session(told: _Workout) -> Session:
    attributes = told.attributes
    started_at = quantities.exact_moment(attributes.get("startDate"), "startDate")
    ended_at = quantities.exact_moment(attributes.get("endDate"), "endDate")
    called = _called(told)
    burned = told.burned or _total(attributes, "totalEnergyBurned", KCAL)
    metres = told.metres or _total(attributes, "totalDistance", METRES)
    moving = _total(attributes, "duration", SECONDS)
    lasted = ended_at - started_at
    active = min(moving, Decimal(lasted.total_seconds())) if moving else None
    return Session(
        id_parts=("apple", started_at.isoformat(), ended_at.isoformat(), called),
        place=told.place,
        name=_in_words(called),
        started_at=started_at,
        lasted=lasted,
        exercises=done_of(called, round(moving or lasted.total_seconds()), round(float(metres), 2)),
        kcal=round(float(burned), 2) or None,
        active_minutes=None if active is None else round(float(active) / 60, 4),
        time_zone=told.time_zone,
    )


def _called(told: _Workout) -> str:
    return told.attributes.get("workoutActivityType", "").removeprefix("HKWorkoutActivityType")


def _in_words(called: str) -> str:
    """`TraditionalStrengthTraining` as three words."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in called).strip().capitalize()


def _in(attributes: dict[str, str], units: dict[str, Decimal], name: str = "value") -> Decimal:
    found = quantities.number(attributes.get(name), name)
    unit = attributes.get("unit", "")
    if found is None or unit not in units:
        raise SkippedError(f"{name}: {attributes.get(name)!r} {unit!r} is no amount in a unit that is known")
    return found * units[unit]


def _total(attributes: dict[str, str], name: str, units: dict[str, Decimal]) -> Decimal:
    """0 where the workout does not tell it."""
    found = quantities.number(attributes.get(name), name)
    return (found or Decimal(0)) * units.get(attributes.get(f"{name}Unit", ""), Decimal(0))


def _weighings(handler: _Handler, source: Source) -> Iterator[Found]:
    for at, (place, kg) in handler.masses.items():
        _, fat = handler.fats.pop(at, (place, None))
        yield weighing("apple", place, at, kg, fat)
    for place, _ in handler.fats.values():
        source.reading.skip(place, "body fat without a body mass of the same moment")


def _meals(handler: _Handler, source: Source) -> Iterator[Found]:
    for (at, app), eaten in handler.meals.items():
        if "energy_kcal" not in eaten.amounts:
            source.reading.skip(eaten.place, "nutrients without energy of the same moment")
            continue
        rounded = {name: round(float(value), 2) for name, value in eaten.amounts.items()}
        zone = source.person.zone
        named = record_id("apple", "meal", at.isoformat(), app)
        eaten_at = _slot(at, source.person)
        yield meal(named, eaten.place, eaten_at, at, zone.key, Eaten(name=app or "Apple Health", **rounded), None)


def _slot(at: datetime, person: Person) -> str:
    clock = at.astimezone(person.zone).time()
    return next((slot for until, slot in _SLOTS if clock < until), "SNACK")


APPLE_HEALTH = Format("Apple Health", _fits, _read)
