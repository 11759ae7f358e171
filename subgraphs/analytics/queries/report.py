"""The days that reports are made of."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import text

from subgraphs.analytics.queries.summary import SUMMARY_COLUMNS, DailySummaryRecord, summary_record
from subgraphs.analytics.queries.weight import Span
from subgraphs.shell.read_pool import Reader

_DAYS = text(
    f"SELECT wanted.first, wanted.last, {SUMMARY_COLUMNS} FROM"  # noqa: S608 - our names
    " unnest(CAST(:user_ids AS text[]), CAST(:firsts AS date[]), CAST(:lasts AS date[])) AS wanted (person, first, last)"
    " CROSS JOIN LATERAL (SELECT * FROM daily_summary WHERE user_id = wanted.person"
    "  AND local_date BETWEEN wanted.first AND wanted.last) AS day ORDER BY local_date"
)


async def days_of_reports(
    connection: Reader, wanted: Sequence[tuple[str, Span]]
) -> dict[tuple[str, Span], list[DailySummaryRecord]]:
    """Every day of these people's spans that was ever summed, oldest first: those too of which all was taken back, for
    their revisions count.
    """
    parameters = {
        "user_ids": [user_id for user_id, _ in wanted],
        "firsts": [span.first for _, span in wanted],
        "lasts": [span.last for _, span in wanted],
    }
    found: defaultdict[tuple[str, Span], list[DailySummaryRecord]] = defaultdict(list)
    for first, last, *row in await connection.execute(_DAYS, parameters):
        day = summary_record(row)
        found[(day.user_id, Span(first, last))].append(day)
    return found
