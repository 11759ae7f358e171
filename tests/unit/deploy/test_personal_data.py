"""What an export asks for: that the graph has it, that it fits the budget, and that spreadsheets have all of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    parse,
    visit,
)

from deploy.personal_data.listings import EXPORTED, LISTINGS, OPERATIONS, Listing, Walk
from deploy.personal_data.spreadsheets import rows_of, sheets_of
from deploy.stack import PRODUCTION_ROUTER
from router.access.demand import DemandControl
from router.operation import VariableCoercion, normalize, parse_and_validate
from router.settings import DemandControl as Settings
from router.supergraph.api_schema import build_api_schema

SCHEMA = Path(__file__).parents[3] / "schema" / "fittracker"
BY_NAME = {listing.name: listing for listing in LISTINGS}


@cache
def graph() -> tuple[GraphQLSchema, DemandControl]:
    text = (SCHEMA / "supergraph.graphql").read_text(encoding="utf-8")
    schema = build_api_schema(parse(text))
    settings = yaml.safe_load(PRODUCTION_ROUTER.read_text(encoding="utf-8"))["demand_control"]
    return schema, DemandControl(text, schema, Settings.model_validate(settings))


@cache
def api_schema() -> GraphQLSchema:
    return build_schema((SCHEMA / "api.graphql").read_text(encoding="utf-8"))


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_a_page_of_each_listing_is_valid_and_within_the_routers_budget(listing: Listing) -> None:
    schema, control = graph()
    prepared = normalize(parse_and_validate(listing.operation, schema), None, schema, lift_literals=True)
    control.check(prepared, VariableCoercion.of(prepared, schema).coerce(listing.variables(None)))


def test_every_operation_is_asked_and_every_table_has_a_file() -> None:
    assert {file.stem for file in OPERATIONS.glob("*.graphql")} == set(BY_NAME)
    assert set(EXPORTED.values()) == set(BY_NAME)


class ListsOfObjects(Visitor):
    """Collects the dotted paths of lists of objects inside a listing's records."""

    def __init__(self, listing: Listing, types: TypeInfo) -> None:
        super().__init__()
        self.found: list[str] = []
        self._types = types
        self._depth = len(listing.path) + (1 if listing.walk is Walk.FORWARD else 0)
        self._path: list[str] = []

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self._path.append(node.name.value)
        field = self._types.get_field_def()
        if len(self._path) > self._depth and node.name.value != "pageInfo" and isinstance(field, GraphQLField):
            is_list = is_list_type(get_nullable_type(field.type))
            if is_list and not is_leaf_type(get_named_type(field.type)):
                self.found.append(".".join(self._path[self._depth :]))

    def leave_field(self, *_: object) -> None:
        self._path.pop()


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_spreadsheets_know_every_list_inside_a_record(listing: Listing) -> None:
    types = TypeInfo(api_schema())
    lists = ListsOfObjects(listing, types)
    visit(parse(listing.operation), TypeInfoVisitor(types, lists))
    assert sorted(lists.found) == sorted(listing.lists)


def rows(name: str, record: dict[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    sheets = sheets_of(BY_NAME[name])
    columns = {sheet.path: (*(("in", "number") if sheet.path else ()), *sheet.columns) for sheet in sheets}
    for path, cells in rows_of(record, sheets):
        row = zip(columns[path], cells, strict=True)
        yield path, {column: cell for column, cell in row if cell is not None}


def test_rows_of_lists_name_the_row_that_they_belong_to() -> None:
    empty = dict.fromkeys(sheets_of(BY_NAME["foods"])[0].columns)
    flat = {name: None for name in empty if "." not in name}
    version = {"version": 2, "writtenAt": None, "servings": 2, "yieldGrams": None, "instructions": 'stir, "well"'}
    one = {"foodName": "Oats", "grams": 80.5, "portion": None, "quantity": None, "food": {"id": "food_oats"}}
    gone = {**one, "foodName": "Gone", "food": None}
    nothing = {"per100": None, "declared": None, "published": None, "portions": []}
    food = {**flat, **nothing, "id": "food_1", "verified": True}
    record = {**food, "recipeVersions": [{**version, "ingredients": [one, gone]}]}

    assert list(rows("foods", record)) == [
        ("", {"id": "food_1", "verified": "true"}),
        (
            "recipeVersions",
            {"in": "food_1", "number": 1, "version": 2, "servings": 2, "instructions": 'stir, "well"'},
        ),
        (
            "recipeVersions.ingredients",
            {"in": "food_1/1", "number": 1, "foodName": "Oats", "grams": 80.5, "food.id": "food_oats"},
        ),
        ("recipeVersions.ingredients", {"in": "food_1/1", "number": 2, "foodName": "Gone", "grams": 80.5}),
    ]
