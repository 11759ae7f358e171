"""One-repetition maxima, records, heart rates and training load, with the vectors of their sources."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from subgraphs.shell.errors import Checks, ValidationError
from subgraphs.shell.physiology import Sex
from subgraphs.workouts.domain.heart_rate import (
    MaxFormula,
    ZoneMethod,
    banister_load,
    check_rates,
    edwards_load,
    keytel_kcal,
    max_heart_rate,
    zones,
)
from subgraphs.workouts.domain.one_rep_max import OneRepMaxFormula, one_rep_max_by, one_rep_maxes, reps_in_reserve
from subgraphs.workouts.domain.personal_record import Best, RecordKind, best_by_exercise, records_over
from subgraphs.workouts.domain.training_load import acute_chronic_ratios, daily_loads, monotony_and_strain, session_load

DAY = date(2026, 3, 2)
HUNDREDTH = Decimal("0.01")


@pytest.mark.parametrize(
    ("formula", "kg"),
    [
        (OneRepMaxFormula.EPLEY, "116.67"),
        (OneRepMaxFormula.BRZYCKI, "112.50"),
        (OneRepMaxFormula.LOMBARDI, "117.46"),
        (OneRepMaxFormula.MAYHEW, "119.01"),
        (OneRepMaxFormula.WATHAN, "116.58"),
        (OneRepMaxFormula.O_CONNER, "112.50"),
    ],
)
def test_five_repetitions_of_100_kg_by_each_formula(formula: OneRepMaxFormula, kg: str) -> None:
    found = one_rep_max_by(formula, Decimal(100), Decimal(5))
    assert found is not None
    assert found.quantize(HUNDREDTH) == Decimal(kg)
    assert one_rep_max_by(formula, Decimal(100), Decimal(1)) == 100


def test_epley_and_brzycki_meet_at_ten_repetitions_and_brzycki_ends_at_37() -> None:
    epley, brzycki = (
        one_rep_max_by(formula, Decimal(100), Decimal(10))
        for formula in (OneRepMaxFormula.EPLEY, OneRepMaxFormula.BRZYCKI)
    )
    assert epley is not None
    assert brzycki is not None
    assert epley.quantize(HUNDREDTH) == brzycki.quantize(HUNDREDTH) == Decimal("133.33")
    assert one_rep_max_by(OneRepMaxFormula.BRZYCKI, Decimal(100), Decimal(37)) is None


def test_repetitions_left_in_reserve_count_as_if_they_were_done() -> None:
    assert reps_in_reserve(Decimal("8.5")) == Decimal("1.5")
    assert reps_in_reserve(Decimal(4)) is None
    (found, *_) = one_rep_maxes(Decimal(100), 3, Decimal(8))
    assert (found.reps_to_failure, found.kg.quantize(HUNDREDTH)) == (5, Decimal("116.67"))
    (found, *_) = one_rep_maxes(Decimal(100), 11, Decimal(8))
    assert not found.is_reliable
    assert list(one_rep_maxes(None, 5, None)) == list(one_rep_maxes(Decimal(100), None, None)) == []


def test_a_record_is_more_than_everything_before_and_a_first_is_none() -> None:
    first = Best(Decimal(100), 5, Decimal("116.67"), Decimal(500))
    assert records_over(first, []) == []
    assert records_over(first, [Best(None, None, None, None)]) == []
    more = Best(Decimal(105), 5, Decimal("122.5"), Decimal(525))
    assert records_over(more, [first]) == [RecordKind.MAX_WEIGHT, RecordKind.ONE_REP_MAX, RecordKind.SET_VOLUME]
    assert records_over(first, [first]) == []


def test_the_longest_distance_and_time_are_measures_of_their_own() -> None:
    first = Best(None, None, None, None, Decimal(5000), 1500)
    farther = Best(None, None, None, None, Decimal(5001), 1500)
    assert records_over(farther, [first]) == [RecordKind.MAX_DISTANCE]
    assert records_over(Best(None, None, None, None, None, 1501), [first]) == [RecordKind.MAX_DURATION]
    assert farther.covers(first)
    assert not first.covers(farther)
    yoga = best_by_exercise([], [("yoga", 3600), ("yoga", 1800)])
    assert yoga == {"yoga": Best(None, None, None, None, None, 3600)}


def test_the_maximum_heart_rate_falls_with_age() -> None:
    assert max_heart_rate(40) == 180
    assert max_heart_rate(40, MaxFormula.FOX) == 180
    assert max_heart_rate(20) == 194


def test_zones_are_tenths_of_the_maximum_or_of_the_reserve() -> None:
    of_max = zones(ZoneMethod.MAX, Decimal(200), None)
    assert [(each.first, each.last) for each in of_max] == [(100, 120), (120, 140), (140, 160), (160, 180), (180, 200)]
    of_reserve = zones(ZoneMethod.RESERVE, Decimal(190), Decimal(60))
    assert (of_reserve[0].first, of_reserve[4].first, of_reserve[4].last) == (125, 177, 190)
    assert all(lower.last == upper.first for lower, upper in pairwise(of_reserve))


def test_energy_by_heart_rate_is_keytel_s() -> None:
    man = keytel_kcal(Decimal(150), Decimal(30), Decimal(75), 35, Sex.MALE)
    assert man.quantize(HUNDREDTH) == Decimal("441.02")
    woman = keytel_kcal(Decimal(150), Decimal(30), Decimal(60), 30, Sex.FEMALE)
    assert woman.quantize(HUNDREDTH) == Decimal("296.27")
    both = keytel_kcal(Decimal(150), Decimal(30), Decimal(75), 35, None)
    other = keytel_kcal(Decimal(150), Decimal(30), Decimal(75), 35, Sex.FEMALE)
    assert (both * 2).quantize(HUNDREDTH) == (man + other).quantize(HUNDREDTH)
    assert keytel_kcal(Decimal(40), Decimal(30), Decimal(60), 20, Sex.MALE) == 0


def test_training_impulses_are_edwards_and_banister_s() -> None:
    assert edwards_load([Decimal(10)] * 5) == 150
    rates = (Decimal(150), Decimal(60), Decimal(60), Decimal(190))
    assert banister_load(*rates, Sex.MALE).quantize(HUNDREDTH) == Decimal("100.44")
    assert banister_load(*rates, Sex.FEMALE).quantize(HUNDREDTH) == Decimal("113.52")
    assert banister_load(Decimal(50), Decimal(60), Decimal(60), Decimal(190), Sex.MALE) == 0


def test_heart_rates_of_no_body_are_refused() -> None:
    for rates in ({"maxHeartRate": 300}, {"restingHeartRate": 10}, {"restingHeartRate": 180, "maxHeartRate": 180}):
        checks = Checks()
        check_rates(checks, **rates)
        with pytest.raises(ValidationError):
            checks.done()


def test_a_session_s_load_is_exertion_times_minutes() -> None:
    assert session_load(Decimal(7), Decimal(60)) == 420
    assert session_load(None, Decimal(60)) is None


def test_one_load_decays_with_time_constants_of_7_and_42_days() -> None:
    found = daily_loads({DAY: Decimal(1000)}, DAY, DAY + timedelta(days=1))
    assert (round(found[0].acute, 3), round(found[0].chronic, 3)) == (133.122, 23.528)
    assert (found[0].balance, round(found[1].balance, 3)) == (0, -109.594)
    assert round(found[1].acute, 3) == round(133.122 * (1 - 0.133122), 3)


def test_the_same_load_for_long_is_both_acute_and_chronic() -> None:
    steady = {DAY - timedelta(days=number): Decimal(100) for number in range(301)}
    (found,) = daily_loads(steady, DAY, DAY)
    assert abs(found.acute - 100) < 0.1
    assert abs(found.chronic - 100) < 0.1
    assert (found.monotony, found.strain) == (None, None)


def test_the_last_days_over_the_last_weeks_are_1_where_training_was_alike_and_follow_williams_else() -> None:
    steady = {DAY + timedelta(days=number): Decimal(100) for number in range(300)}
    ratios = acute_chronic_ratios(steady, DAY, DAY + timedelta(days=306))
    assert DAY + timedelta(days=26) not in ratios
    assert [round(ratios[DAY + timedelta(days=number)], 6) for number in (27, 28, 100, 299)] == [1.0] * 4
    assert round(ratios[DAY + timedelta(days=306)], 4) == 0.2201  # 0.75^7 / (27/29)^7 after a week of rest
    spike = acute_chronic_ratios(steady | {DAY + timedelta(days=300): Decimal(200)}, DAY, DAY + timedelta(days=300))
    assert round(spike[DAY + timedelta(days=300)], 4) == 1.1694  # (100 + 0.25 x 100) / (100 + 100 x 2/29)


def test_who_never_trained_or_not_for_so_long_that_nothing_is_left_has_no_ratio() -> None:
    assert acute_chronic_ratios({}, DAY, DAY) == {}
    (found,) = daily_loads({DAY: Decimal(100)}, DAY, DAY)
    assert found.acute_chronic_ratio is None
    (found,) = daily_loads({DAY - timedelta(days=27): Decimal(100), DAY: Decimal(100)}, DAY, DAY)
    assert found.acute_chronic_ratio is not None
    assert found.acute_chronic_ratio > 1
    nothing = {DAY - timedelta(days=number): Decimal(0) for number in range(60)}  # sessions without exertion
    assert acute_chronic_ratios(nothing, DAY, DAY) == {}


def test_monotony_is_mean_over_deviation_and_strain_that_times_the_week() -> None:
    monotony, strain = monotony_and_strain([100, 0, 100, 0, 100, 0, 100])
    assert monotony is not None
    assert strain is not None
    assert round(monotony, 4) == 1.1547  # 57.14 / 49.49
    assert round(strain, 2) == 461.88
