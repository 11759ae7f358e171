"""Events to measured values: muscle mass, a tape's measurements, the best estimate of each exercise in a completed workout.

Called by `facts.apply_events`.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import MeasurementLogged, WeightState
from events.contracts.workouts import WorkoutState
from events.envelope import Envelope, Payload
from events.failures import BadRecordError
from subgraphs.analytics.domain.measure import MUSCLE_MASS, strength_measure, tape_measure
from subgraphs.shell.measurement_kind import MeasurementKind

#: Aggregates that tell something measured.
MEASURING = (WeightState.aggregate_type, MeasurementLogged.aggregate_type, WorkoutState.aggregate_type)
Value = tuple[str, date, datetime, Decimal]  # measure, day, moment, how much

_FORGET = text("DELETE FROM measure_fact WHERE entry_id = ANY(:ids) RETURNING user_id")
_KEEP = text(
    "INSERT INTO measure_fact (entry_id, user_id, measure, local_date, recorded_at, value)"
    " SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:user_ids AS text[]), CAST(:measures AS text[]),"
    " CAST(:days AS date[]), CAST(:moments AS timestamptz[]), CAST(:values AS numeric[]))"
)


async def replace_measures(connection: AsyncConnection, told: Sequence[tuple[Envelope, Payload]]) -> set[str]:
    """Store what the newest state of each thing measures; returns whose values may be others now."""
    left = await connection.scalars(_FORGET, {"ids": sorted(envelope.aggregate.id for envelope, _ in told)})
    measured = set(left)
    rows = [(envelope, *value) for envelope, payload in told for value in _values(payload)]
    if rows:
        columns = {
            "ids": [envelope.aggregate.id for envelope, *_ in rows],
            "user_ids": [envelope.user_id for envelope, *_ in rows],
            "measures": [measure for _, measure, *_ in rows],
            "days": [day for *_, day, _, _ in rows],
            "moments": [moment for *_, moment, _ in rows],
            "values": [value for *_, value in rows],
        }
        await connection.execute(_KEEP, columns)
    return measured | {envelope.user_id for envelope, *_ in rows}


def _values(payload: Payload) -> Iterator[Value]:
    match payload:
        case WeightState() if payload.muscle_mass_kg is not None:
            yield MUSCLE_MASS, payload.local_date, payload.recorded_at, payload.muscle_mass_kg
        case MeasurementLogged():
            yield tape_measure(_kind_of(payload)), payload.local_date, payload.recorded_at, payload.value_cm
        case WorkoutState(status="COMPLETED"):
            best: dict[str, Decimal] = {}  # an exercise may be in a workout twice
            for each in payload.exercises:
                if each.best_one_rep_max_kg is not None:
                    best[each.exercise_id] = max(each.best_one_rep_max_kg, best.get(each.exercise_id, Decimal(0)))
            for exercise_id, kg in best.items():
                yield strength_measure(exercise_id), payload.local_date, payload.started_at, kg


def _kind_of(measurement: MeasurementLogged) -> MeasurementKind:
    """Raises BadRecordError for a kind that a later release of users tells of."""
    try:
        return MeasurementKind(measurement.kind)
    except ValueError as failure:
        raise BadRecordError(f"there is no kind of measurement {measurement.kind!r:.100}") from failure
