"""Daily summaries in GraphQL: the entity, its diary day, and the live updates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from subgraphs.analytics.api.rolling import RollingMeans, read_rolling_means
from subgraphs.analytics.loaders import loaders_of
from subgraphs.analytics.projections.summary import day_channel
from subgraphs.analytics.queries.person import UNKNOWN_CLOCK, ClockRecord, clock_from_token
from subgraphs.analytics.queries.summary import (
    DailySummaryRecord,
    changed_summaries,
    count_of_changed,
    empty_summary,
    summaries_by_day,
)
from subgraphs.shell.context import Info
from subgraphs.shell.cost import Cost
from subgraphs.shell.errors import Checks
from subgraphs.shell.live import OVERLAP, Reading, beginning, newest, states
from subgraphs.shell.node import Node, NodeKind, day_id, read_day_id
from subgraphs.shell.quantities import Energy, EnergyIn, Mass, MassIn, Volume, VolumeIn, energy, mass, volume
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY, rounded, rounded_or_none
from subgraphs.shell.scopes import READS_PROGRESS
from subgraphs.shell.sharing import SHARED_PROGRESS, may_read, require_read
from subgraphs.shell.units import EnergyUnit, MassUnit, VolumeUnit
from subgraphs.shell.worked_out import WorkedOut, worked_out

if TYPE_CHECKING:
    from subgraphs.analytics.api.user import User

#: What a subscription catches up with; whoever has missed more reads anew.
MOST_DAYS_MISSED = 366
DAYS_AT_ONCE = 100


@strawberry.type(description="How current a summary is.")
class Freshness:
    as_of: datetime = strawberry.field(description="When its numbers last changed; now, if they never did.")
    is_empty: bool = strawberry.field(description="Whether nothing at all is known of the day, or all was taken back.")


@strawberry.federation.type(
    keys=["userId date", "nodeId"],
    description="A person's day in numbers.",
    directives=[CACHE_PRIVATE_BRIEFLY, SHARED_PROGRESS],
)
class DailySummary(Node):
    record: strawberry.Private[DailySummaryRecord]
    user_id: strawberry.ID = strawberry.field(description="Whose day it is.")
    date: date = strawberry.field(description="The person's calendar day.")
    calories_consumed: WorkedOut[float] = worked_out(
        lambda self: rounded(self.record.calories_consumed), description="Eaten, in kcal."
    )
    calories_burned: WorkedOut[float] = worked_out(
        lambda self: rounded(self.record.calories_burned),
        description="By completed workouts, in kcal, gross: with rest.",
    )
    net_calories_burned: WorkedOut[float] = worked_out(
        lambda self: rounded(self.record.net_calories_burned),
        description="By completed workouts, in kcal, above what rest would have burned in the same time, which the day's"
        " need counts already. Of a workout whose share of rest is not known, all of it.",
    )
    net_calories: WorkedOut[float] = worked_out(
        lambda self: rounded(self.record.calories_consumed - self.record.net_calories_burned),
        description="Eaten less burned above rest, in kcal.",
    )
    protein_g: WorkedOut[float] = worked_out(
        lambda self: rounded(self.record.protein_g), description="Eaten, in grams."
    )
    carbs_g: WorkedOut[float] = worked_out(lambda self: rounded(self.record.carbs_g), description="Eaten, in grams.")
    fat_g: WorkedOut[float] = worked_out(lambda self: rounded(self.record.fat_g), description="Eaten, in grams.")
    meals_logged: int = strawberry.field(description="How many meals.")
    workouts_completed: int = strawberry.field(description="How many workouts.")
    workout_minutes: WorkedOut[float] = worked_out(
        lambda self: rounded(self.record.workout_minutes),
        description="From their start to their end, in minutes.",
    )
    active_minutes: WorkedOut[float] = worked_out(
        lambda self: rounded(self.record.active_minutes),
        description="Of their minutes, those in motion; all where not told.",
    )
    volume_kg: WorkedOut[float] = worked_out(
        lambda self: rounded(self.record.volume_kg),
        description="Lifted: repetitions times load, in kilograms.",
    )
    water_ml: int = strawberry.field(description="Drunk, in millilitres.")
    weight_kg: WorkedOut[float | None] = worked_out(
        lambda self: rounded_or_none(self.record.weight_kg),
        description="The day's first weighing, in kilograms; null without one.",
    )
    steps: int | None = strawberry.field(
        description="Taken, by the source that counted the most: sources of one day count the same steps and are not added. Null"
        " where none told of the day. They are in no energy here: `caloriesBurned` is of workouts, and the day's need has"
        " everyday life by the activity level."
    )
    revision: int = strawberry.field(description="Counts the changes of the numbers; 0 is a day nothing is known of.")
    freshness: WorkedOut[Freshness] = worked_out(
        lambda self: Freshness(as_of=self.record.computed_at, is_empty=self.record.is_empty),
        description="How current the numbers are.",
    )

    @classmethod
    async def resolve_reference(cls, info: Info, userId: strawberry.ID, date: str, **_: Any) -> DailySummary | None:  # noqa: N803
        return await load_summary(info, userId, read_date(date))

    @classmethod
    async def load(cls, info: Info, node_id: str, **_: Any) -> DailySummary | None:
        day = read_day_id(node_id)
        if day is None or not await may_read(info, cls, day.user_id):
            return None
        return await load_summary(info, day.user_id, day.date)

    @strawberry.field(description="Whose day it is.")
    def user(self) -> Annotated[User, strawberry.lazy("subgraphs.analytics.api.user")]:
        from subgraphs.analytics.api.user import User

        return User(id=self.user_id)

    @strawberry.field(description="The day's first weighing, in a unit; null without one.")
    def weight(self, unit: MassIn = MassUnit.KG) -> Mass | None:
        return None if self.record.weight_kg is None else mass(self.record.weight_kg, unit)

    @strawberry.field(description="Drunk, in a unit.")
    def water(self, unit: VolumeIn = VolumeUnit.ML) -> Volume:
        return volume(self.record.water_ml, unit)

    @strawberry.field(description="Eaten, in a unit.")
    def energy_consumed(self, unit: EnergyIn = EnergyUnit.KCAL) -> Energy:
        return energy(self.record.calories_consumed, unit)

    @strawberry.field(description="By completed workouts, gross: with rest, in a unit.")
    def energy_burned(self, unit: EnergyIn = EnergyUnit.KCAL) -> Energy:
        return energy(self.record.calories_burned, unit)

    @strawberry.field(
        description="The means of the last 7 and 28 days up to this one, which counts once it is over.",
        directives=[Cost(weight=5)],
    )
    async def rolling_means(self, info: Info) -> RollingMeans:
        return await read_rolling_means(info, self.user_id, self.date, await today_of(info, self.user_id))

    @strawberry.field(description="The meals behind the numbers.")
    def diary(self) -> DiaryDay:
        return DiaryDay(user_id=self.user_id, date=self.date)


@strawberry.federation.type(keys=["userId date"], description="A person's calendar day at the table.")
class DiaryDay:
    user_id: strawberry.ID = strawberry.field(description="Whose day it is.")
    date: date = strawberry.field(description="The person's calendar day.")

    @classmethod
    def resolve_reference(cls, userId: strawberry.ID, date: str, **_: Any) -> DiaryDay:  # noqa: N803
        return cls(user_id=userId, date=read_date(date))

    @strawberry.field(description="The day in numbers. Settles a moment after a write. Null if it may not be read.")
    async def summary(self, info: Info) -> DailySummary | None:
        return await load_summary(info, self.user_id, self.date)


def read_date(text: str | date) -> date:
    return text if isinstance(text, date) else date.fromisoformat(text)


async def clock_of_user(info: Info, user_id: str) -> ClockRecord:
    """A person who registered, or set the clock, a moment ago is known by the token only; anybody else unknown has UTC."""
    viewer = info.context.viewer
    if viewer.id == user_id and viewer.clock_is_recent:
        return clock_from_token(viewer)
    return clock_on(info, user_id, await loaders_of(info).clock_by_user.load(user_id))


def clock_on(info: Info, user_id: str, replicated: ClockRecord | None) -> ClockRecord:
    """The same, where what is replicated of it has been read."""
    viewer = info.context.viewer
    if viewer.id == user_id and (replicated is None or viewer.clock_is_recent):
        return clock_from_token(viewer)
    return replicated or UNKNOWN_CLOCK


async def today_of(info: Info, user_id: str) -> date:
    """The person's running calendar day."""
    return (await clock_of_user(info, user_id)).today(info.context.resources.now())


