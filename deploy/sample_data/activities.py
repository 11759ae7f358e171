"""Activities with their metabolic equivalents, typed in from the Compendium of Physical Activities.

Read by `rebuild`. The codes and values are those of the 2011 edition: one edition throughout, named in every row.
"""

from __future__ import annotations

from dataclasses import dataclass

EDITION = "2011"
CITATION = (
    "Ainsworth BE, Haskell WL, Herrmann SD, et al. 2011 Compendium of Physical Activities: a second update of codes "
    "and MET values. Med Sci Sports Exerc. 2011;43(8):1575-1581."
)


@dataclass(frozen=True, slots=True)
class Activity:
    """`met`: gross energy use, in multiples of resting."""

    name: str
    code: str
    met: float
    category: str = "CARDIO"
    has_distance: bool = False
    equipment: str | None = None


ACTIVITIES = (
    Activity("Jogging, general", "12020", 7.0, has_distance=True),
    Activity("Running, general", "12150", 8.0, has_distance=True),
    Activity("Running, 8 km/h (5 mph)", "12030", 8.3, has_distance=True),
    Activity("Running, 9.7 km/h (6 mph)", "12050", 9.8, has_distance=True),
    Activity("Running, 11.3 km/h (7 mph)", "12070", 11.0, has_distance=True),
    Activity("Running, 12.9 km/h (8 mph)", "12090", 11.8, has_distance=True),
    Activity("Running, 16.1 km/h (10 mph)", "12120", 14.5, has_distance=True),
    Activity("Walking for pleasure", "17160", 3.5, has_distance=True),
    Activity("Walking the dog", "17165", 3.0, has_distance=True),
    Activity("Hiking, cross country", "17080", 6.0, has_distance=True),
    Activity("Backpacking", "17010", 7.0, has_distance=True, equipment="backpack"),
    Activity("Bicycling, general", "01015", 7.5, has_distance=True, equipment="bicycle"),
    Activity("Bicycling, mountain", "01009", 8.5, has_distance=True, equipment="bicycle"),
    Activity("Bicycling, 19-22 km/h", "01030", 8.0, has_distance=True, equipment="bicycle"),
    Activity("Stationary cycling, general", "02010", 7.0, equipment="stationary bicycle"),
    Activity("Rowing machine, moderate", "02070", 4.8, has_distance=True, equipment="rowing machine"),
    Activity("Elliptical trainer, moderate", "02048", 5.0, equipment="elliptical trainer"),
    Activity("Stair treadmill", "02065", 9.0, equipment="stair treadmill"),
    Activity("Rope skipping, general", "02068", 12.3, equipment="rope"),
    Activity("Rope skipping, moderate pace", "15551", 11.8, equipment="rope"),
    Activity("Aerobics, general", "03015", 7.3),
    Activity("Water aerobics", "02120", 5.3),
    Activity("Swimming laps, moderate", "18240", 5.8, has_distance=True),
    Activity("Swimming laps, vigorous", "18230", 9.8, has_distance=True),
    Activity("Soccer, casual", "15610", 7.0, equipment="ball"),
    Activity("Basketball, game", "15055", 6.0, equipment="ball"),
    Activity("Tennis, general", "15675", 7.3, equipment="racket"),
    Activity("Boxing, punching bag", "15110", 5.5, equipment="punching bag"),
    Activity("Boxing, in ring", "15100", 12.8, equipment="gloves"),
    Activity("Rock climbing", "15533", 8.0, equipment="rope"),
    Activity("Kayaking, moderate", "18100", 5.0, has_distance=True, equipment="kayak"),
    Activity("Circuit training, moderate", "02035", 4.3, category="HIIT"),
    Activity("Circuit training, vigorous", "02040", 8.0, category="HIIT"),
    Activity("Calisthenics, moderate", "02022", 3.8, category="BODYWEIGHT"),
    Activity("Calisthenics, vigorous", "02020", 8.0, category="BODYWEIGHT"),
    Activity("Weight lifting, vigorous", "02050", 6.0, category="STRENGTH", equipment="free weights"),
    Activity("Resistance training, 8-15 repetitions", "02054", 3.5, category="STRENGTH", equipment="free weights"),
    Activity("Hatha yoga", "02150", 2.5, category="FLEXIBILITY"),
    Activity("Stretching, mild", "02101", 2.3, category="FLEXIBILITY"),
    Activity("Tai chi, qi gong", "15670", 3.0, category="FLEXIBILITY"),
)
