"""What an import tells at its end, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.personal_data.import_folder import Report

#: Files that nobody reads are named up to so many; Google's exports have thousands.
MOST_NAMED = 5


def told(report: Report) -> Iterator[str]:
    reading = report.reading
    for name, count in list(reading.read.items())[: 4 * MOST_NAMED]:
        yield f"read: {count:,} entries of {name}"
    if len(reading.read) > 4 * MOST_NAMED:
        yield f"read: {len(reading.read) - 4 * MOST_NAMED:,} more files"
    for name, columns in reading.unused.items():
        yield f"not looked at: columns of {name}: {', '.join(columns)}"
    if reading.unread:
        more = "" if len(reading.unread) <= MOST_NAMED else f" and {len(reading.unread) - MOST_NAMED:,} more"
        yield f"not read: {', '.join(reading.unread[:MOST_NAMED])}{more}"
    for reason in reading.reasons:
        yield f"skipped: {reason}"
    if reading.skipped > len(reading.reasons):
        yield f"skipped: {reading.skipped - len(reading.reasons):,} more"
    for refusal in report.refused:
        yield f"not imported: {refusal}"
    if reading.read:
        yield f"{report.already:,} workouts were there already"
    yield f"{report.imported:,} imported, {len(report.refused) + reading.skipped:,} not"
