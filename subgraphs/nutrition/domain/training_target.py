"""What a target is on days of training in place of what it is on the others. Pure; kept as JSON with its target."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import msgspec


class TargetBasis(StrEnum):
    """Which of a target's sets of values holds on a day."""

    USUAL = "USUAL"
    WEEKDAY = "WEEKDAY"
    TRAINING_DAY = "TRAINING_DAY"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTarget:
    """Energy and macronutrients of days of training; water and single nutrients are those of every day."""

    energy_kcal: Decimal
    protein_g: Decimal | None = None
    carbs_g: Decimal | None = None
    fat_g: Decimal | None = None


_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(TrainingTarget)


def encode_training(target: TrainingTarget | None) -> str | None:
    return None if target is None else _encoder.encode(target).decode()


def decode_training(text: str | None) -> TrainingTarget | None:
    return None if text is None else _decoder.decode(text)