async def load_summary(info: Info, user_id: str, local_date: date) -> DailySummary:
    """The day's summary, empty if nothing is known of it. Raises ForbiddenError for one that the viewer may not read."""
    await require_read(info, DailySummary, user_id)
    record = await loaders_of(info).summary_by_day.load((user_id, local_date))
    return summary_node(record or empty_summary(user_id, local_date, info.context.resources.now()))


def summary_node(record: DailySummaryRecord) -> DailySummary:
    return DailySummary(
        record=record,
        id=day_id(NodeKind.DAILY_SUMMARY, record.user_id, record.local_date),
        user_id=strawberry.ID(record.user_id),
        date=record.local_date,
        meals_logged=record.meals_logged,
        workouts_completed=record.workouts_completed,
        water_ml=record.water_ml,
        steps=record.steps,
        revision=record.revision,
    )


@strawberry.type
class SummaryQuery:
    @strawberry.field(
        description="A day of the viewer in numbers. Settles a moment after a write.",
        directives=[READS_PROGRESS, CACHE_PRIVATE_BRIEFLY],
    )
    async def daily_summary(
        self,
        info: Info,
        date: Annotated[
            date | None, strawberry.argument(description="The calendar day. Null: the viewer's today.")
        ] = None,
    ) -> DailySummary:
        viewer_id = info.context.viewer.id
        return await load_summary(info, viewer_id, date or await today_of(info, viewer_id))


