"""Body fat by the published formulas, with vectors worked out by hand, and which methods can speak."""

from decimal import Decimal

import pytest

from subgraphs.shell.physiology import Sex
from subgraphs.users.domain.measurement import (
    BmiCategory,
    BodyFatMethod,
    KnownBody,
    LengthUnit,
    MeasurementKind,
    bmi_category,
    deurenberg_body_fat,
    fat_estimates,
    length_in,
    navy_body_fat,
)


def known(*, sex: Sex | None, percent: str | None = None, **girths: int) -> KnownBody:
    return KnownBody(
        weight_kg=Decimal(80),
        measured_percent=None if percent is None else Decimal(percent),
        height_cm=Decimal(180),
        age_years=35,
        sex=sex,
        girths_cm={MeasurementKind(kind): Decimal(value) for kind, value in girths.items()},
    )


def test_the_navy_s_formula_gives_what_it_gives_on_paper() -> None:
    man = navy_body_fat(Sex.MALE, Decimal(180), Decimal(90), Decimal(40), None)
    assert man is not None
    assert abs(man - Decimal("18.46")) < Decimal("0.01")
    # 163.205 lg((75 + 100 - 33) / 2.54) - 97.684 lg(165 / 2.54) - 78.387
    woman = navy_body_fat(Sex.FEMALE, Decimal(165), Decimal(75), Decimal(33), Decimal(100))
    assert woman is not None
    assert abs(woman - Decimal("29.74")) < Decimal("0.01")


def test_the_navy_s_formula_says_nothing_where_it_has_no_line() -> None:
    assert navy_body_fat(Sex.OTHER, Decimal(180), Decimal(90), Decimal(40), Decimal(100)) is None
    assert navy_body_fat(Sex.FEMALE, Decimal(165), Decimal(75), Decimal(33), None) is None
    assert navy_body_fat(Sex.MALE, Decimal(180), Decimal(40), Decimal(40), None) is None  # a waist like a neck
    assert navy_body_fat(Sex.MALE, Decimal(250), Decimal(45), Decimal(40), None) is None  # nobody has so little


def test_deurenberg_s_formula_is_of_index_age_and_sex() -> None:
    assert deurenberg_body_fat(Decimal(25), 40, Sex.MALE) == Decimal("23.00")
    assert deurenberg_body_fat(Decimal(25), 40, Sex.FEMALE) == Decimal("33.80")
    assert deurenberg_body_fat(Decimal(25), 40, Sex.OTHER) is None


def test_each_method_that_has_what_it_needs_speaks_the_most_direct_first() -> None:
    found = list(fat_estimates(known(sex=Sex.MALE, percent="20", WAIST=90, NECK=40)))
    assert [each.method for each in found] == [BodyFatMethod.MEASURED, BodyFatMethod.NAVY, BodyFatMethod.DEURENBERG]
    assert (found[0].fat_kg, found[0].lean_kg) == (16, 64)
    assert [each.method for each in fat_estimates(known(sex=Sex.MALE, WAIST=90))] == [BodyFatMethod.DEURENBERG]
    assert list(fat_estimates(known(sex=None, WAIST=90, NECK=40))) == []


@pytest.mark.parametrize(
    ("bmi", "category"),
    [
        ("18.49", BmiCategory.UNDERWEIGHT),
        ("18.5", BmiCategory.NORMAL),
        ("25", BmiCategory.OVERWEIGHT),
        ("30", BmiCategory.OBESE_I),
        ("35", BmiCategory.OBESE_II),
        ("40", BmiCategory.OBESE_III),
    ],
)
def test_the_body_mass_index_has_the_classes_of_the_who(bmi: str, category: BmiCategory) -> None:
    assert bmi_category(Decimal(bmi)) is category


def test_an_inch_is_2_54_centimetres() -> None:
    assert length_in(LengthUnit.INCH, Decimal(254)) == 100
    assert length_in(LengthUnit.CM, Decimal(254)) == 254
