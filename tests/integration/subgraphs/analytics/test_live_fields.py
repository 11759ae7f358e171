"""Live fields begin with a state: what changes between two streams, and is told to nobody then, is told by the second one."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from router.transport.protocol import SubgraphRequest
from router.transport.subscription_source import WebSocketSource
from subgraphs.analytics.api.summary import DAYS_AT_ONCE, MOST_DAYS_MISSED
from subgraphs.analytics.app import create_app
from subgraphs.shell.live import LOOK_BACK, OVERLAP
from tests.testkit.analytics import analytics_subgraph, drink, meal, of_person, tell, weighing, workout
from tests.testkit.live_fields import PATIENCE_SECONDS, serving, streaming, with_live_updates
from tests.testkit.servers import Postgres, Valkey, free_port
from tests.testkit.subgraph import SubgraphUnderTest, sign_token

_people = count(1)
_numbers = count(1)
MONDAY = date(2026, 3, 2)
DAYS = """subscription($since: DateTime) { dailySummaryChanged(since: $since) {
  date waterMl mealsLogged revision freshness { asOf } } }"""
ONE_DAY = 'subscription { dailySummaryChanged(date: "2026-03-02") { mealsLogged revision } }'
ACHIEVED = "subscription($since: DateTime) { achievementUnlocked(since: $since) { kind unlockedAt } }"
GOALS = "subscription { goalProgress { status currentValue targetValue } }"
CREATE_GOAL = """mutation { createGoal(input: {kind: WEIGHT_KG, targetValue: 80, startDate: "2026-03-01", startValue: 90}) {
  goal { id } userErrors { code } } }"""
ABANDON_GOAL = "mutation($id: ID!) { setGoalStatus(input: {id: $id, status: ABANDONED}) { userErrors { code } } }"


@pytest.fixture(scope="module")
async def analytics(postgres: Postgres, valkey: Valkey) -> AsyncIterator[SubgraphUnderTest]:
    """`tell` projects here without telling anybody, as a process does that is killed right after its commit."""
    async with analytics_subgraph(postgres, "analytics_live") as subgraph, with_live_updates(subgraph, valkey):
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def grow_older(analytics: SubgraphUnderTest, person: str, by: timedelta = 2 * LOOK_BACK) -> None:
    """Everything of the person happened that much earlier: by default, before any stream would look back."""
    async with analytics.database.transaction() as transaction:
        for table, instant in (("daily_summary", "computed_at"), ("achievement", "unlocked_at")):
            statement = f"UPDATE {table} SET {instant} = {instant} - CAST(:by AS interval) WHERE user_id = :id"
            await transaction.execute(text(statement), {"by": by, "id": person})


async def test_a_day_that_changed_between_two_streams_is_told_by_the_second(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, meal(person, MONDAY, 500))
    async with streaming(analytics, DAYS, person) as first:
        assert (await first.next())["revision"] == 1
    await tell(analytics, person, drink(person, MONDAY, 250))
    async with streaming(analytics, DAYS, person) as second:
        assert {"mealsLogged": 1, "waterMl": 250, "revision": 2}.items() <= (await second.next()).items()


async def test_a_stream_without_an_instant_looks_back_for_a_minute_and_no_further(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, meal(person, MONDAY, 500))
    await grow_older(analytics, person)
    await tell(analytics, person, drink(person, MONDAY + timedelta(days=1), 250))
    async with streaming(analytics, DAYS, person) as stream:
        assert (await stream.next())["date"] == "2026-03-03"


async def test_a_stream_goes_on_from_the_newest_state_that_a_client_has(
    analytics: SubgraphUnderTest, person: str
) -> None:
    tuesday = MONDAY + timedelta(days=1)
    await tell(analytics, person, drink(person, MONDAY, 250))
    async with streaming(analytics, DAYS, person) as stream:
        known = await stream.next()
    await tell(analytics, person, drink(person, tuesday, 300), meal(person, tuesday, 500))
    await tell(analytics, person, meal(person, MONDAY, 500))
    await grow_older(analytics, person)  # the client is away for long
    since = (await analytics.data('{ dailySummary(date: "2026-03-03") { freshness { asOf } } }', person))[
        "dailySummary"
    ]
    assert known["freshness"]["asOf"] > since["freshness"]["asOf"]
    async with streaming(analytics, DAYS, person, {"since": since["freshness"]["asOf"]}) as stream:
        told = [await stream.next() for _ in range(2)]
    assert [(each["date"], each["mealsLogged"]) for each in told] == [("2026-03-03", 1), ("2026-03-02", 1)]


async def test_wherever_streams_are_cut_no_last_state_is_missed(analytics: SubgraphUnderTest, person: str) -> None:
    """Days change further apart than a stream looks back behind its client's newest state: only the order saves them."""
    chooser, apart = random.Random(17), 2 * OVERLAP
    known: dict[str, int] = {}
    since, cut_short = datetime.now(UTC) - LOOK_BACK, 0
    for _ in range(20):
        for _ in range(chooser.randint(1, 6)):
            await grow_older(analytics, person, apart)
            since -= apart
            day = MONDAY + timedelta(days=chooser.randrange(8))
            await tell(analytics, person, meal(person, day, 500, number=next(_numbers)))
        right = await _revisions(analytics, person)
        missing = sum(known.get(day) != revision for day, revision in right.items())
        cut = missing - chooser.randint(1, missing)  # how many it still misses when its stream ends
        async with streaming(analytics, DAYS, person, {"since": since.isoformat()}) as stream:
            while missing > cut:
                told = await stream.next()
                missing -= known.get(told["date"]) != told["revision"]
                known[told["date"]] = told["revision"]
                since = datetime.fromisoformat(told["freshness"]["asOf"])
        cut_short += cut > 0
    assert cut_short > 5
    async with streaming(analytics, DAYS, person, {"since": since.isoformat()}) as stream:
        while known != right:
            told = await stream.next()
            known[told["date"]] = told["revision"]


