"""A barcode that nobody here knows is looked up at Open Food Facts, where an operator wants that, and its food is kept.

Off without OPEN_FOOD_FACTS_URL. Open Food Facts asks for a User-Agent that says who calls, and for at most 100 products a minute
from one address: what is beyond the setting is not asked and not found.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from router.bounded_cache import BoundedCache
from subgraphs.nutrition.commands.catalogue import merge_foods
from subgraphs.nutrition.domain.catalogue_food import CatalogueFood
from subgraphs.nutrition.domain.gtin import shortest_gtin
from subgraphs.nutrition.domain.open_food_facts import FIELDS, food_of_product
from subgraphs.shell.context import Resources
from subgraphs.shell.database import Database
from subgraphs.shell.settings import Settings

if TYPE_CHECKING:  # loaded only where products are looked up
    import aiohttp

_log = structlog.get_logger("subgraphs.nutrition.product_lookup")
KEPT_SECONDS = 6 * 3600
_MOST_KEPT = 10_000
_LARGEST_ANSWER_BYTES = 1 << 20
_REST_SECONDS = 30.0
_MINUTE = 60.0
_OWN = "product lookup"
# Not there, or a product of one of its sisters for cosmetics and pet food, to which it sends whoever asks.
_NO_FOOD = frozenset({302, 307, 404})


class NoAnswerError(Exception):
    """Open Food Facts was not asked, or did not answer: whether it knows the barcode is not known."""


@dataclass(slots=True, kw_only=True)
class ProductLookup:
    """One a process. Several who ask for one barcode are one request; what was answered is kept for up to six hours."""

    url: str
    user_agent: str
    timeout_seconds: float
    most_a_minute: int
    clock: Callable[[], float] = time.monotonic
    _asked: deque[float] = field(default_factory=deque)
    _rests_until: float = 0.0
    _answers: "BoundedCache[tuple[str, int], Answer]" = field(default_factory=lambda: BoundedCache(_MOST_KEPT))

    @classmethod
    def of(cls, settings: Settings) -> "ProductLookup | None":
        """None where nothing is to be asked."""
        if settings.open_food_facts_url is None:
            return None
        agent = f"FitTrackerPro/{version('fittracker-pro')} ({settings.open_food_facts_contact})"
        return cls(
            url=settings.open_food_facts_url.rstrip("/"),
            user_agent=agent,
            timeout_seconds=settings.open_food_facts_timeout_seconds,
            most_a_minute=settings.open_food_facts_per_minute,
        )

    async def food_id(self, gtin: str, database: Database, now: datetime) -> str | None:
        """The id of the food with this 14-digit barcode, which is in the catalogue then; None where there is none, or no answer."""
        window = int(self.clock() // KEPT_SECONDS)
        try:
            answer = await self._answers.get_or_compute((gtin, window), lambda: self._take(gtin, database, now))
        except NoAnswerError as error:
            _log.info("product not looked up", gtin=gtin, reason=str(error))
            return None
        return answer.food_id

    async def _take(self, gtin: str, database: Database, now: datetime) -> "Answer":
        food = await self._ask(gtin)
        if food is None:
            return Answer(None)
        async with database.transaction() as connection:
            await merge_foods(connection, [food], now)
        return Answer(food.id)

    async def _ask(self, gtin: str) -> CatalogueFood | None:
        """Raises NoAnswerError."""
        import aiohttp

        self._take_turn()
        address = f"{self.url}/api/v2/product/{shortest_gtin(gtin)}"
        timeout = aiohttp.ClientTimeout(total=self.timeout_seconds)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers={"user-agent": self.user_agent}) as session,
                session.get(address, params={"fields": ",".join(FIELDS)}, allow_redirects=False) as response,
            ):
                return await self._read(gtin, response)
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            self._rest()
            raise NoAnswerError(f"{type(error).__name__}: {error}") from error

    async def _read(self, gtin: str, response: "aiohttp.ClientResponse") -> CatalogueFood | None:
        """Raises NoAnswerError for what says nothing of the product, ValueError for what is no answer of the API's."""
        if response.status in _NO_FOOD:
            return None
        if response.status != 200:
            self._rest()
            raise NoAnswerError(f"status {response.status}")
        body = await response.content.read(_LARGEST_ANSWER_BYTES + 1)
        while not response.content.at_eof() and len(body) <= _LARGEST_ANSWER_BYTES:
            body += await response.content.read(_LARGEST_ANSWER_BYTES + 1 - len(body))
        if len(body) > _LARGEST_ANSWER_BYTES:
            raise ValueError("the answer is too large")
        product = _product_of(body)
        if product is None:
            return None
        food = food_of_product({**product, "code": gtin})
        if isinstance(food, str):
            _log.info("product not taken", gtin=gtin, reason=food)
            return None
        return food

    def _take_turn(self) -> None:
        """Raises NoAnswerError where a minute has no request left, or after a failure."""
        now = self.clock()
        if now < self._rests_until:
            raise NoAnswerError("it failed a moment ago")
        while self._asked and self._asked[0] <= now - _MINUTE:
            self._asked.popleft()
        if len(self._asked) >= self.most_a_minute:
            raise NoAnswerError(f"{self.most_a_minute} were asked for in this minute")
        self._asked.append(now)

    def _rest(self) -> None:
        self._rests_until = self.clock() + _REST_SECONDS


def product_lookup_of(resources: Resources) -> ProductLookup | None:
    """The process's own, made when it is first wanted."""
    if _OWN not in resources.own:
        resources.own[_OWN] = ProductLookup.of(resources.settings)
    lookup: ProductLookup | None = resources.own[_OWN]
    return lookup


def _product_of(body: bytes) -> Mapping[str, Any] | None:
    """None for an answer that tells of no product. Raises ValueError for what is no answer of the API."""
    told = orjson.loads(body)
    if not isinstance(told, dict) or "status" not in told:
        raise ValueError("this is no answer of the API's version 2")
    product = told.get("product")
    return product if told["status"] == 1 and isinstance(product, dict) else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was told of a barcode; None for a product that there is not, or that is no food."""

    food_id: str | None
