"""Counts attempts to sign in or register before they are judged, however many try at once, by account and by address.

So many are free; each further one has to wait twice as long, up to a longest wait. Counted in Redis for all processes, and
in this one where Redis does not answer.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, TypeVar

import structlog
from redis.exceptions import RedisError

from subgraphs.shell.errors import RateLimitedError

if TYPE_CHECKING:
    from redis.asyncio import Redis

_log = structlog.get_logger("users.attempts")

REDIS_SECONDS = 1.0
MOST_REMEMBERED = 10_000
KNOWN_SECONDS = 30 * 86_400
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Pace:
    """`free` attempts, then waits of up to `longest_wait` seconds. One is forgiven every `forgiven_after` seconds; with 0
    none is, but all are after twice the longest wait without any.
    """

    free: int
    longest_wait: int
    forgiven_after: int = 0

    @property
    def remembered_seconds(self) -> int:
        return max(2 * self.longest_wait, self.free * self.forgiven_after)


#: Of one account: somebody who guesses gets some hundred passwords a day.
GUESSES = Pace(free=10, longest_wait=900)
#: Of one address, whose owner may be an office: wrong ones only, some 120 an hour in the long run.
WRONG_FROM_ADDRESS = Pace(free=100, longest_wait=60, forgiven_after=30)
REGISTRATIONS_FROM_ADDRESS = Pace(free=30, longest_wait=900, forgiven_after=120)
#: Of one account, with the right password: each is a row that stays for weeks.
SESSIONS = Pace(free=1_000, longest_wait=600, forgiven_after=60)

#: Of one account: decisions about consents, each of which is a row.
CONSENTS = Pace(free=60, longest_wait=600, forgiven_after=60)

# KEYS: what is counted. ARGV: free, longest wait, seconds that forgive one, seconds to remember. Answers 0 for an attempt
# that counts now, else the seconds to wait.
_COUNT = """
local now = tonumber(redis.call('TIME')[1])
local allowed_at = tonumber(redis.call('HGET', KEYS[1], 'allowed_at') or 0)
if allowed_at > now then return allowed_at - now end
local count = tonumber(redis.call('HGET', KEYS[1], 'count') or 0)
local forgiven_after = tonumber(ARGV[3])
if forgiven_after > 0 then
    local since = now - tonumber(redis.call('HGET', KEYS[1], 'at') or now)
    count = math.max(0, count - since / forgiven_after)
end
count = count + 1
redis.call('HSET', KEYS[1], 'count', tostring(count), 'at', now)
local late = count - tonumber(ARGV[1])
if late >= 0 then
    redis.call('HSET', KEYS[1], 'allowed_at', now + math.ceil(math.min(2 ^ late, tonumber(ARGV[2]))))
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 0
"""
_TAKE_BACK = """
local count = tonumber(redis.call('HGET', KEYS[1], 'count') or 0)
if count > 0 then redis.call('HSET', KEYS[1], 'count', tostring(math.max(0, count - 1))) end
return 0
"""


async def count_attempt(redis: "Redis | None", subject: str, pace: Pace = GUESSES) -> None:
    """Count an attempt that is about to be judged. Raises RateLimitedError for one that comes too early."""

    async def count(redis: "Redis") -> int:
        numbers = (pace.free, pace.longest_wait, pace.forgiven_after, pace.remembered_seconds)
        return int(await redis.eval(_COUNT, 1, _key("attempts", subject), *numbers))

    wait = await _from(redis, "count", count)
    if wait is None:
        wait = _own.count(subject, pace)
    if wait > 0:
        raise RateLimitedError("Too many attempts. Try again later.", retry_after_seconds=wait)


async def forget_attempts(redis: "Redis | None", subject: str) -> None:
    """Whoever knew the password may be as forgetful as before."""
    _own.forget(subject)
    await _from(redis, "forget", lambda redis: redis.delete(_key("attempts", subject)))


async def take_back_attempt(redis: "Redis | None", subject: str) -> None:
    """The last one was right and counts for nothing; those before it still do."""
    _own.take_back(subject)
    await _from(redis, "take_back", lambda redis: redis.eval(_TAKE_BACK, 1, _key("attempts", subject)))


async def is_known(redis: "Redis | None", account: str, address: str) -> bool:
    """Whether somebody has signed in to the account from this address in the last 30 days."""
    return bool(await _from(redis, "is_known", lambda redis: redis.exists(_key("known", f"{account} {address}"))))


async def note_known(redis: "Redis | None", account: str, address: str) -> None:
    key = _key("known", f"{account} {address}")
    await _from(redis, "note_known", lambda redis: redis.set(key, 1, ex=KNOWN_SECONDS))


def counted_address(text: str | None) -> str | None:
    """What of a client's address is counted: of IPv6 the network of 64 bits, which is one customer's.

    None for what is no address, and for this machine's own: a proxy on it that nobody told the router of would make all
    people one.
    """
    try:
        address = ip_address(text or "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return None
    return str(IPv6Network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


class OwnAttempts:
    """What this process counts by itself: the same rules, for the 10,000 subjects that tried last."""

    def __init__(self) -> None:
        #: attempts, when the last one was, and when the next is allowed
        self._counts: OrderedDict[str, tuple[float, float, float]] = OrderedDict()

    def count(self, subject: str, pace: Pace = GUESSES) -> int:
        """0 for an attempt that counts now, else the seconds to wait."""
        now = time.monotonic()
        count, at, allowed_at = self._counts.pop(subject, (0.0, now, 0.0))
        if allowed_at > now:
            self._counts[subject] = (count, at, allowed_at)
            return max(1, round(allowed_at - now))
        forgiven = (now - at) / pace.forgiven_after if pace.forgiven_after else 0.0
        count = max(0.0, count - forgiven) + 1
        late = count - pace.free
        self._counts[subject] = (count, now, now + min(2.0**late, pace.longest_wait) if late >= 0 else 0.0)
        if len(self._counts) > MOST_REMEMBERED:
            self._counts.popitem(last=False)
        return 0

    def take_back(self, subject: str) -> None:
        if subject in self._counts:
            count, at, allowed_at = self._counts[subject]
            self._counts[subject] = (max(0.0, count - 1), at, allowed_at)

    def forget(self, subject: str) -> None:
        self._counts.pop(subject, None)


_own = OwnAttempts()


async def _from(redis: "Redis | None", what: str, ask: "Callable[[Redis], Awaitable[Answer]]") -> Answer | None:
    """What Redis answers; None where there is none, or it does not answer in time."""
    if redis is None:
        return None
    try:
        async with asyncio.timeout(REDIS_SECONDS):
            return await ask(redis)
    except (RedisError, OSError) as error:
        _log.warning("attempts_without_redis", what=what, reason=f"{type(error).__name__}: {error}")
        return None


def _key(kind: str, subject: str) -> str:
    """No e-mail or network address is kept in the clear."""
    return f"{kind}:{hashlib.sha256(subject.encode()).hexdigest()}"
