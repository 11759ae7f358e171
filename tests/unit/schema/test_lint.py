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
        (
            'type Meal {\n  kcal(of: Int): Float\n}\n"""Said."""\nenum Slot {\n  LUNCH\n}',
            [
                "1: Meal: a type says what it is [everything_has_a_description]",
                "2: Meal.kcal: a field says what it means, in which unit, and what null is [everything_has_a_description]",
                "2: Meal.kcal(of:): an argument says what it does [everything_has_a_description]",
                "6: Slot.LUNCH: an enum's value says what it stands for [everything_has_a_description]",
            ],
        ),
        (
            'type Mutation {\n  """Ends it."""\n  end(\n    """Which."""\n    id: ID!): Boolean!\n  """Starts it."""\n  start(\n    """How."""\n    input: StartInput!): StartPayload\n}',
            [
                "3: Mutation.end: a mutation has one argument, `input`, of a required input type [mutations_have_one_shape]",
                "3: Mutation.end: a mutation answers with a nullable type whose name ends in Payload [mutations_have_one_shape]",
            ],
        ),
        (
            '"""What came of it."""\ntype StartPayload {\n  """It."""\n  started: Boolean!\n}',
            [
                "2: StartPayload: a payload has `userErrors: [UserError!]!` for what a person can mend [payloads_have_user_errors]",
                "4: StartPayload.started: a payload's field is nullable: a refused mutation has nothing to show [payloads_have_user_errors]",
            ],
        ),
        (
            '"""Some meals."""\ntype MealConnection {\n  """Them."""\n  edges: [Int!]!\n}\n"""A person."""\ntype User {\n  """Theirs."""\n  meals(\n    """How many."""\n    first: Int): MealConnection!\n}',
            [
                "2: MealConnection: a connection has nodes, pageInfo, totalCount [connections_are_relays]",
                "9: User.meals: a connection takes after, before, last [connections_are_relays]",
            ],
        ),
        (
            "type Goal {\n  periods: [Period!]!\n  notes: [String!]!\n  all(first: Int): PeriodConnection!\n}",
            [
                "2: Goal.periods: a list has @listSize: how many entries a long one has [lists_have_sizes]",
                "4: Goal.all: a field with a connection has @listSize, sliced by `first` and `last` [lists_have_sizes]",
            ],
        ),
    ],
)
def test_a_finding_names_its_line_coordinate_and_rule(sdl: str, findings: list[str]) -> None:
    rules = {finding.rpartition("[")[2].rstrip("]") for finding in findings}
    assert [str(finding) for finding in lint_sdl(sdl) if finding.rule in rules] == findings


def test_every_rule_is_tested_above() -> None:
    parameters = test_a_finding_names_its_line_coordinate_and_rule.pytestmark[0].args[1]
    tested = {finding.split("[")[-1].rstrip("]") for _, findings in parameters for finding in findings}

    assert tested == {rule.__name__ for rule in RULES}


def test_a_well_named_schema_and_federations_own_fields_are_left_alone() -> None:
    sdl = """
    type Query {
      "The meals, newest first."
      meals("How many." first: Int): [Meal!]! @listSize(slicingArguments: ["first"])
      _entities(representations: [_Any!]!): [_Entity]!
      _service: _Service!
    }
    type Mutation { "Eats it." eatMeal("Which." input: EatMealInput!): EatMealPayload }
    "What came of it."
    type EatMealPayload { "Why not." userErrors: [UserError!]! @listSize(assumedSize: 5) "Eaten; null if refused." meal: Meal }
    "A meal."
    type Meal {
      "Identifies it."
      id: ID!
      "Old."
      kcal: Int @deprecated(reason: "use energy instead")
      "In kcal; null if unknown."
      energy: Int
      "When."
      slot: Slot
      elsewhere: Int @external
    }
    "When."
    enum Slot { "At noon." LUNCH "At night." LATE_SNACK }
    "Which."
    input EatMealInput { "In kcal." kcal: Int }
    scalar _Any
    """
    assert lint_sdl(sdl) == []
