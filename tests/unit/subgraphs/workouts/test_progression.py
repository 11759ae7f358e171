"""How plans grow: by repetitions, by percentage of a training max or of an estimate, and by exertion, on paper."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.shell.errors import Checks, ValidationError
from subgraphs.workouts.domain.one_rep_max import OneRepMaxFormula, one_rep_max_by
from subgraphs.workouts.domain.plan import Plan, check_template
from subgraphs.workouts.domain.progression import LastTime, ProgressionRule, grown, outcome_of, rule_of, weight_for

FIVES = Plan(sets=2, least_reps=5, most_reps=5)


@dataclass(frozen=True)
class Done:
    reps: int | None
    weight_kg: Decimal | None
    rpe: Decimal | None = None
    kind: str = "NORMAL"


def done(weight: str, reps: int, rpe: str | None = None) -> Done:
    return Done(reps, Decimal(weight), None if rpe is None else Decimal(rpe))


def test_each_plan_grows_by_one_rule() -> None:
    one = Decimal(1)
    for plan, rule in (
        (FIVES, ProgressionRule.NONE),
        (replace(FIVES, increment_kg=one), ProgressionRule.LINEAR),
        (replace(FIVES, least_reps=3, increment_kg=one), ProgressionRule.DOUBLE),
        (replace(FIVES, percent=one, training_max_kg=one), ProgressionRule.TRAINING_MAX),
        (replace(FIVES, percent=one), ProgressionRule.ONE_REP_MAX),
        (replace(FIVES, target_rpe=Decimal(8)), ProgressionRule.EXERTION),
    ):
        assert rule_of(plan) is rule


@pytest.mark.parametrize(
    ("percent", "kg"), [("65", "57.5"), ("75", "67.5"), ("85", "75.0"), ("95", "85.0"), ("90", "80.0")]
)
def test_a_percentage_of_a_training_max_of_90_kg_is_rounded_down_to_what_is_on_the_bar(percent: str, kg: str) -> None:
    plan = replace(FIVES, percent=Decimal(percent), training_max_kg=Decimal(90))
    assert grown(plan, LastTime()).weight_kg == Decimal(kg)


def test_a_training_max_rises_once_every_set_was_done_with_its_weight() -> None:
    plan = replace(FIVES, percent=Decimal(80), training_max_kg=Decimal(100), increment_kg=Decimal(5))
    last = LastTime([done("80", 5), done("82.5", 6)], Decimal(80), Decimal(100))
    assert (grown(plan, last).training_max_kg, grown(plan, last).weight_kg) == (105, Decimal("82.5"))
    for sets in ([done("80", 5)], [done("80", 5), done("80", 4)], [done("80", 5), done("77.5", 5)], []):
        kept = grown(plan, replace(last, sets=sets))
        assert (kept.training_max_kg, kept.weight_kg) == (100, 80)
    risen = replace(last, weight_kg=Decimal("82.5"), training_max_kg=Decimal(105))
    assert grown(plan, risen).training_max_kg == 105
    assert grown(plan, replace(risen, follows_plan=False)).training_max_kg == 100


def test_a_percentage_of_what_was_shown_is_of_the_best_by_the_plan_s_formula() -> None:
    plan = replace(FIVES, percent=Decimal(80))
    shown = [done("100", 5), done("110", 1), done("60", 13), done("90", 8, "8")]
    # Epley: 116.67 of five repetitions, 120 of eight with two left; 13 repetitions say nothing.
    assert (grown(plan, LastTime(), shown).training_max_kg, grown(plan, LastTime(), shown).weight_kg) == (120, 95)
    brzycki = grown(replace(plan, formula=OneRepMaxFormula.BRZYCKI), LastTime(), shown[:2])
    assert (brzycki.training_max_kg, brzycki.weight_kg) == (Decimal("112.50"), 90)
    assert grown(plan, LastTime()) == plan


def test_exertion_gives_the_weight_that_leaves_as_many_repetitions_as_planned() -> None:
    # 100 kg for five with two left are seven to failure: 123.33 kg once. Five with one left are six: 123.33 / 1.2.
    last = LastTime([done("100", 5, "8"), done("100", 5, "8")])
    plan = replace(FIVES, target_rpe=Decimal(9), step_kg=Decimal("0.01"))
    assert grown(plan, last).weight_kg == Decimal("102.77")
    assert grown(replace(plan, step_kg=None), last).weight_kg == Decimal("102.5")
    assert grown(replace(plan, target_rpe=Decimal(8)), last).weight_kg == pytest.approx(
        Decimal(100), abs=Decimal("0.01")
    )
    assert grown(replace(plan, target_rpe=Decimal(7), step_kg=None), last).weight_kg == Decimal("95.0")


def test_exertion_moves_the_weight_by_a_tenth_at_most_and_not_where_none_was_told() -> None:
    plan = replace(FIVES, target_rpe=Decimal(10))
    assert grown(plan, LastTime([done("100", 5, "5")])).weight_kg == 110
    assert grown(replace(plan, target_rpe=Decimal(6)), LastTime([done("100", 1, "10")])).weight_kg == 90
    assert grown(plan, LastTime([done("100", 5)])).weight_kg == 100
    assert grown(plan, LastTime([done("100", 5, "4")])).weight_kg == 100
    assert grown(plan, LastTime()) == plan


def test_what_is_told_anew_is_begun_with() -> None:
    earlier = LastTime([done("100", 5), done("100", 5)], follows_plan=False)
    plan = replace(FIVES, increment_kg=Decimal(5))
    assert grown(plan, earlier).weight_kg == 105
    assert grown(replace(plan, weight_kg=Decimal(60)), earlier).weight_kg == 60


@given(
    formula=st.sampled_from(OneRepMaxFormula),
    kg=st.decimals(1, 400, places=2),
    reps=st.decimals(1, 20, places=1),
)
def test_the_weight_for_repetitions_is_the_formula_turned_around(
    formula: OneRepMaxFormula, kg: Decimal, reps: Decimal
) -> None:
    weight = weight_for(formula, kg, reps)
    assert weight is not None
    back = one_rep_max_by(formula, weight, reps)
    assert back is not None
    assert abs(back - kg) < Decimal("1e-6")


def test_an_outcome_counts_sets_as_planned_and_how_hard_they_were() -> None:
    plan = replace(FIVES, least_reps=3, weight_kg=Decimal(100), target_rpe=Decimal(8))
    warm_up = Done(5, Decimal(120), Decimal(1), "WARM_UP")
    sets = [warm_up, done("100", 3, "8"), done("102.5", 2, "9.5"), done("97.5", 5), Done(None, None)]
    outcome = outcome_of(plan, sets)
    assert (outcome.working_sets, outcome.sets_as_planned) == (4, 1)
    assert (outcome.mean_rpe, outcome.rpe_over_target) == (Decimal("8.75"), Decimal("0.75"))
    assert outcome_of(FIVES, []).mean_rpe is None


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"percent": Decimal(9)}, "percentOfMax"),
        ({"percent": Decimal(121)}, "percentOfMax"),
        ({"training_max_kg": Decimal(100)}, "trainingMaxKg"),
        ({"percent": Decimal(80), "training_max_kg": Decimal(0)}, "trainingMaxKg"),
        ({"percent": Decimal(80), "increment_kg": Decimal(5)}, "incrementKg"),
        ({"target_rpe": Decimal("4.5")}, "targetRpe"),
        ({"target_rpe": Decimal("8.3")}, "targetRpe"),
        ({"target_rpe": Decimal(8), "increment_kg": Decimal(5)}, "targetRpe"),
        ({"target_rpe": Decimal(8), "percent": Decimal(80)}, "targetRpe"),
        ({"target_rpe": Decimal(8), "least_reps": None, "most_reps": None}, "mostReps"),
        ({"step_kg": Decimal(0)}, "weightStepKg"),
        ({"step_kg": Decimal(51)}, "weightStepKg"),
    ],
)
def test_plans_of_no_rule_or_of_two_are_refused_with_their_place(changes: dict[str, Decimal], place: str) -> None:
    checks = Checks()
    check_template(checks, "Push", None, [replace(FIVES, **changes)])
    with pytest.raises(ValidationError) as refusal:
        checks.done()
    assert f"exercises.0.{place}" in [field for field, _ in refusal.value.violations]
