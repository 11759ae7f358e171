"""Facts to daily summaries: every touched day is summed anew from its facts. The handler of group `analytics-service`.

Order does not matter, nor does repetition: a day's numbers depend on the newest facts only. What changed is appended to
the outbox in the same transaction, and told to the subscribers after it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.consumer import AfterCommit, Handler, ProjectedTable, Rebuild, Subscription
from events.contracts.analytics import DailySummaryChanged
from events.envelope import Envelope
from events.fanout import Fanout
from events.outbox import NewEvent, append_events
from events.topics import NUTRITION_DIARY, USERS_ACCOUNT, USERS_BODY, WORKOUTS_SESSION
from subgraphs.analytics.commands.achievement import EVERYTHING_CHANGED, Changed, judge_achievements
from subgraphs.analytics.commands.goal import follow_measures
from subgraphs.analytics.projections.facts import FACT_TABLES, Day, Touched, apply_events, forget_facts
from subgraphs.analytics.projections.streak import refresh_streaks
from subgraphs.analytics.projections.weight_trend import refresh_trend
from subgraphs.analytics.queries.person import GROUP
from subgraphs.analytics.queries.summary import SUMMARY_COLUMNS, DailySummaryRecord, summary_record
from subgraphs.shell.telemetry import current_traceparent

TOPICS = (USERS_ACCOUNT.name, USERS_BODY.name, NUTRITION_DIARY.name, WORKOUTS_SESSION.name)

_MEASURES = (
    "calories_consumed",
    "calories_burned",
    "net_calories_burned",
    "protein_g",
    "carbs_g",
    "fat_g",
    "meals_logged",
    "workouts_completed",
    "workout_minutes",
    "active_minutes",
    "volume_kg",
    "water_ml",
    "weight_kg",
    "steps",
)
_RECOMPUTE = text(
    f"""
    INSERT INTO daily_summary AS old (user_id, local_date, {", ".join(_MEASURES)}, revision, computed_at)
    SELECT day.user_id, day.local_date,
           coalesce(meals.energy_kcal, 0), coalesce(workouts.calories_kcal, 0),
           coalesce(workouts.net_calories_kcal, 0),
           coalesce(meals.protein_g, 0), coalesce(meals.carbs_g, 0), coalesce(meals.fat_g, 0),
           meals.count, workouts.count,
           coalesce(workouts.minutes, 0), coalesce(workouts.active_minutes, 0),
           coalesce(workouts.volume_kg, 0),
           coalesce(water.amount_ml, 0), weight.weight_kg, counted.steps, 1, clock_timestamp()
    FROM unnest(CAST(:user_ids AS text[]), CAST(:local_dates AS date[])) AS day (user_id, local_date)
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, sum(energy_kcal) AS energy_kcal, sum(protein_g) AS protein_g,
               sum(carbs_g) AS carbs_g, sum(fat_g) AS fat_g
        FROM meal_fact AS fact WHERE fact.user_id = day.user_id AND fact.local_date = day.local_date
    ) AS meals
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, sum(calories_kcal) AS calories_kcal,
               sum(coalesce(net_calories_kcal, calories_kcal)) AS net_calories_kcal, sum(duration_minutes) AS minutes,
               sum(coalesce(active_minutes, duration_minutes)) AS active_minutes,
               sum(volume_kg) AS volume_kg
        FROM workout_fact AS fact
        WHERE fact.user_id = day.user_id AND fact.local_date = day.local_date AND fact.status = 'COMPLETED'
    ) AS workouts
    CROSS JOIN LATERAL (
        SELECT sum(amount_ml) AS amount_ml
        FROM water_fact AS fact WHERE fact.user_id = day.user_id AND fact.local_date = day.local_date
    ) AS water
    CROSS JOIN LATERAL (
        -- Sources of one day count the same steps, so they are not added.
        SELECT max(steps) AS steps
        FROM step_fact AS fact WHERE fact.user_id = day.user_id AND fact.local_date = day.local_date
    ) AS counted
    LEFT JOIN LATERAL (
        SELECT fact.weight_kg
        FROM weight_fact AS fact WHERE fact.user_id = day.user_id AND fact.local_date = day.local_date
        ORDER BY fact.recorded_at, fact.entry_id LIMIT 1
    ) AS weight ON true
    ON CONFLICT (user_id, local_date) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in _MEASURES)},
        revision = old.revision + 1, computed_at = clock_timestamp()
    WHERE ({", ".join(f"old.{name}" for name in _MEASURES)})
        IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _MEASURES)})
    RETURNING {SUMMARY_COLUMNS}
    """  # noqa: S608 - our names
)


def subscription(fanout: Fanout | None, now: Callable[[], datetime]) -> Subscription:
    """What this subgraph reads, and what it makes of it."""
    tables = (
        *map(ProjectedTable, FACT_TABLES),
        ProjectedTable("person"),
        ProjectedTable("weight_trend"),
        ProjectedTable("streak_run"),
        ProjectedTable("achievement", ignored=("unlocked_at",)),
    )
    summaries = ProjectedTable("daily_summary", ignored=("revision", "computed_at"))
    handler, rebuild = summary_projector(fanout, now), summary_rebuilder(fanout, now)
    return Subscription(GROUP, TOPICS, handler, (*tables, summaries), rebuild)


def summary_projector(fanout: Fanout | None, now: Callable[[], datetime]) -> Handler:
    """The consumer's handler; with a fan-out it tells the subscribers which days changed. `now` is when a goal is reached."""

    async def project(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> AfterCommit:
        touched = await apply_events(connection, envelopes)
        return await _sum_up(connection, touched, _changed_of(touched), fanout, now())

    return project


def summary_rebuilder(fanout: Fanout | None, now: Callable[[], datetime]) -> Rebuild:
    """One person's facts made anew, and every day of that person summed from them; revisions go on counting."""

    async def rebuild(connection: AsyncConnection, user_id: str, envelopes: Sequence[Envelope]) -> AfterCommit:
        touched = await forget_facts(connection, user_id)
        touched.add(await apply_events(connection, envelopes))
        return await _sum_up(connection, touched, {user_id: EVERYTHING_CHANGED}, fanout, now())

    return rebuild


async def _sum_up(
    connection: AsyncConnection,
    touched: Touched,
    changed_of: Mapping[str, Changed],
    fanout: Fanout | None,
    now: datetime,
) -> AfterCommit:
    changed = await recompute_days(connection, touched.days)
    # A streak follows from meals and finished workouts, and these are touched wherever one came, changed, left for
    # another day or was deleted: `apply_events` names the day before and the day after. What has no part in a habit, a
    # drink, a weighing or steps, touches days too; their runs are settled again and stay as they are.
    await refresh_streaks(connection, touched.days)
    if touched.weighed:
        await refresh_trend(connection, touched.weighed)
    measured = touched.measured | {user_id for user_id, _ in touched.weighed}
    if measured:
        await follow_measures(connection, sorted(measured), now)
    unlocked = await judge_achievements(connection, changed_of, now)
    if fanout is None or not (changed or unlocked or measured):
        return None
    changes = [(day_channel(summary.user_id), summary.local_date.isoformat()) for summary in changed]
    # What is measured may be part of no day, and whoever follows goals hears on this channel.
    changes += [(day_channel(user_id), "") for user_id in sorted(measured)]
    changes += [(achievement_channel(user_id), kind.value) for user_id, kind in unlocked]
    return lambda: fanout.publish(changes)


def _changed_of(touched: Touched) -> dict[str, Changed]:
    """Of each touched person, from which day on meals and workouts may be others, and whether goals may."""
    days, trained = _first_days(touched.days), _first_days(touched.trained)
    measured = touched.measured | {user_id for user_id, _ in touched.weighed}
    return {
        user_id: Changed(fed=days.get(user_id), trained=trained.get(user_id), has_goals=user_id in measured)
        for user_id in days.keys() | measured
    }


def _first_days(days: Iterable[Day]) -> dict[str, date]:
    first: dict[str, date] = {}
    for user_id, day in days:
        first[user_id] = min(day, first.get(user_id, day))
    return first


def day_channel(user_id: str) -> str:
    """The fan-out channel on which a person's changed days are named."""
    return f"day:{user_id}"


def achievement_channel(user_id: str) -> str:
    """The fan-out channel on which a person's new achievements are named."""
    return f"achievement:{user_id}"


async def recompute_days(connection: AsyncConnection, days: Iterable[Day]) -> list[DailySummaryRecord]:
    """Sum these days from their facts; returns, and appends to the outbox, those whose numbers are new."""
    ordered = sorted(days)
    if not ordered:
        return []
    result = await connection.execute(
        _RECOMPUTE,
        {"user_ids": [user_id for user_id, _ in ordered], "local_dates": [local_date for _, local_date in ordered]},
    )
    changed = [summary_record(row) for row in result]
    await append_events(connection, [_changed_event(summary) for summary in changed])
    return changed


def _changed_event(summary: DailySummaryRecord) -> NewEvent:
    payload = DailySummaryChanged(
        date=summary.local_date,
        revision=summary.revision,
        calories_consumed=summary.calories_consumed,
        calories_burned=summary.calories_burned,
        meals_logged=summary.meals_logged,
        workouts_completed=summary.workouts_completed,
        computed_at=summary.computed_at,
    )
    return NewEvent(
        payload,
        aggregate_id=f"{summary.user_id}:{summary.local_date}",
        version=summary.revision,
        user_id=summary.user_id,
        occurred_at=summary.computed_at,
        local_date=summary.local_date,
        actor=GROUP,
        source="system",
        traceparent=current_traceparent(),
    )
