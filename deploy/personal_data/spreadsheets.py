"""The same export for spreadsheets: from each file of JSON Lines a CSV file, and one for each list inside its records.

The columns are the operation's fields, in its order, so that they are the same for everybody and over the years. An object inside a
record has its fields as columns, such as `profile.sex`; a list of words or numbers is one cell, with semicolons between. A list of objects
has a file of its own, such as `meals.items.csv`: `in` is the id of the row it belongs to, or, where that has none, its `in` and its
`number` with a slash between; `number` counts from 1.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

from deploy.personal_data.folder import ExportFolder, read_records
from deploy.personal_data.listings import Listing

OF_LISTS = ("in", "number")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One CSV file: of the records themselves, where `path` is empty, or of the list at a dotted path in them."""

    path: str
    columns: tuple[str, ...]


def sheets_of(listing: Listing) -> list[Sheet]:
    """Of the records first, then of each list, in the order of `listing.lists`."""
    leaves = list(_leaves(listing))
    sheets = []
    for path in ("", *listing.lists):
        inner = [other for other in listing.lists if other != path and other.startswith(_prefix(path))]
        columns = [
            leaf.removeprefix(_prefix(path))
            for leaf in leaves
            if leaf.startswith(_prefix(path)) and not any(leaf.startswith(_prefix(other)) for other in inner)
        ]
        sheets.append(Sheet(path, tuple(columns)))
    return sheets


def write_spreadsheets(folder: ExportFolder, listing: Listing) -> None:
    """Writes the CSV files of one listing anew, holding one record at a time."""
    sheets = sheets_of(listing)
    with ExitStack() as files:
        writers = {}
        for sheet in sheets:
            name = f"{listing.name}.{sheet.path}.csv" if sheet.path else f"{listing.name}.csv"
            writers[sheet.path] = csv.writer(files.enter_context(_csv_file(folder.path / name)))
            writers[sheet.path].writerow([*(OF_LISTS if sheet.path else ()), *sheet.columns])
        for record in read_records(folder.file(listing.name)):
            for path, row in rows_of(record, sheets):
                writers[path].writerow(row)


def rows_of(record: Mapping[str, Any], sheets: list[Sheet]) -> Iterator[tuple[str, list[Any]]]:
    """(the sheet's path, the cells) of a record and of all that its lists hold."""
    yield from _rows(record, "", str(record.get("id", "")), [], {sheet.path: sheet for sheet in sheets})


def _rows(
    found: Mapping[str, Any], path: str, key: str, place: list[Any], sheets: Mapping[str, Sheet]
) -> Iterator[tuple[str, list[Any]]]:
    yield path, [*place, *(_cell(_at(found, column)) for column in sheets[path].columns)]
    for inner in sheets:
        if inner == path or not inner.startswith(_prefix(path)) or _is_deeper(inner, path, sheets):
            continue
        for number, each in enumerate(_at(found, inner.removeprefix(_prefix(path))) or (), start=1):
            yield from _rows(each, inner, str(each.get("id", f"{key}/{number}")), [key, number], sheets)


def _is_deeper(inner: str, path: str, sheets: Mapping[str, Sheet]) -> bool:
    """Whether another list stands between the two."""
    between = (other for other in sheets if other not in (path, inner))
    return any(other.startswith(_prefix(path)) and inner.startswith(_prefix(other)) for other in between)


def _prefix(path: str) -> str:
    return f"{path}." if path else ""


def _at(found: Any, path: str) -> Any:
    for name in path.split("."):
        if found is None:
            return None
        found = found[name]
    return found


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return "; ".join("" if each is None else str(each) for each in value) if isinstance(value, list) else value


def _csv_file(path: Path) -> Any:
    return path.open("w", encoding="utf-8", newline="")


def _leaves(listing: Listing) -> Iterator[str]:
    """The dotted paths of all that the operation asks of a record."""
    document = parse(listing.operation)
    operation = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    selection = operation.selection_set
    for name in (*listing.path, *(("nodes",) if listing.is_connection else ())):
        selection = _selected(selection, name)
    yield from _paths(selection, "", document)


def _selected(selection: SelectionSetNode, name: str) -> SelectionSetNode:
    field = next(each for each in selection.selections if isinstance(each, FieldNode) and each.name.value == name)
    assert field.selection_set is not None, name
    return field.selection_set


def _paths(selection: SelectionSetNode, prefix: str, document: DocumentNode) -> Iterator[str]:
    for each in selection.selections:
        if isinstance(each, FragmentSpreadNode):
            yield from _paths(_fragment(document, each.name.value).selection_set, prefix, document)
        elif isinstance(each, FieldNode) and each.selection_set is None:
            yield prefix + each.name.value
        elif isinstance(each, FieldNode) and each.selection_set is not None:
            yield from _paths(each.selection_set, f"{prefix}{each.name.value}.", document)


def _fragment(document: DocumentNode, name: str) -> FragmentDefinitionNode:
    return next(
        each for each in document.definitions if isinstance(each, FragmentDefinitionNode) and each.name.value == name
    )
