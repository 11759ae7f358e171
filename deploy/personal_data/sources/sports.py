"""What apps call an activity, and the activity of our catalogue that is the same. Energy per minute is the catalogue's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from deploy.personal_data.sources.reading import Found
from deploy.personal_data.sources.records import Effort, done, exercise
from deploy.sample_data.activities import ACTIVITIES

_BY_NAME = {each.name: each for each in ACTIVITIES}
#: Names as `_plain` makes them. What is missing here is a workout without an exercise: energy and length are known, no more.
_CALLED: Mapping[str, tuple[str, ...]] = {
    "Running, general": ("run", "running", "trailrun", "trailrunning", "streetrunning", "virtualrun", "runningtreadmill", "runningsand"),
    "Jogging, general": ("jog", "jogging", "runningjogging"),
    "Walking for pleasure": ("walk", "walking", "walkingfitness", "walkingtreadmill", "walkingnordic"),
    "Hiking, cross country": ("hike", "hiking"),
    "Bicycling, general": ("ride", "cycling", "biking", "bicycling", "gravelride", "bikingroad", "roadbiking", "roadcycling"),
    "Bicycling, mountain": ("mountainbikeride", "mountainbiking", "bikingmountain"),
    "Stationary cycling, general": ("virtualride", "stationarybiking", "bikingstationary", "bikingspinning", "spinning"),
    "Swimming laps, moderate": ("swim", "swimming", "swimmingpool", "lapswimming"),
    "Rowing machine, moderate": ("rowing", "rowingmachine", "virtualrow"),
    "Elliptical trainer, moderate": ("elliptical", "ellipticaltrainer"),
    "Stair treadmill": ("stairstepper", "stairclimbing", "stairs", "stairclimbingmachine"),
    "Rope skipping, general": ("jumprope", "jumpingrope", "ropeskipping"),
    "Hatha yoga": ("yoga", "hathayoga"),
    "Soccer, casual": ("soccer", "footballsoccer"),
    "Basketball, game": ("basketball",),
    "Tennis, general": ("tennis",),
    "Boxing, punching bag": ("boxing",),
    "Rock climbing": ("rockclimb", "rockclimbing", "climbing"),
    "Kayaking, moderate": ("kayaking", "paddlesports"),
    "Circuit training, vigorous": ("highintensityintervaltraining", "hiit", "crossfit", "crosstraining"),
    "Circuit training, moderate": ("circuittraining",),
    "Resistance training, 8-15 repetitions": (
        "weighttraining", "traditionalstrengthtraining", "functionalstrengthtraining", "strengthtraining", "weightlifting",
    ),
    "Stretching, mild": ("flexibility", "stretching", "cooldown"),
    "Tai chi, qi gong": ("taichi",),
}  # fmt: skip
_ACTIVITY = {word: name for name, words in _CALLED.items() for word in words}


def activity_of(called: str) -> str | None:
    """The catalogue's name of what an app calls `Trail Run` or `mountain_biking`; None for what it has not."""
    return _ACTIVITY.get(_plain(called))


def done_of(called: str, seconds: int | None, metres: float | None) -> list[dict[str, Any]]:
    """The exercises of a workout that was one activity: that one, or none."""
    name = activity_of(called)
    effort = Effort(duration_seconds=seconds or None, distance_m=metres or None)
    if name is None or not effort.is_measured:
        return []
    return [done(name, [effort])]


def exercises_of(called: Iterable[str]) -> Iterable[Found]:
    """The activities among these, as the person's own where an installation's catalogue should lack them."""
    for name in sorted({name for each in called if (name := activity_of(each)) is not None}):
        activity = _BY_NAME[name]
        told = {
            "category": activity.category,
            "met": activity.met,
            "tracking": "DISTANCE_TIME" if activity.has_distance else "TIME",
        }
        yield exercise(name, (), told)


def _plain(called: str) -> str:
    return "".join(letter for letter in called.casefold() if letter.isalnum())
