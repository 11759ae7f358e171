"""The weight trend as it is read: the points of a span of days."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from subgraphs.analytics.domain.weight_trend import TrendPoint
from subgraphs.shell.read_pool import Reader


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both included. Hashable: people with one span share a read."""

    first: date
    last: date


#: Many people's spans as rows `wanted (person, first, last)`, of the parameters of `columns_of_spans`.
WANTED_SPANS = (
    "unnest(CAST(:user_ids AS text[]), CAST(:firsts AS date[]), CAST(:lasts AS date[])) AS wanted (person, first, last)"
)
_TREND = text(
    "SELECT user_id, local_date, weight_kg, trend_kg FROM weight_trend WHERE user_id = ANY(:user_ids)"
    " AND local_date BETWEEN :first AND :last ORDER BY user_id, local_date"
)


async def trend_by_user(connection: Reader, user_ids: Sequence[str], span: Span) -> dict[str, list[TrendPoint]]:
    """Each person's trend at every weighed day of the span, oldest first."""
    by_user: defaultdict[str, list[TrendPoint]] = defaultdict(list)
    parameters = {"user_ids": list(user_ids), "first": span.first, "last": span.last}
    for user_id, *point in await connection.execute(_TREND, parameters):
        by_user[user_id].append(TrendPoint(*point))
    return by_user


def columns_of_spans(wanted: Sequence[tuple[str, Span]]) -> dict[str, list[object]]:
    """(user id, span) as the parameters of `WANTED_SPANS`."""
    return {
        "user_ids": [user_id for user_id, _ in wanted],
        "firsts": [span.first for _, span in wanted],
        "lasts": [span.last for _, span in wanted],
    }
