"""What goals follow that is measured now and then: its name, as facts and goals have it. Pure."""

from subgraphs.shell.measurement_kind import MeasurementKind

MUSCLE_MASS = "MUSCLE_MASS"
_TAPE, _STRENGTH = "TAPE:", "ONE_REP_MAX:"


def tape_measure(kind: MeasurementKind) -> str:
    return f"{_TAPE}{kind.value}"


def strength_measure(exercise_id: str) -> str:
    """Of the estimated one-repetition maximum of an exercise."""
    return f"{_STRENGTH}{exercise_id}"


def tape_of(measure: str | None) -> MeasurementKind | None:
    """None for a measure of something else."""
    return MeasurementKind(measure.removeprefix(_TAPE)) if measure and measure.startswith(_TAPE) else None


def exercise_of(measure: str | None) -> str | None:
    """The exercise's id; None for a measure of something else."""
    return measure.removeprefix(_STRENGTH) if measure and measure.startswith(_STRENGTH) else None
