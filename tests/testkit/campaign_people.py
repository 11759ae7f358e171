"""Writers, editors and deleters of a campaign: what each was told, and what must therefore be there at the end."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from tests.testkit.running_stack import Visitor

#: What a client may be told while parts are away; "no answer" is a connection that broke or a time that ran out.
HONEST = frozenset(
    {
        "UNAVAILABLE",
        "OUT_OF_MEMORY",
        "SERVICE_UNAVAILABLE",
        "SUBGRAPH_CIRCUIT_OPEN",
        "SUBGRAPH_ERROR",
        "SUBGRAPH_TIMEOUT",
        "SUBREQUEST_HTTP_ERROR",
        "PLANNING_TIMEOUT",
        "RATE_LIMITED",
        "no answer",
    }
)
HONEST_STATUS = frozenset({200, 429, 502, 503, 504})
PATIENCE_SECONDS = 120.0
#: A token lives for 900 seconds.
REFRESH_AFTER_SECONDS = 600.0

CREATE = {
    "meal": """mutation($input: LogMealInput!) { done: logMeal(input: $input) { userErrors { code } made: meal { id version } } }""",
    "drink": """mutation($input: LogWaterInput!) { done: logWater(input: $input) { userErrors { code } made: drink { id version } } }""",
    "weighing": """mutation($input: LogWeightInput!) { done: logWeight(input: $input) { userErrors { code } made: weightEntry { id } } }""",
}
UPDATE_MEAL = """mutation($input: UpdateMealInput!) {
  done: updateMeal(input: $input) { userErrors { code } made: meal { id version } }
}"""
DELETE = {
    "meal": "mutation($input: DeleteMealInput!) { done: deleteMeal(input: $input) { userErrors { code } deletedId } }",
    "drink": "mutation($input: DeleteWaterInput!) { done: deleteWater(input: $input) { userErrors { code } deletedId } }",
    "weighing": "mutation($input: DeleteWeightInput!) { done: deleteWeight(input: $input) { userErrors { code } deletedId } }",
}
VERSION = "query($id: ID!) { meal(id: $id) { version items { grams } } }"
PAGE = {
    "meal": "query($after: String) { me { page: meals(first: 100, after: $after) {"
    " pageInfo { hasNextPage endCursor } nodes { id localDate items { grams } } } } }",
    "drink": "query($after: String) { me { page: drinks(first: 100, after: $after) {"
    " pageInfo { hasNextPage endCursor } nodes { id localDate amountMl } } } }",
    "weighing": "query($after: String) { me { page: weights(first: 100, after: $after) {"
    " pageInfo { hasNextPage endCursor } nodes { id localDate weightKg } } } }",
}
KCAL_PER_GRAM = 3.5
FOOD = {"category": "GRAIN", "per100": {"energyKcal": 350, "proteinG": 10, "carbsG": 60, "fatG": 5}}
CREATE_FOOD = "mutation($input: CreateFoodInput!) { createFood(input: $input) { food { id } } }"


@dataclass
class Thing:
    """One thing that somebody made. `amounts` are those it may have now, None for gone: more than one if nobody was told."""

    kind: str
    id: str
    amounts: list[float | None]
    version: int | None = None


@dataclass
class Answers:
    """What clients of the campaign were told."""

    acknowledged: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    dishonest: list[str] = field(default_factory=list)

    def note(self, code: str, about: str, detail: Any = None) -> None:
        self.codes[code] += 1
        if code not in HONEST:
            self.dishonest.append(f"{code} for {about}: {detail}"[:500])


class RefusedError(Exception):
    """A refusal that is none of the servers' troubles; `code` is the client's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Person:
    """A signed-in visitor who writes, corrects and deletes until told to stop."""

    def __init__(
        self, visitor: Visitor, food_id: str, answers: Answers, seed: int, days: int, pause_seconds: float
    ) -> None:
        self.visitor = visitor
        self.things: list[Thing] = []
        self._food_id = food_id
        self._answers = answers
        self._random = random.Random(seed)
        self._days = days
        self._pause_seconds = pause_seconds
        self._keys = itertools.count()
        self._signed_in_at = time.monotonic()

    @classmethod
    async def enter(cls, visitor: Visitor, answers: Answers, seed: int, *, days: int, pause_seconds: float) -> Person:
        """`days`: over how many past days everything is spread; `pause_seconds`: the longest between two writes."""
        food = await visitor.data(CREATE_FOOD, {"input": {**FOOD, "name": f"Grain of {visitor.email}"}})
        return cls(visitor, food["createFood"]["food"]["id"], answers, seed, days, pause_seconds)

    async def use(self, over: asyncio.Event) -> None:
        while not over.is_set():
            alive = [thing for thing in self.things if thing.amounts != [None]]
            meals = [thing for thing in alive if thing.kind == "meal"]
            chance = self._random.random()
            if meals and chance < 0.25:
                await self._edit(self._random.choice(meals))
            elif len(alive) > 4 and chance < 0.4:
                await self._delete(self._random.choice(alive))
            else:
                await self._create(self._random.choice(list(CREATE)))
            await asyncio.sleep(self._random.uniform(0.02, self._pause_seconds))

    async def read(self, query: str, variables: Any = None) -> Any:
        """The data, however often it has to be asked for. Every answer on the way is noted."""
        return await self._insist(query, variables, "a read")

    async def found(self, kind: str) -> dict[str, tuple[str, float]]:
        """What the platform says that this person has: id -> (local date, amount)."""
        found: dict[str, tuple[str, float]] = {}
        after: str | None = None
        while True:
            page = (await self.read(PAGE[kind], {"after": after}))["me"]["page"]
            for node in page["nodes"]:
                assert node["id"] not in found, f"{node['id']} is there twice"
                found[node["id"]] = (node["localDate"], _amount(kind, node))
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    async def _create(self, kind: str) -> None:
        amount = float(self._random.randint(50, 400))
        at = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(
            days=self._random.randint(1, self._days), seconds=self._random.randint(0, 3600)
        )
        when: dict[str, Any] = {"idempotencyKey": f"{kind}-{next(self._keys)}"}
        if kind == "meal":
            when |= {"slot": "LUNCH", "at": at.isoformat(), "items": [{"foodId": self._food_id, "grams": amount}]}
        elif kind == "drink":
            when |= {"at": at.isoformat(), "amountMl": int(amount)}
        else:
            when |= {"recordedAt": at.isoformat(), "weightKg": amount}
        # With its key it is repeated until somebody says that it is done, as a phone would.
        made = (await self._insist(CREATE[kind], {"input": when}, f"create {kind}"))["done"]["made"]
        self.things.append(Thing(kind, made["id"], [amount], made.get("version")))
        self._answers.acknowledged += 1

    async def _edit(self, meal: Thing) -> None:
        """Once, from the version that was seen last.

        What was not acknowledged may have been done, or is done yet: an earlier edit then refuses this one as stale, and a
        deletion, which names no version, leaves nothing to edit now or takes the edited meal away afterwards.
        """
        grams = float(self._random.randint(50, 400))
        change = {
            "id": meal.id,
            "expectedVersion": meal.version,
            "items": [{"foodId": self._food_id, "grams": grams}],
        }
        try:
            made = (await self._once(UPDATE_MEAL, {"input": change}, "edit a meal"))["done"]["made"]
        except RefusedError as refusal:
            if refusal.code == "STALE_VERSION" and len(meal.amounts) > 1:
                await self._look_again(meal)
            elif refusal.code in HONEST:
                meal.amounts.append(grams)
                await self._look_again(meal)
            elif refusal.code == "NOT_FOUND" and None in meal.amounts:
                meal.amounts = [None]
            else:
                self._answers.note(refusal.code, "edit a meal", meal)
        else:
            meal.amounts = [grams, *(None for amount in meal.amounts if amount is None)]
            meal.version = made["version"]
            self._answers.acknowledged += 1

    async def _look_again(self, meal: Thing) -> None:
        seen = (await self.read(VERSION, {"id": meal.id}))["meal"]
        if seen is None:
            assert None in meal.amounts, f"{meal} is gone"
            meal.amounts = [None]
            return
        assert _amount("meal", seen) in meal.amounts, f"{meal} is {seen}"
        meal.version = seen["version"]

    async def _delete(self, thing: Thing) -> None:
        try:
            await self._once(DELETE[thing.kind], {"input": {"id": thing.id}}, f"delete {thing.kind}")
        except RefusedError as refusal:
            if refusal.code in HONEST:
                thing.amounts.append(None)
                return
            if refusal.code != "NOT_FOUND" or None not in thing.amounts:
                self._answers.note(refusal.code, f"delete {thing.kind}", thing)
                return
        thing.amounts = [None]
        self._answers.acknowledged += 1

    async def _insist(self, query: str, variables: Any, about: str) -> Any:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while True:
            try:
                return await self._once(query, variables, about)
            except RefusedError as refusal:
                code = refusal.code
            if code not in HONEST:
                self._answers.note(code, about)
            assert loop.time() < deadline, f"{about}: {code} for {PATIENCE_SECONDS:g} s"
            await asyncio.sleep(0.2)

    async def _once(self, query: str, variables: Any, about: str) -> Any:
        """The data. Raises RefusedError with the first code otherwise; honest ones are noted."""
        code, detail = "no answer", None
        await self._stay_signed_in()
        try:
            status, answer = await self.visitor.stack.post(
                {"query": query, "variables": variables}, authorization=f"Bearer {self.visitor.access_token}"
            )
        except (aiohttp.ClientError, OSError):
            pass
        except ValueError as error:  # no JSON
            code, detail = "not JSON", repr(error)
        else:
            errors = answer.get("errors") or []
            refusals = (answer.get("data") or {}).get("done") or {}
            if status not in HONEST_STATUS:
                code, detail = f"status {status}", answer
            elif errors:
                codes = [(error.get("extensions") or {}).get("code", "no code") for error in errors]
                code, detail = next((each for each in codes if each not in HONEST), codes[0]), errors
            elif refused := refusals.get("userErrors"):
                code, detail = refused[0]["code"], refused
            else:
                return answer["data"]
        if code in HONEST:
            self._answers.note(code, about)
        elif code not in ("STALE_VERSION", "NOT_FOUND"):
            self._answers.note(code, about, detail)
            code = f"{code} (noted)"
        raise RefusedError(code)

    async def _stay_signed_in(self) -> None:
        """A third of a token's life is left for it, whatever fails meanwhile; what is refused after that is a finding."""
        if time.monotonic() - self._signed_in_at > REFRESH_AFTER_SECONDS:
            with suppress(aiohttp.ClientError, OSError, ValueError, KeyError):
                await self.visitor.refresh()
                self._signed_in_at = time.monotonic()


def _amount(kind: str, node: Any) -> float:
    if kind == "meal":
        (item,) = node["items"]
        return float(item["grams"])
    return float(node["amountMl" if kind == "drink" else "weightKg"])
