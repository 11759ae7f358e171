"""Schema changes: their level, and whom they touch."""

from pathlib import Path

import pytest
from graphql import build_schema, parse

from schema.changes import (
    Change,
    ChangeLevel,
    OperationRecordError,
    RecordedOperation,
    SchemaDiff,
    diff_schemas,
    read_operations,
    used_coordinates,
)

OLD = """
directive @live on FIELD
enum Unit { KG LB STONE }
input Range { from: Int to: Int unit: Unit }
interface Loggable { id: ID }
union Item = Meal | Run
type Meal implements Loggable { id: ID kcal(unit: Unit): Int note: String }
type Run implements Loggable { id: ID metres: Int }
type Query { meal(range: Range): Meal run: Run feed: [Item] any: Loggable unit: Unit }
"""


def changes_to(new: str, *operations: str) -> SchemaDiff:
    recorded = [RecordedOperation(f"op{index}", parse(text)) for index, text in enumerate(operations)]
    return diff_schemas(build_schema(OLD), build_schema(new), recorded or None)


def test_equal_schemas_have_no_changes() -> None:
    assert changes_to(OLD) == SchemaDiff(())


def test_a_removed_field_breaks_and_an_added_one_does_not() -> None:
    diff = changes_to(OLD.replace("note: String", "remark: String"))

    assert [(change.level, change.code, change.message) for change in diff.changes] == [
        (ChangeLevel.BREAKING, "FIELD_REMOVED", "Field Meal.note was removed."),
        (ChangeLevel.SAFE, "FIELD_ADDED", "Field Meal.remark was added."),
    ]
    assert diff.breaks_clients()


def test_a_removed_field_that_no_recorded_operation_uses_does_not_break_clients() -> None:
    diff = changes_to(OLD.replace("note: String", ""), "{ meal { kcal } }")

    assert diff.changes == (Change(ChangeLevel.BREAKING, "FIELD_REMOVED", "Field Meal.note was removed."),)
    assert not diff.breaks_clients()


@pytest.mark.parametrize(
    ("before", "after", "code", "user", "bystander"),
    [
        ("metres: Int", "metres: String", "FIELD_CHANGED_KIND", "{ run { metres } }", "{ run { id } }"),
        ("kcal(unit: Unit)", "kcal", "ARG_REMOVED", "{ meal { kcal(unit: KG) } }", "{ meal { kcal } }"),
        ("kcal(unit: Unit)", "kcal(unit: Unit, of: Int!)", "REQUIRED_ARG_ADDED", "{ meal { kcal } }", "{ meal { id } }"),
        ("to: Int", "to: Int!", "FIELD_CHANGED_KIND", "query($r: Range) { meal(range: $r) { id } }", "{ meal { id } }"),
        ("to: Int", "", "FIELD_REMOVED", "{ meal(range: {to: 1}) { id } }", "{ meal(range: {from: 1}) { id } }"),
        ("KG LB STONE", "KG LB", "VALUE_REMOVED_FROM_ENUM", "{ unit }", "{ meal { kcal } }"),
        ("union Item = Meal | Run", "union Item = Meal", "TYPE_REMOVED_FROM_UNION", "{ feed { __typename } }",
         "{ unit }"),
        ("directive @live on FIELD", "", "DIRECTIVE_REMOVED", "{ run @live { id } }", "{ run { id } }"),
        ("any: Loggable", "", "FIELD_REMOVED", "{ any { id } }", "{ meal { id } }"),
    ],
)  # fmt: skip
def test_a_change_is_charged_to_the_operations_that_touch_it(
    before: str, after: str, code: str, user: str, bystander: str
) -> None:
    diff = changes_to(OLD.replace(before, after), user, bystander)

    (change,) = [change for change in diff.changes if change.code == code]
    assert change.level is ChangeLevel.BREAKING
    assert change.used_by == ("op0",)


def test_a_field_selected_on_an_interface_is_used_on_every_implementation() -> None:
    assert {"Loggable.id", "Meal.id", "Run.id"} <= used_coordinates(build_schema(OLD), parse("{ any { id } }"))


def test_operations_are_listed_by_how_often_they_were_seen() -> None:
    operations = [
        RecordedOperation("rare", parse("{ run { id metres } }")),
        RecordedOperation("common", parse("{ run { metres } }"), count=90),
    ]
    diff = diff_schemas(build_schema(OLD), build_schema(OLD.replace("metres: Int", "")), operations)

    assert diff.changes[0].used_by == ("common", "rare")


def test_recorded_operations_are_read_from_a_folder_and_from_json_lines(tmp_path: Path) -> None:
    (tmp_path / "runs.graphql").write_text("{ run { id } }")
    lines = tmp_path / "seen.jsonl"
    lines.write_text('{"query": "query Feed { feed { __typename } }", "operationName": "Feed", "count": 7}\n\n')

    assert [operation.name for operation in read_operations(tmp_path)] == ["runs"]
    assert [(operation.name, operation.count) for operation in read_operations(lines)] == [("Feed", 7)]


@pytest.mark.parametrize("line", ["not json", "[]", "{}", '{"query": "{", "count": 1}'])
def test_an_unreadable_record_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    lines = tmp_path / "seen.jsonl"
    lines.write_text('{"query": "{ run { id } }"}\n' + line)

    with pytest.raises(OperationRecordError, match=r"seen\.jsonl:2: "):
        read_operations(lines)
