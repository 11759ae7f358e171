"""What is measured of a body with a tape, in GraphQL: one description for each subgraph that has it."""

from subgraphs.shell.measurement_kind import MeasurementKind
from subgraphs.shell.scalars import describe_enum

__all__ = ["MeasurementKind"]

describe_enum(
    MeasurementKind,
    "What is measured of the body, around it.",
    NECK="Below the larynx.",
    SHOULDERS="Around both shoulders at their widest.",
    CHEST="At the nipples.",
    WAIST="At the navel for men, at the narrowest for women, as the Navy's formula has it.",
    HIP="At the widest.",
    LEFT_UPPER_ARM="The left upper arm at its thickest.",
    RIGHT_UPPER_ARM="The right upper arm at its thickest.",
    LEFT_FOREARM="The left forearm at its thickest.",
    RIGHT_FOREARM="The right forearm at its thickest.",
    LEFT_THIGH="The left thigh at its thickest.",
    RIGHT_THIGH="The right thigh at its thickest.",
    LEFT_CALF="The left calf at its thickest.",
    RIGHT_CALF="The right calf at its thickest.",
)
