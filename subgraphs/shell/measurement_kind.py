"""What is measured of a body with a tape, as users says and goals of analytics name."""

from enum import StrEnum


class MeasurementKind(StrEnum):
    NECK = "NECK"
    SHOULDERS = "SHOULDERS"
    CHEST = "CHEST"
    WAIST = "WAIST"
    HIP = "HIP"
    LEFT_UPPER_ARM = "LEFT_UPPER_ARM"
    RIGHT_UPPER_ARM = "RIGHT_UPPER_ARM"
    LEFT_FOREARM = "LEFT_FOREARM"
    RIGHT_FOREARM = "RIGHT_FOREARM"
    LEFT_THIGH = "LEFT_THIGH"
    RIGHT_THIGH = "RIGHT_THIGH"
    LEFT_CALF = "LEFT_CALF"
    RIGHT_CALF = "RIGHT_CALF"
