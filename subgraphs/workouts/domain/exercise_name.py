"""What an exercise's name says it is: its heads, its words, and how likely it is the one meant by few words."""

import re
from dataclasses import dataclass

from subgraphs.shell.search.phrases import Words
from subgraphs.shell.search.words import fold, words_of

VERSION = 1

_END_OF_HEAD = re.compile(r" - |[(,/]|\b(?:with|on|off|of|from|to|over|at|against|behind|in|for|and|without)\b")
_CHANGES = re.compile(r"^\W*(?:with|on|off|of|from|to|over|at|against|behind|in|for|and|without)\b")
_CUT_SHORT = 4.0  # "Squat with Chains" is not what "squat" means
# How likely an exercise with this word is meant by somebody who does not say the word.
_WEIGHTS = {
    "barbell": 0.8, "dumbbell": 0.6, "bodyweight": 0.6, "standing": 0.2, "seated": 0.0, "general": 1.0, "moderate": 0.3,
    "medium": 0.2, "lying": -0.2, "incline": -0.7, "decline": -1.0, "reverse": -1.0, "single": -0.6, "one": -0.6,
    "alternate": -0.6, "alternating": -0.8, "smith": -1.2, "machine": -0.5, "leverage": -1.2, "kettlebell": -0.6,
    "band": -1.0, "chain": -1.4, "cable": -0.3, "smr": -2.0, "stretch": -1.0, "treadmill": 0.2, "wide": -0.5, "close": -0.6,
    "narrow": -0.8, "behind": -0.9, "deficit": -1.2, "speed": -1.2, "weighted": -0.5, "sled": -1.0, "drag": -1.0,
    "board": -1.0, "powerlifting": -1.5, "guillotine": -1.5, "suspended": -0.8, "kneeling": -0.6, "car": -2.0, "rickshaw": -2.0, "axle": -1.5,
    "plyo": -0.8, "jump": -0.4, "olympic": -0.5, "advanced": -1.0, "multiple": -0.3, "bench": -0.1, "ball": -0.6,
    "two": -0.3, "palm": -0.4, "prone": -0.6, "cross": -0.4, "floor": -0.3, "double": -0.8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExerciseName:
    """A name taken apart. `rank` is how likely it is meant among exercises that fit the words equally well."""

    heads: tuple[tuple[Words, float], ...]
    words: Words
    rank: float


def read_exercise_name(name: str) -> ExerciseName:
    words = words_of(name)
    folded = fold(name)
    found = _END_OF_HEAD.search(folded)
    short = words_of(folded[: found.start()]) if found and found.start() else ()
    whole = ((words or ("",)), 0.0)
    # What stands behind a dash or in brackets says how, what stands behind "with" changes the exercise.
    cost = _CUT_SHORT if found and _CHANGES.search(folded[found.start() :]) else 0.0
    heads = ((short, cost), whole) if short and short != words else (whole,)
    weights = sum(_WEIGHTS.get(word, -0.15) for word in set(words))
    return ExerciseName(heads, tuple(dict.fromkeys(words)), round(max(-6.0, weights), 2))
