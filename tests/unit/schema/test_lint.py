"""Lint rules: each finding with its line, and silence for what is well named."""

import pytest

from schema.lint import RULES, lint_sdl


@pytest.mark.parametrize(
    ("sdl", "findings"),
    [
        ("type meal { id: ID }", ["1: meal: a type's name is written LikeThis [type_names_are_pascal_case]"]),
        (
            "type Meal {\n  local_date(time_zone: String): String\n}",
            [
                "2: Meal.local_date: a field's name is written likeThis [field_names_are_camel_case]",
                "2: Meal.local_date(time_zone:): an argument's name is written likeThis [field_names_are_camel_case]",
            ],
        ),
        ("enum Slot {\n  lunch\n}", ["2: Slot.lunch: an enum's value is written LIKE_THIS [enum_values_are_capitals]"]),
        (
            "type Query { getMeal: Int }",
            ["1: Query.getMeal: a query is a noun: what it gives, not what it does [query_names_have_no_verb]"],
        ),
        ("input Meal { id: ID }", ["1: Meal: an input type's name ends in Input [inputs_end_in_input]"]),
        (
            "type Meal { kcal: Int @deprecated }",
            [
                "1: Meal.kcal: a deprecation says why, and what to use in its place [deprecations_have_a_reason]",
            ],
        ),
        (
            "type Query { meals: [Int!]! }",
            [
                (
                    "1: Query.meals: a list without any argument can only grow; give it `first` "
                    "[lists_of_root_fields_are_bounded]"
                ),
            ],
        ),
    ],
)
def test_a_finding_names_its_line_coordinate_and_rule(sdl: str, findings: list[str]) -> None:
    assert [str(finding) for finding in lint_sdl(sdl)] == findings


def test_every_rule_is_tested_above() -> None:
    parameters = test_a_finding_names_its_line_coordinate_and_rule.pytestmark[0].args[1]
    tested = {finding.split("[")[-1].rstrip("]") for _, findings in parameters for finding in findings}

    assert tested == {rule.__name__ for rule in RULES}


def test_a_well_named_schema_and_federations_own_fields_are_left_alone() -> None:
    sdl = """
    type Query { meals(first: Int): [Meal!]! _entities(representations: [_Any!]!): [_Entity]! _service: _Service! }
    type Meal { id: ID! kcal: Int @deprecated(reason: "use energy instead") energy: Int slot: Slot }
    enum Slot { LUNCH LATE_SNACK }
    input MealInput { kcal: Int }
    scalar _Any
    """
    assert lint_sdl(sdl) == []