@strawberry.type
class SummarySubscription:
    @strawberry.subscription(
        description="The viewer's days as their numbers change. One day is told as it is first. Of all days, those that"
        " changed in the minute before are told first, or since an instant: a client that subscribes again has every day's"
        " last state so. A day may be told again that the client knows; its `revision` says so.",
        directives=[READS_PROGRESS],
    )
    async def daily_summary_changed(
        self,
        info: Info,
        date: Annotated[date | None, strawberry.argument(description="One calendar day. Null: every day.")] = None,
        since: Annotated[
            datetime | None,
            strawberry.argument(
                description="Begin with every day that has changed since this instant: the newest `freshness.asOf` that the"
                f" client has. VALIDATION_ERROR where more than {MOST_DAYS_MISSED} have: read them anew. Says nothing"
                " beside a `date`."
            ),
        ] = None,
    ) -> AsyncIterator[DailySummary]:
        viewer_id = info.context.viewer.id
        if date is None and since is not None:
            await _check_missed(info, viewer_id, since)
        every_day = _Changes(info, viewer_id, beginning(info, since))
        read = every_day.read if date is None else partial(_day, info, viewer_id, date)
        async for record in states(info, day_channel(viewer_id), read):
            yield summary_node(record)


async def _day(info: Info, user_id: str, day: date) -> AsyncIterator[Reading[DailySummaryRecord]]:
    """One day as it is, empty where nothing is known of it."""
    found = await newest(info, partial(summaries_by_day, days=[(user_id, day)]))
    record = found.get((user_id, day)) or empty_summary(user_id, day, info.context.resources.now())
    yield day, record.revision, record


class _Changes:
    """A person's days in the order in which they change, each reading from a little before where the last one ended.

    In that order, whoever has been told a day has been told all that had changed before it, and can go on from there.
    """

    def __init__(self, info: Info, user_id: str, since: datetime) -> None:
        self._info = info
        self._user_id = user_id
        self._newest = since

    async def read(self) -> AsyncIterator[Reading[DailySummaryRecord]]:
        after, is_more = (self._newest - OVERLAP, date.min), True
        while is_more:
            read_page = partial(changed_summaries, user_id=self._user_id, after=after, limit=DAYS_AT_ONCE)
            page = await newest(self._info, read_page)
            for record in page:
                self._newest = max(self._newest, record.computed_at)
                yield record.local_date, record.revision, record
                after = (record.computed_at, record.local_date)
            is_more = len(page) == DAYS_AT_ONCE


async def _check_missed(info: Info, user_id: str, since: datetime) -> None:
    """Raises ValidationError for a client that has missed so much that a query tells it better."""
    count = await newest(
        info, partial(count_of_changed, user_id=user_id, since=since - OVERLAP, limit=MOST_DAYS_MISSED + 1)
    )
    checks = Checks()
    message = f"more than {MOST_DAYS_MISSED} days changed since then: read them anew, and go on from the newest `asOf`"
    checks.require(count <= MOST_DAYS_MISSED, "since", message)
    checks.done()
