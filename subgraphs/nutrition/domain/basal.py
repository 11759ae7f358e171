"""Energy at rest by the published formulas, in kcal a day; weights in kg, heights in cm, ages in years."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from subgraphs.nutrition.domain.target import ACTIVITY_FACTORS, basal_kcal
from subgraphs.shell.physiology import ActivityLevel, Sex


class BasalFormula(StrEnum):
    MIFFLIN_ST_JEOR = "MIFFLIN_ST_JEOR"
    HARRIS_BENEDICT = "HARRIS_BENEDICT"
    REVISED_HARRIS_BENEDICT = "REVISED_HARRIS_BENEDICT"
    KATCH_MCARDLE = "KATCH_MCARDLE"
    CUNNINGHAM = "CUNNINGHAM"


# (constant, per kg, per cm, per year). Carnegie Institution 1919; Roza and Shizgal 1984, Am J Clin Nutr 40:168.
_LINES = {
    BasalFormula.HARRIS_BENEDICT: {
        Sex.MALE: ("66.4730", "13.7516", "5.0033", "-6.7550"),
        Sex.FEMALE: ("655.0955", "9.5634", "1.8496", "-4.6756"),
    },
    BasalFormula.REVISED_HARRIS_BENEDICT: {
        Sex.MALE: ("88.362", "13.397", "4.799", "-5.677"),
        Sex.FEMALE: ("447.593", "9.247", "3.098", "-4.330"),
    },
}
# (constant, per kg of lean mass). McArdle, Katch: Exercise Physiology; Cunningham 1980, Am J Clin Nutr 33:2372.
_LEAN = {
    BasalFormula.KATCH_MCARDLE: (Decimal(370), Decimal("21.6")),
    BasalFormula.CUNNINGHAM: (Decimal(500), Decimal(22)),
}


@dataclass(frozen=True, slots=True)
class Body:
    """What formulas ask for; `body_fat_percent` is None where it was not measured."""

    weight_kg: Decimal
    height_cm: Decimal
    age_years: int
    sex: Sex | None
    body_fat_percent: Decimal | None = None

    @property
    def lean_kg(self) -> Decimal | None:
        """What is no fat, in kg."""
        return None if self.body_fat_percent is None else self.weight_kg * (1 - self.body_fat_percent / 100)


def basal_by(formula: BasalFormula, body: Body) -> Decimal | None:
    """Energy at rest in kcal a day; None where the formula needs the lean mass and that is not known.

    Without a sex, or with OTHER, it is the mean of the two lines.
    """
    if formula in _LEAN:
        constant, per_kg = _LEAN[formula]
        return None if body.lean_kg is None else constant + per_kg * body.lean_kg
    if formula is BasalFormula.MIFFLIN_ST_JEOR:
        return basal_kcal(body.weight_kg, body.height_cm, body.age_years, body.sex)
    lines = _LINES[formula]
    sexes = (Sex.MALE, Sex.FEMALE) if body.sex in (None, Sex.OTHER) else (body.sex,)
    return sum((_line(lines[sex], body) for sex in sexes), Decimal(0)) / len(sexes)


def basal_estimates(body: Body, activity: ActivityLevel | None) -> Iterator[tuple[BasalFormula, Decimal, Decimal]]:
    """(formula, kcal at rest, kcal that keep the weight) of each formula that has what it needs and makes sense here."""
    factor = maintenance_factor(activity)
    for formula in BasalFormula:
        basal = basal_by(formula, body)
        if basal is not None and basal > 0:
            yield formula, basal, basal * factor


def maintenance_factor(activity: ActivityLevel | None) -> Decimal:
    """What an activity level makes of the energy at rest; an unknown one counts as sedentary."""
    return ACTIVITY_FACTORS[activity or ActivityLevel.SEDENTARY]


def _line(parts: tuple[str, str, str, str], body: Body) -> Decimal:
    constant, per_kg, per_cm, per_year = map(Decimal, parts)
    return constant + per_kg * body.weight_kg + per_cm * body.height_cm + per_year * body.age_years
