"""The days and the weight trend that reports are made of: those of many people and times in one statement each."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import text

from subgraphs.analytics.domain.weight_trend import TrendPoint
from subgraphs.analytics.queries.summary import SUMMARY_COLUMNS, DailySummaryRecord, summary_record
from subgraphs.analytics.queries.weight import WANTED_SPANS, Span, columns_of_spans
from subgraphs.shell.read_pool import Reader

_DAYS = text(
    f"SELECT wanted.first, wanted.last, {SUMMARY_COLUMNS} FROM {WANTED_SPANS}"  # noqa: S608 - our names
    " CROSS JOIN LATERAL (SELECT * FROM daily_summary WHERE user_id = wanted.person"
    "  AND local_date BETWEEN wanted.first AND wanted.last) AS day ORDER BY local_date"
)
_TREND = text(
    f"SELECT wanted.person, wanted.first, wanted.last, point.local_date, point.weight_kg, point.trend_kg FROM {WANTED_SPANS}"  # noqa: S608
    " CROSS JOIN LATERAL (SELECT * FROM weight_trend WHERE user_id = wanted.person"
    "  AND local_date BETWEEN wanted.first AND wanted.last) AS point ORDER BY point.local_date"
)


async def days_of_reports(
    connection: Reader, wanted: Sequence[tuple[str, Span]]
) -> dict[tuple[str, Span], list[DailySummaryRecord]]:
    """Every day of these people's spans that was ever summed, oldest first: those too of which all was taken back, for
    their revisions count.
    """
    found: defaultdict[tuple[str, Span], list[DailySummaryRecord]] = defaultdict(list)
    for first, last, *row in await connection.execute(_DAYS, columns_of_spans(wanted)):
        day = summary_record(row)
        found[(day.user_id, Span(first, last))].append(day)
    return found


async def trend_of_reports(
    connection: Reader, wanted: Sequence[tuple[str, Span]]
) -> dict[tuple[str, Span], list[TrendPoint]]:
    """The trend at every weighed day of these people's spans, oldest first."""
    found: defaultdict[tuple[str, Span], list[TrendPoint]] = defaultdict(list)
    for user_id, first, last, *point in await connection.execute(_TREND, columns_of_spans(wanted)):
        found[(user_id, Span(first, last))].append(TrendPoint(*point))
    return found
