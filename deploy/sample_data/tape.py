"""What people measured with a tape: with the newest weighing, and with the first of each month before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from deploy.sample_data.people import Person, Weighing
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.measurement_kind import MeasurementKind
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.users.commands.measurement import NewMeasurement

#: How many centimetres a kilogram makes, roughly.
_CM_PER_KG = {"WAIST": 1.0, "HIP": 0.5, "CHEST": 0.5, "NECK": 0.15}


def measurements(person: Person) -> Iterator[NewMeasurement]:
    """The newest as they are told; those of before follow from them and from the weight of then. None of the last week but the newest."""
    newest = person.weights[-1]
    last_week = newest.local_date - timedelta(days=7)
    months = {f"{each.local_date:%Y-%m}": each for each in reversed(person.weights) if each.local_date <= last_week}
    for kind, value_cm in person.girths_cm:
        for month, weighing in months.items():
            then = value_cm + _CM_PER_KG[kind] * (weighing.weight_kg - newest.weight_kg)
            yield _measurement(kind, then, weighing, f"sample:{kind}:{month}")
        yield _measurement(kind, value_cm, newest, f"sample:{kind}")


def _measurement(kind: str, value_cm: float, weighing: Weighing, key: str) -> NewMeasurement:
    return NewMeasurement(
        kind=MeasurementKind(kind),
        value_cm=Decimal(str(round(value_cm, 1))),
        recorded_at=weighing.at,
        request=RequestKey(IdempotencyKey(key)),
    )