async def test_many_changed_days_are_each_told_once_in_the_order_of_their_changes(
    analytics: SubgraphUnderTest, person: str
) -> None:
    days = [MONDAY + timedelta(days=offset) for offset in range(2 * DAYS_AT_ONCE + 1)]
    random.Random(3).shuffle(days)
    for first in range(0, len(days), 50):
        await tell(analytics, person, *[drink(person, day, 250) for day in days[first : first + 50]])
    async with streaming(analytics, DAYS, person) as stream:
        told = [await stream.next() for _ in days]
        assert {each["date"] for each in told} == {str(day) for day in days}
        instants = [each["freshness"]["asOf"] for each in told]
        assert instants == sorted(instants)
        await tell(analytics, person, meal(person, MONDAY, 500))
        await _announce(analytics, person)
        assert (await stream.next())["mealsLogged"] == 1


async def test_who_has_missed_too_much_is_told_to_read_anew(analytics: SubgraphUnderTest, person: str) -> None:
    days = [drink(person, MONDAY + timedelta(days=offset), 250) for offset in range(MOST_DAYS_MISSED + 1)]
    await tell(analytics, person, *days)
    async with streaming(analytics, DAYS, person, {"since": "2026-01-01T00:00:00Z"}) as stream:
        assert await stream.code() == "VALIDATION_ERROR"
    async with streaming(analytics, DAYS, person) as stream:  # it asked for nothing, and is refused nothing
        assert (await stream.next())["revision"] == 1


async def test_an_instant_to_come_counts_as_now(analytics: SubgraphUnderTest, person: str) -> None:
    async with streaming(analytics, DAYS, person, {"since": "2099-01-01T00:00:00Z"}) as stream:
        await tell(analytics, person, meal(person, MONDAY, 500))
        assert (await stream.next())["revision"] == 1


async def test_one_day_is_told_as_it_is_first(analytics: SubgraphUnderTest, person: str) -> None:
    async with streaming(analytics, ONE_DAY, person) as stream:
        assert await stream.next() == {"mealsLogged": 0, "revision": 0}
    await tell(analytics, person, meal(person, MONDAY, 500))
    await grow_older(analytics, person)
    async with streaming(analytics, ONE_DAY, person) as stream:
        assert await stream.next() == {"mealsLogged": 1, "revision": 1}
        await tell(analytics, person, meal(person, MONDAY, 300, number=2))
        await _announce(analytics, person)
        assert await stream.next() == {"mealsLogged": 2, "revision": 2}


