"""Tables of comma-separated values: rows by the names of their columns, each with its line. A bad line never stops the rest."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from deploy.personal_data.sources.archive import DamagedFileError
from deploy.personal_data.sources.reading import Format, Found, Person, SkippedError, Source

MOST_ROWS = 2_000_000
_MOST_COLUMNS = 500
#: In characters. An archive may unpack to a line that no memory holds.
LONGEST_LINE = 1024**2


@dataclass(frozen=True, slots=True)
class Row:
    """`cells` are by column; of columns with one name the last one that has something counts."""

    place: str
    cells: Mapping[str, str]

    def get(self, *columns: str) -> str | None:
        """The cell of the first of these columns that the table has; None where that is empty."""
        for column in columns:
            if column in self.cells:
                return self.cells[column].strip() or None
        return None


def columns_of(head: bytes) -> list[str]:
    """What a table's first line names; empty for what is none."""
    line = head.decode("utf-8-sig", errors="replace").split("\n", 1)[0].rstrip("\r")
    try:
        return _names(next(csv.reader([line], delimiter=_delimiter(line)), []))
    except csv.Error:
        return []


def rows_of(source: Source, used: Collection[str]) -> Iterator[Row]:
    """Every row under the first one. Tells in the source's reading which columns have something and are not in `used`, and
    skips lines that are no row, and all beyond the bound. Raises DamagedFileError for a line beyond its own.
    """
    text = io.TextIOWrapper(source.file, encoding="utf-8-sig", errors="replace", newline="")
    lines = _lines(text)
    header = next(lines, "")
    delimiter = _delimiter(header)
    columns = _names(next(csv.reader([header], delimiter=delimiter), []))
    reader = csv.reader(lines, delimiter=delimiter)
    unused: set[str] = set()
    while True:
        place = f"{source.name}:{reader.line_num + 2}"
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            source.reading.skip(place, str(error))
            continue
        if not any(cells):
            continue
        source.reading.read[source.name] += 1
        if source.reading.read[source.name] > MOST_ROWS:
            source.reading.skip(place, f"this line and all after it: a table has at most {MOST_ROWS:,} rows")
            break
        if len(cells) > len(columns):
            source.reading.skip(place, f"has {len(cells)} cells under {len(columns)} columns")
            continue
        row = Row(place, _by_column(columns, cells))
        unused |= {name for name, cell in row.cells.items() if cell.strip() and name not in used}
        yield row
    if unused:
        source.reading.unused[source.name] = tuple(name for name in dict.fromkeys(columns) if name in unused)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            raise DamagedFileError(f"has a line of more than {LONGEST_LINE:,} characters")
        yield line


def table(
    name: str, columns: Collection[str], used: Collection[str], read: Callable[[Row, Person], Iterator[Found]]
) -> Format:
    """The format of tables that have these columns, each line of which is read by itself."""

    def fits(file: str, head: bytes) -> bool:
        return file.lower().endswith(".csv") and set(columns) <= set(columns_of(head))

    def read_all(source: Source) -> Iterator[Found]:
        for row in rows_of(source, used):
            try:
                yield from read(row, source.person)
            except SkippedError as refusal:
                source.reading.skip(row.place, str(refusal))

    return Format(name, fits, read_all)


def require(row: Row, column: str) -> str:
    """What a cell has. Raises SkippedError for an empty one."""
    value = row.get(column)
    if value is None:
        raise SkippedError(f"{column} is empty")
    return value


def _by_column(columns: list[str], cells: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, cell in zip(columns, cells, strict=False):
        if cell.strip() or name not in found:
            found[name] = cell
    return found


def _names(cells: list[str]) -> list[str]:
    return [cell.strip() for cell in cells[:_MOST_COLUMNS]]


def _delimiter(header: str) -> str:
    return ";" if header.count(";") > header.count(",") else ","
