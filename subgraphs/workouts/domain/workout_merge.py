"""Two workouts made one: two recordings of one activity, or the parts of one, one after the other. Pure.

| | one activity recorded twice | parts, one after the other |
|---|---|---|
| which it is | they overlap by half of the shorter one or more | they do not overlap, and at most two hours are between them |
| start and end | the earlier and the later one | the same |
| pauses | of the one that stays, else of the other | of both, and the time between them |
| minutes in motion, exertion, reported energy | of the one that stays, else of the other | added up; exertion is the mean by minutes |
| exercises | of the one that stays; of the other those that it does not have and whose repetitions were counted | of both, in their order |
| recording | of the one that stays; what it did not measure is the other's | added up |

Whatever else overlaps is neither, and refused. Nothing counts twice: where two say the same of one activity, one is heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from subgraphs.workouts.domain.pause import Pause
from subgraphs.workouts.domain.workout_set import LONGEST_NOTES, SetDraft

LONGEST_GAP = timedelta(hours=2)
#: By so much two devices, or the clocks of one, may disagree where one part ends and the next begins.
SEAM = timedelta(seconds=2)


class Relation(StrEnum):
    SAME = "SAME"
    PARTS = "PARTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a finished workout says as a whole. `motion_minutes` are those in motion, as told or by its pauses, if either is known;
    `calories_kcal` is its gross energy, reported or estimated.
    """

    started_at: datetime
    ended_at: datetime
    pauses: Sequence[Pause]
    active_minutes: Decimal | None
    motion_minutes: Decimal | None
    reported_kcal: Decimal | None
    calories_kcal: Decimal | None
    session_rpe: Decimal | None
    notes: str | None
    gear_id: str | None

    @property
    def minutes(self) -> Decimal:
        return Decimal(round((self.ended_at - self.started_at).total_seconds())) / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What the two say together, in the words of the columns of a workout."""

    started_at: datetime
    ended_at: datetime
    pauses: Sequence[Pause]
    active_minutes: Decimal | None
    reported_kcal: Decimal | None
    session_rpe: Decimal | None
    notes: str | None
    gear_id: str | None


def relation(one: Told, other: Told) -> Relation | None:
    """What the two are of one another; None where they are neither."""
    overlap = min(one.ended_at, other.ended_at) - max(one.started_at, other.started_at)
    shorter = min(one.ended_at - one.started_at, other.ended_at - other.started_at)
    if overlap >= timedelta(0) and overlap >= shorter / 2:
        return Relation.SAME
    return Relation.PARTS if -LONGEST_GAP <= overlap <= SEAM else None


def merged(kept: Told, other: Told, how: Relation) -> Merged:
    """The one that stays with what the other adds."""
    first, second = sorted((kept, other), key=lambda each: each.started_at)
    is_same = how is Relation.SAME
    return Merged(
        started_at=first.started_at,
        ended_at=max(kept.ended_at, other.ended_at),
        pauses=(kept.pauses or other.pauses) if is_same else _pauses(first, second),
        active_minutes=_either(kept.active_minutes, other.active_minutes) if is_same else _motion(first, second),
        reported_kcal=_either(kept.reported_kcal, other.reported_kcal) if is_same else _kcal(first, second),
        session_rpe=_either(kept.session_rpe, other.session_rpe) if is_same else _exertion(first, second),
        notes=_notes(first, second),
        gear_id=kept.gear_id or other.gear_id,
    )


def joined_set(first: SetDraft, second: SetDraft) -> SetDraft | None:
    """One stretch of time and distance of two that follow one another; None where either counts repetitions or a weight, or where
    they are of different sides.
    """
    if first.side != second.side or any(one.reps is not None or one.weight_kg is not None for one in (first, second)):
        return None
    seconds = (first.duration_seconds, second.duration_seconds)
    metres = (first.distance_m, second.distance_m)
    return SetDraft(
        kind=first.kind,
        duration_seconds=sum(each or 0 for each in seconds) or None,
        distance_m=None if metres == (None, None) else sum((each or Decimal(0) for each in metres), Decimal(0)),
        rpe=_either(first.rpe, second.rpe),
        tempo=first.tempo,
        notes=first.notes or second.notes,
        side=first.side,
    )


def _either(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one


def _pauses(first: Told, second: Told) -> list[Pause]:
    """Those of both, each ended with its part, and what is between the parts."""
    found = [Pause(each.started_at, each.ended_at or first.ended_at) for each in first.pauses]
    if first.ended_at < second.started_at:
        found.append(Pause(first.ended_at, second.started_at))
    return found + [Pause(each.started_at, each.ended_at or second.ended_at) for each in second.pauses]


def _motion(first: Told, second: Told) -> Decimal | None:
    """None where neither was told: then it is all but the pauses."""
    if first.active_minutes is None and second.active_minutes is None:
        return None
    parts = (each.minutes if each.motion_minutes is None else each.motion_minutes for each in (first, second))
    lasts = Decimal(round((second.ended_at - first.started_at).total_seconds())) / 60
    return min(sum(parts, Decimal(0)), lasts)


def _kcal(first: Told, second: Told) -> Decimal | None:
    """None where neither was reported: then it is estimated. A part without a report counts with its estimate."""
    if first.reported_kcal is None and second.reported_kcal is None:
        return None
    return sum((_either(each.reported_kcal, each.calories_kcal) or Decimal(0) for each in (first, second)), Decimal(0))


def _exertion(first: Told, second: Told) -> Decimal | None:
    """By minutes, which keeps the sum of the loads."""
    if first.session_rpe is None or second.session_rpe is None or not first.minutes + second.minutes:
        return _either(first.session_rpe, second.session_rpe)
    loads = first.session_rpe * first.minutes + second.session_rpe * second.minutes
    return round(loads / (first.minutes + second.minutes), 1)


def _notes(first: Told, second: Told) -> str | None:
    """Both, where they differ, as far as there is room for them."""
    told = list(dict.fromkeys(each.notes for each in (first, second) if each.notes))
    return "\n".join(told)[:LONGEST_NOTES] or None