async def test_what_is_achieved_between_two_streams_is_told_by_the_second(
    analytics: SubgraphUnderTest, person: str
) -> None:
    await tell(analytics, person, meal(person, MONDAY, 500))
    async with streaming(analytics, ACHIEVED, person) as stream:
        first = await stream.next()
        assert first["kind"] == "FIRST_MEAL"
    await tell(analytics, person, *[meal(person, MONDAY + timedelta(days=offset), 500) for offset in range(1, 7)])
    await grow_older(analytics, person)  # the client is away for long
    achieved = of_person("achievements { nodes { unlockedAt } }")
    kept = (await analytics.data(achieved, person, {"id": person}))["_entities"][0]["achievements"]["nodes"]
    since = min(each["unlockedAt"] for each in kept)
    async with streaming(analytics, ACHIEVED, person, {"since": since}) as stream:
        assert [(await stream.next())["kind"] for _ in range(2)] == ["FIRST_MEAL", "MEALS_7_DAYS"]


async def test_old_achievements_are_no_news_and_one_by_a_mutation_is(analytics: SubgraphUnderTest, person: str) -> None:
    await tell(analytics, person, meal(person, MONDAY, 500))
    await grow_older(analytics, person)
    await tell(analytics, person, workout(person, MONDAY, 300, 60), weighing(person, MONDAY, "79"))
    async with streaming(analytics, ACHIEVED, person) as stream:
        assert (await stream.next())["kind"] == "FIRST_WORKOUT"
        assert (await analytics.data(CREATE_GOAL, person))["createGoal"]["userErrors"] == []  # it is reached already
        assert (await stream.next())["kind"] == "FIRST_GOAL_REACHED"


async def test_a_goal_that_ended_between_two_streams_is_told_by_the_second(
    analytics: SubgraphUnderTest, person: str
) -> None:
    goal = (await analytics.data(CREATE_GOAL, person))["createGoal"]["goal"]
    async with streaming(analytics, GOALS, person) as stream:
        assert (await stream.next())["status"] == "ACTIVE"
    await tell(analytics, person, weighing(person, MONDAY, "79"))
    async with streaming(analytics, GOALS, person) as stream:
        assert await stream.next() == {"status": "COMPLETED", "currentValue": 79, "targetValue": 80}
        await analytics.data(ABANDON_GOAL, person, goal)
        assert (await stream.next())["status"] == "ABANDONED"  # though no day changed


async def test_a_router_that_subscribes_again_by_itself_passes_on_what_changed_meanwhile(
    analytics: SubgraphUnderTest, valkey: Valkey, person: str
) -> None:
    """It repeats the operation as it was sent, to whoever serves at the subgraph's address after a restart."""
    settings, port = replace(analytics.resources.settings, redis_url=valkey.url), free_port()
    source = WebSocketSource()
    url, body = f"http://127.0.0.1:{port}/graphql", orjson.dumps({"query": DAYS})
    request = SubgraphRequest("analytics", url, body, (("authorization", f"Bearer {sign_token(person)}"),))
    await tell(analytics, person, meal(person, MONDAY, 500))
    revisions: asyncio.Queue[int] = asyncio.Queue()

    async def listen() -> None:
        async for event in source.open(request):
            await revisions.put(event["data"]["dailySummaryChanged"]["revision"])

    async with asyncio.timeout(PATIENCE_SECONDS):
        async with serving(create_app(settings), port):
            listening = asyncio.create_task(listen())
            assert await revisions.get() == 1
        await tell(analytics, person, drink(person, MONDAY, 250))
        async with serving(create_app(settings), port):
            while await revisions.get() < 2:
                continue
    listening.cancel()
    await asyncio.wait([listening])
    await source.close()


async def _announce(analytics: SubgraphUnderTest, person: str) -> None:
    fanout = analytics.resources.fanout
    assert fanout is not None
    await fanout.publish([(f"day:{person}", "changed")])


async def _revisions(analytics: SubgraphUnderTest, person: str) -> dict[str, Any]:
    async with analytics.database.reading() as connection:
        rows = await connection.execute(
            text("SELECT local_date, revision FROM daily_summary WHERE user_id = :id"), {"id": person}
        )
        return {str(row.local_date): row.revision for row in rows}
