"""Daily summaries in GraphQL: the entity, its diary day, and the live updates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from events.fanout import EVERYTHING
from subgraphs.analytics.api.request import loaders_of, writer_of
from subgraphs.analytics.projections.summary import day_channel
from subgraphs.analytics.queries.summary import (
    DailySummaryRecord,
    empty_summary,
    summaries_by_day,
    summaries_changed_since,
)
from subgraphs.context import Info
from subgraphs.errors import SubgraphError
from subgraphs.scalars import CACHE_PRIVATE_BRIEFLY, local_date, rounded, rounded_or_none

if TYPE_CHECKING:
    from subgraphs.analytics.api.user import User

# A transaction's changes are stamped before they can be seen: look back a little further than the last look.
LOOK_BACK = timedelta(seconds=10)


@strawberry.type(description="How current a summary is.")
class Freshness:
    as_of: datetime = strawberry.field(description="When its numbers last changed.")
    is_empty: bool = strawberry.field(description="Whether nothing at all is known of the day.")


@strawberry.federation.type(
    keys=["userId date"], description="A person's day in numbers.", directives=[CACHE_PRIVATE_BRIEFLY]
)
class DailySummary:
    user_id: strawberry.ID
    date: date
    calories_consumed: float
    calories_burned: float
    net_calories: float
    protein_g: float
    carbs_g: float
    fat_g: float
    meals_logged: int
    workouts_completed: int
    workout_minutes: float
    active_minutes: float
    water_ml: int
    weight_kg: float | None = strawberry.field(description="The day's first weighing.")
    revision: int = strawberry.field(description="Counts the changes of the numbers; 0 is a day nothing is known of.")
    freshness: Freshness

    @classmethod
    async def resolve_reference(cls, info: Info, userId: strawberry.ID, date: str, **_: Any) -> DailySummary | None:  # noqa: N803
        return await load_summary(info, userId, read_date(date))

    @strawberry.field
    def user(self) -> Annotated[User, strawberry.lazy("subgraphs.analytics.api.user")]:
        from subgraphs.analytics.api.user import User

        return User(id=self.user_id)

    @strawberry.field(description="The meals behind the numbers.")
    def diary(self) -> DiaryDay:
        return DiaryDay(user_id=self.user_id, date=self.date)


@strawberry.federation.type(keys=["userId date"])
class DiaryDay:
    user_id: strawberry.ID
    date: date

    @classmethod
    def resolve_reference(cls, userId: strawberry.ID, date: str, **_: Any) -> DiaryDay:  # noqa: N803
        return cls(user_id=userId, date=read_date(date))

    @strawberry.field
    async def summary(self, info: Info) -> DailySummary | None:
        return await load_summary(info, self.user_id, self.date)


def read_date(text: str | date) -> date:
    return text if isinstance(text, date) else date.fromisoformat(text)


async def load_summary(info: Info, user_id: str, local_date: date) -> DailySummary:
    """The day's summary, empty if nothing is known of it. Raises ForbiddenError for another person's."""
    info.context.reader_of(user_id)
    record = await loaders_of(info).summary_by_day.load((user_id, local_date))
    return summary_node(record or empty_summary(user_id, local_date))


def summary_node(record: DailySummaryRecord) -> DailySummary:
    return DailySummary(
        user_id=strawberry.ID(record.user_id),
        date=record.local_date,
        calories_consumed=rounded(record.calories_consumed),
        calories_burned=rounded(record.calories_burned),
        net_calories=rounded(record.calories_consumed - record.calories_burned),
        protein_g=rounded(record.protein_g),
        carbs_g=rounded(record.carbs_g),
        fat_g=rounded(record.fat_g),
        meals_logged=record.meals_logged,
        workouts_completed=record.workouts_completed,
        workout_minutes=rounded(record.workout_minutes),
        active_minutes=rounded(record.active_minutes),
        water_ml=record.water_ml,
        weight_kg=rounded_or_none(record.weight_kg),
        revision=record.revision,
        freshness=Freshness(as_of=record.computed_at, is_empty=record.revision == 0),
    )


@strawberry.type
class SummaryQuery:
    @strawberry.field(
        description="The viewer's day; today on the viewer's clock if no date is given.",
        directives=[CACHE_PRIVATE_BRIEFLY],
    )
    async def daily_summary(self, info: Info, date: date | None = None) -> DailySummary:
        viewer = info.context.viewer
        today = local_date(info.context.resources.now(), viewer.time_zone, viewer.day_start_hour)
        return await load_summary(info, viewer.id, date or today)


@strawberry.type
class SummarySubscription:
    @strawberry.subscription(description="The viewer's days as their numbers change: one day, or every day.")
    async def daily_summary_changed(self, info: Info, date: date | None = None) -> AsyncIterator[DailySummary]:
        viewer_id = info.context.viewer.id
        fanout = info.context.resources.fanout
        if fanout is None:
            raise LiveUpdatesOffError("This server has no Redis, so it has no live updates.")
        seen: dict[Any, int] = {}
        since = info.context.resources.now()
        async for keys in fanout.listen(day_channel(viewer_id)):
            if info.context.viewer.id != viewer_id:  # asking also refuses a token that has expired meanwhile
                return
            async with writer_of(info).connect() as connection:
                if EVERYTHING in keys:
                    changed = await summaries_changed_since(connection, viewer_id, since - LOOK_BACK)
                    changed = [record for record in changed if record.computed_at >= since or record.local_date in seen]
                else:
                    days = [(viewer_id, read_date(key)) for key in sorted(keys)]
                    changed = list((await summaries_by_day(connection, days)).values())
            info.context.renew_loaders()
            for record in changed:
                if date in (None, record.local_date) and seen.get(record.local_date, 0) < record.revision:
                    seen[record.local_date] = record.revision
                    yield summary_node(record)


class LiveUpdatesOffError(SubgraphError):
    """Subscriptions need Redis."""

    code = "SERVICE_UNAVAILABLE"
