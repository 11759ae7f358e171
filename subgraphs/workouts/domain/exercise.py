"""What an exercise can be, the bounds of one's own, and how much of the body an exercise lifts."""

import re
from decimal import Decimal
from enum import StrEnum

from subgraphs.shell.errors import Checks
from subgraphs.shell.text import check_line

LONGEST_NAME = 255
LONGEST_INSTRUCTIONS = 4_000
LEAST_MET = 1
MOST_MET = 25
MOST_OWN = 500
LONGEST_LINK = 500
#: No user, no port, no number in place of a name, no quotation marks or angle brackets, and nothing but ASCII.
_LINK = re.compile(
    r"https://(?=[^/?#]{1,253}(?:[/?#]|$))(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
    r"(?:[/?#][A-Za-z0-9._~:/?#\[\]@!$&()*+,;=%-]*)?"
)


class ExerciseLevel(StrEnum):
    BEGINNER = "BEGINNER"
    INTERMEDIATE = "INTERMEDIATE"
    ADVANCED = "ADVANCED"


class ExerciseForce(StrEnum):
    """As free-exercise-db has it, which the catalogue is from."""

    PUSH = "PUSH"
    PULL = "PULL"
    STATIC = "STATIC"


class ExerciseMechanic(StrEnum):
    """As free-exercise-db has it, which the catalogue is from."""

    COMPOUND = "COMPOUND"
    ISOLATION = "ISOLATION"


class ExerciseTracking(StrEnum):
    REPS = "REPS"
    WEIGHT_REPS = "WEIGHT_REPS"
    TIME = "TIME"
    DISTANCE_TIME = "DISTANCE_TIME"


class Muscle(StrEnum):
    """The muscle groups of free-exercise-db; the values are what the catalogue calls them."""

    ABDOMINALS = "abdominals"
    ABDUCTORS = "abductors"
    ADDUCTORS = "adductors"
    BICEPS = "biceps"
    CALVES = "calves"
    CHEST = "chest"
    FOREARMS = "forearms"
    GLUTES = "glutes"
    HAMSTRINGS = "hamstrings"
    LATS = "lats"
    LOWER_BACK = "lower back"
    MIDDLE_BACK = "middle back"
    NECK = "neck"
    QUADRICEPS = "quadriceps"
    SHOULDERS = "shoulders"
    TRAPS = "traps"
    TRICEPS = "triceps"


class Equipment(StrEnum):
    """What an exercise is done with; the values are what the catalogue calls it."""

    BACKPACK = "backpack"
    BALL = "ball"
    BANDS = "bands"
    BARBELL = "barbell"
    BICYCLE = "bicycle"
    BODY_ONLY = "body only"
    CABLE = "cable"
    DUMBBELL = "dumbbell"
    ELLIPTICAL_TRAINER = "elliptical trainer"
    EXERCISE_BALL = "exercise ball"
    EZ_CURL_BAR = "e-z curl bar"
    FOAM_ROLL = "foam roll"
    FREE_WEIGHTS = "free weights"
    GLOVES = "gloves"
    GOLF_CLUBS = "golf clubs"
    KAYAK = "kayak"
    KETTLEBELLS = "kettlebells"
    MACHINE = "machine"
    MEDICINE_BALL = "medicine ball"
    OTHER = "other"
    PUNCHING_BAG = "punching bag"
    RACKET = "racket"
    ROPE = "rope"
    ROWING_MACHINE = "rowing machine"
    STAIR_TREADMILL = "stair treadmill"
    STATIONARY_BICYCLE = "stationary bicycle"


_EXTERNAL = Decimal(0)
_WHOLE = Decimal(1)
# Of the body's weight, what each repetition moves. Push-ups: force plates under the hands (Ebben et al. 2011, J Strength
# Cond Res 25:2891): 64 % with the feet on the floor, 41 % with the hands and 74 % with the feet raised by 60 cm. The
# others are sums of body segments (Winter, Biomechanics and Motor Control of Human Movement): all but shanks and feet,
# head with trunk and arms, both legs. What hangs or stands on the arms alone moves all of it.
_SHARES = (
    (re.compile(r"\bincline push-? ?ups?"), Decimal("0.41")),
    (re.compile(r"\bdecline push-? ?ups?|\bpush-? ?ups? with feet elevated"), Decimal("0.74")),
    (re.compile(r"\bhandstand|\b(pull|chin)-? ?ups?\b|\bchins?\b|\bdips?\b|\bmuscle[- ]ups?|\brope climb"), _WHOLE),
    (re.compile(r"\bpush-? ?ups?\b"), Decimal("0.64")),
    (re.compile(r"\b(leg|hip|knee) (raise|lift|pull-in)|\bleg tucks|\bflutter|\bhanging pike"), Decimal("0.32")),
    (re.compile(r"\bcrunch|\bsit-? ?up|\bjackknife|\bhyperextension|\btwist|\bheel touch|\bair bike"), Decimal("0.68")),
    (re.compile(r"\bsquat|\blunge|\bstep-? ?up|\bjump|\bhops?\b|\bskip|\bbound|\bburpee|\bleap"), Decimal("0.88")),
)
# What a machine or a band helps with is the body, whatever it is done with: the help is told as a weight below zero.
_ASSISTED = re.compile(r"(?=.*\bassisted\b)(?=.*(\b(pull|chin)-? ?ups?\b|\bdips?\b|\bmuscle[- ]ups?\b))")


_ONE_SIDED = re.compile(r"\b(one|single)[- ](arm|leg|hand)(ed|ged)?\b")


def is_one_sided(name: str) -> bool:
    """Whether the name says that one arm or one leg works at a time."""
    return _ONE_SIDED.search(name.lower()) is not None


def check_link(checks: Checks, url: str | None, field: str) -> None:
    """An address for browsers, which we never fetch: https, of a host with a public name, and no more than that."""
    if url is None:
        return
    checks.require(len(url) <= LONGEST_LINK, field, f"must have at most {LONGEST_LINK} characters")
    checks.require(_LINK.fullmatch(url) is not None, field, "must be https://, a host by its name, and a path")


def check_exercise(checks: Checks, *, name: str, met: Decimal, instructions: str | None) -> None:
    check_line(checks, name, "name", longest=LONGEST_NAME)
    checks.require(LEAST_MET <= met <= MOST_MET, "met", f"must be from {LEAST_MET} to {MOST_MET}")
    is_short = instructions is None or len(instructions) <= LONGEST_INSTRUCTIONS
    checks.require(is_short, "instructions", f"must have at most {LONGEST_INSTRUCTIONS} characters")


def body_weight_share(name: str, tracking: str, equipment: str | None) -> Decimal:
    """The share of the body's weight that one repetition lifts; 0 where only what is held counts.

    Exercises that count repetitions and no weight lift the body itself, unless a ball or a tool is what moves. What
    hangs or stands on the arms with help lifts all of it.
    """
    if tracking in (ExerciseTracking.REPS, ExerciseTracking.WEIGHT_REPS) and _ASSISTED.search(name.lower()):
        return _WHOLE
    if tracking != ExerciseTracking.REPS or equipment not in (None, Equipment.BODY_ONLY, Equipment.OTHER):
        return _EXTERNAL
    unnamed = _EXTERNAL if equipment == Equipment.OTHER else _WHOLE
    return next((share for pattern, share in _SHARES if pattern.search(name.lower())), unnamed)
