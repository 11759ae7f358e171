"""A continuous mixed load: people who write to three subgraphs, read from four and follow their days live, each one at a time.

Every answer is judged. Each write that was acknowledged is remembered, to be looked for at the end, and so is the last that
a subscriber was told of each day. `rollout` has it go on while everything is replaced.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from deploy.rehearsals.platform import FOODS, SIGN_IN, WEEK, ClosedUnheardError, Platform, comes

PAUSE_SECONDS = 0.2
COMES_BACK_SECONDS = 0.3  # a subscriber whose connection ended
SETTLE_SECONDS = 90.0
DRINK_ML = 10
DRINKS_A_DAY = 90  # a day has room for a hundred
VESSEL = "BOTTLE"

REGISTER = (
    "mutation Register($input: RegisterInput!) { register(input: $input) { accessToken userErrors { message } } }"
)
DRINK = """mutation Drink($input: LogWaterInput!) {
  logWater(input: $input) { drink { id localDate } userErrors { message } } }"""
DRINK_FROM = DRINK.replace("drink { id localDate }", "drink { id localDate vessel }")
WEIGH = (
    "mutation Weigh($input: LogWeightInput!) { logWeight(input: $input) { weightEntry { id } userErrors { message } } }"
)
TRAIN = (
    "mutation Train($input: LogWorkoutInput!) { logWorkout(input: $input) { workout { id } userErrors { message } } }"
)
DRINKS = "query Drinks { me { drinks(first: 5) { nodes { id amountMl } } } }"
DRINKS_FROM = "query DrinksFrom { me { drinks(first: 5) { nodes { id amountMl vessel } } } }"
PAGE = """query Page($after: String) { me { things: %s(first: 50, after: $after) {
  nodes { id } pageInfo { hasNextPage endCursor } } } }"""
LIVE = """subscription Live($since: DateTime) {
  dailySummaryChanged(since: $since) { date waterMl freshness { asOf } user { displayName } } }"""

_LISTS = ("drinks", "weights", "workouts")


@dataclass
class Person:
    """Somebody at work. `written` has the ids that were acknowledged, by the field of User that lists them."""

    name: str
    token: str = ""
    written: dict[str, Counter[str]] = field(default_factory=lambda: {each: Counter() for each in _LISTS})
    drunk: Counter[str] = field(default_factory=Counter)  # millilitres by local date, as acknowledged
    told: dict[str, int] = field(default_factory=dict)  # the same, as the subscription told it last


class PeopleAtWork:
    """`failures` is what any of them would have noticed. With `knows_vessels` half of them are clients of the newer release."""

    def __init__(self, platform: Platform, number: int) -> None:
        self._platform = platform
        self.people = [Person(f"Person {index}") for index in range(1, number + 1)]
        self.knows_vessels = False
        self.failures: list[str] = []
        self.times: list[float] = []  # seconds, of each request since they were cleared
        self.requests = 0
        self.returns = 0  # of subscribers whose connection ended
        self._with_vessels = 0  # requests of the newer clients that are under way
        self._writes = True
        self._started = datetime.now(UTC)

    async def register(self) -> None:
        """Raises KeyError where somebody is refused."""
        for person in self.people:
            email = f"{person.name.replace(' ', '-').lower()}-{time.time_ns()}@example.com"
            given = {**SIGN_IN, "email": email, "displayName": person.name, "timeZone": "UTC"}
            answer = await self._platform.ask(REGISTER, {"input": given})
            person.token = answer["data"]["register"]["accessToken"]

    @asynccontextmanager
    async def meanwhile(self) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as session:
            writing = [asyncio.create_task(self._write(person)) for person in self.people]
            others = [asyncio.create_task(self._read(person)) for person in self.people]
            others += [asyncio.create_task(self._follow(session, person)) for person in self.people]
            try:
                yield
                self._writes = False
                await asyncio.wait(writing)
                await comes(self._is_told, SETTLE_SECONDS)
            finally:
                for task in (*writing, *others):
                    task.cancel()
                ends = await asyncio.gather(*writing, *others, return_exceptions=True)
                self.failures += [f"{end!r}" for end in ends if isinstance(end, Exception)]

    async def forget_vessels(self) -> None:
        """From now on nobody asks for them; what was asked before is answered."""
        self.knows_vessels = False
        while self._with_vessels:
            await asyncio.sleep(0.02)

    async def misplaced(self) -> list[str]:
        """Of every acknowledged write, what is not there just once, in words, and what is there that nobody wrote."""
        found = []
        for person in self.people:
            for what, written in person.written.items():
                there = Counter(await self._all_of(person, what))
                found += [f"{what} of {person.name}: {each} is lost" for each in (written - there)]
                found += [f"{what} of {person.name}: {each} is doubled or nobody's" for each in (there - written)]
        return found

    @property
    def acknowledged(self) -> int:
        return sum(written.total() for person in self.people for written in person.written.values())

    @property
    def outdated(self) -> list[str]:
        """What subscribers were told last and is not so."""
        return [
            f"{person.name} on {day}: {person.told.get(day)} ml of {amount}"
            for person in self.people
            for day, amount in person.drunk.items()
            if person.told.get(day) != amount
        ]

    async def _is_told(self) -> bool:
        return not self.outdated

    async def _write(self, person: Person) -> None:
        number = 0
        steps: tuple[Callable[[Person, int], Awaitable[None]], ...] = (self._drink, self._weigh, self._train)
        while self._writes:
            await steps[number % len(steps)](person, number)
            number += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _drink(self, person: Person, number: int) -> None:
        is_newer = self.knows_vessels and number % 2 == 0
        at = self._started - timedelta(days=number // DRINKS_A_DAY)
        given = {"amountMl": DRINK_ML, "at": at.isoformat(), "idempotencyKey": f"drink-{number}"}
        self._with_vessels += is_newer
        try:
            if is_newer:
                made = await self._create(person, DRINK_FROM, given | {"vessel": VESSEL}, "logWater", "drink")
                if made is not None and made["vessel"] != VESSEL:
                    self.failures.append(f"a drink from {made['vessel']} in place of {VESSEL}")
            else:
                made = await self._create(person, DRINK, given, "logWater", "drink")
        finally:
            self._with_vessels -= is_newer
        if made is not None:
            person.written["drinks"][made["id"]] += 1
            person.drunk[made["localDate"]] += DRINK_ML

    async def _weigh(self, person: Person, number: int) -> None:
        given = {"weightKg": 60 + number % 1000 / 100, "idempotencyKey": f"weighing-{number}"}
        if (made := await self._create(person, WEIGH, given, "logWeight", "weightEntry")) is not None:
            person.written["weights"][made["id"]] += 1

    async def _train(self, person: Person, number: int) -> None:
        began = self._started - timedelta(hours=number + 1)
        given = {
            "name": "Run", "startedAt": began.isoformat(), "endedAt": (began + timedelta(minutes=30)).isoformat(),
            "idempotencyKey": f"workout-{number}",
        }  # fmt: skip
        if (made := await self._create(person, TRAIN, given, "logWorkout", "workout")) is not None:
            person.written["workouts"][made["id"]] += 1

    async def _create(
        self, person: Person, query: str, given: Mapping[str, Any], mutation: str, thing: str
    ) -> dict[str, Any] | None:
        """The thing that was made; None, and a failure, where it was not."""
        data = await self._ask(person, query, {"input": given})
        if data is None:
            return None
        payload = data[mutation] or {}
        if payload.get("userErrors") or not payload.get(thing):
            self.failures.append(json.dumps(payload)[:300])
            return None
        return dict(payload[thing])

    async def _read(self, person: Person) -> None:
        while True:
            for query in (WEEK, FOODS, DRINKS):
                await self._ask(person, query)
            if self.knows_vessels:
                self._with_vessels += 1
                try:
                    await self._ask(person, DRINKS_FROM)
                finally:
                    self._with_vessels -= 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(
        self, person: Person, query: str, variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """The data; None, and a failure, where there are errors or no answer."""
        started = time.monotonic()
        self.requests += 1
        try:
            answer = await self._platform.ask(query, variables, authorization=f"Bearer {person.token}")
        except (aiohttp.ClientError, OSError, ValueError, TypeError) as error:
            self.failures.append(f"{error!r} to {query[:40]}")
            return None
        self.times.append(time.monotonic() - started)
        if answer.get("errors") or not answer.get("data"):
            self.failures.append(f"{json.dumps(answer)[:300]} to {query[:40]}")
            return None
        return dict(answer["data"])

    async def _all_of(self, person: Person, what: str) -> list[str]:
        found: list[str] = []
        after = None
        while True:
            answer = await self._platform.ask(PAGE % what, {"after": after}, authorization=f"Bearer {person.token}")
            page = answer["data"]["me"]["things"]
            found += [node["id"] for node in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    async def _follow(self, session: aiohttp.ClientSession, person: Person) -> None:
        """As deploy/docs/front-ends.md asks of clients: whoever is sent away comes again, from where it stood."""
        since: str | None = None
        while True:
            try:
                operation = {"query": LIVE, "variables": {"since": since}}
                async with self._platform.subscribed(session, person.token, operation) as socket:
                    async for message in socket:
                        since = await self._take(socket, person, message.json()) or since
            except ClosedUnheardError:
                pass  # by a router that stops: it comes again, as the others whose connection ended
            except (aiohttp.ClientError, OSError, ValueError) as error:
                self.failures.append(f"{error!r} to a subscriber")
            self.returns += 1
            await asyncio.sleep(COMES_BACK_SECONDS)

    async def _take(
        self, socket: aiohttp.ClientWebSocketResponse, person: Person, message: dict[str, Any]
    ) -> str | None:
        """What one message says of a day, and since when it is so."""
        if message["type"] == "ping":
            await socket.send_json({"type": "pong"})
            return None
        if message["type"] == "complete":
            await socket.close()
            return None
        payload = message["payload"]
        if message["type"] != "next" or payload.get("errors"):
            self.failures.append(f"{json.dumps(message)[:300]} to a subscriber")
            return None
        day = payload["data"]["dailySummaryChanged"]
        person.told[day["date"]] = day["waterMl"]
        return str(day["freshness"]["asOf"])
