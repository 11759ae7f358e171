"""Entries and marks in Redis. Trouble of any kind is a miss, never an error, and rests the cache for a moment.

Only Redis's clock is compared. An entry is stamped with the time of the look-up that missed it, before its subgraph was
asked; a mark says until when what was asked before counts as old.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.settings import EntityCache as EntityCacheSettings

log = structlog.get_logger(__name__)

#: After trouble with Redis nothing is looked up for so long: a Redis that hangs must not hold up every request.
REST_SECONDS = 1.0
STAMP_LENGTH = 14

#: Key, body, tags, and the seconds for which it is good.
Entry = tuple[str, bytes, Sequence[str], int]

#: KEYS: the viewer's mark, the number of marks so far, entries. ARGV[1]: the prefix of tags' marks.
#: Returns seconds, microseconds, that number, whether the viewer's write may still be on its way, and each entry's age in
#: milliseconds with its body, or false. An entry is its stamp, the length of its tags, the tags by line, and the body.
LOOK_UP = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local viewer = tonumber(redis.call('GET', KEYS[1]) or 0)
local found = {t[1], t[2], tonumber(redis.call('GET', KEYS[2]) or 0), now <= viewer and 1 or 0}
local marks = {}
for i = 3, #KEYS do
  local entry = redis.call('GET', KEYS[i])
  local body = false
  if entry then
    local stamp = tonumber(string.sub(entry, 1, 14))
    local length = tonumber(string.sub(entry, 15, 22))
    local good = stamp > viewer
    if good then
      for tag in string.gmatch(string.sub(entry, 23, 22 + length), '[^\\n]+') do
        local mark = marks[tag]
        if mark == nil then
          mark = tonumber(redis.call('GET', ARGV[1] .. tag) or 0)
          marks[tag] = mark
        end
        if stamp <= mark then
          good = false
          break
        end
      end
    end
    if good then
      body = string.format('%08d', now - stamp) .. string.sub(entry, 23 + length)
    end
  end
  found[#found + 1] = body
end
return found
"""
#: KEYS: the number of marks, marks. ARGV: settling time and life of the marks, in milliseconds. A mark never goes back.
MARK = """
local t = redis.call('TIME')
local till = t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[1]
redis.call('INCR', KEYS[1])
for i = 2, #KEYS do
  if tonumber(redis.call('GET', KEYS[i]) or 0) < till then
    redis.call('SET', KEYS[i], string.format('%.0f', till), 'PX', ARGV[2])
  end
end
"""


@dataclass(frozen=True, slots=True)
class Found:
    """`bodies` are those of the keys asked for, None for a miss, with their ages in seconds."""

    bodies: list[tuple[bytes, float] | None]
    now_milliseconds: int
    marks: int  # how many were set so far: what was begun under another number may be old
    is_settling: bool  # the viewer wrote a moment ago


class EntityStore:
    """Shared by all requests of a process, and by all routers with one prefix."""

    def __init__(self, settings: EntityCacheSettings, redis: Redis) -> None:
        self.settings = settings
        self._redis = redis
        self._look_up = redis.register_script(LOOK_UP)
        self._mark = redis.register_script(MARK)
        self._resting_until = 0.0
        #: sources of changes that cannot be heard now: while there is one nothing kept is believed
        self.deaf_to: set[str] = set()
        self._prefix = f"{settings.key_prefix}:entity"

    async def look_up(self, viewer: str | None, keys: Sequence[str]) -> Found | None:
        """None where Redis does not answer, or nobody would hear of a change."""
        if self.deaf_to or time.monotonic() < self._resting_until:
            return None
        named = [self._viewer_key(viewer or ""), f"{self._prefix}:marks", *(f"{self._prefix}:{key}" for key in keys)]
        try:
            found = await self._look_up(keys=named, args=[f"{self._prefix}:mark:"])
        except (RedisError, OSError) as error:
            self._rest("entities_not_read", error)
            return None
        seconds, microseconds, marks, is_settling, *entries = found
        return Found(
            [None if entry is None else (entry[8:], int(entry[:8]) / 1000) for entry in entries],
            int(seconds) * 1000 + int(microseconds) // 1000,
            int(marks),
            bool(is_settling),
        )

    async def keep(self, entries: Sequence[Entry], started_milliseconds: int) -> None:
        """Of subgraphs that were asked after `started_milliseconds`, by Redis's clock."""
        stamp = str(started_milliseconds).zfill(STAMP_LENGTH).encode()
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key, body, tags, seconds in entries:
                    told = "\n".join(tags).encode()
                    entry = b"%b%08d%b%b" % (stamp, len(told), told, body)
                    if len(entry) <= self.settings.max_bytes:
                        pipeline.set(f"{self._prefix}:{key}", entry, ex=seconds)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            self._rest("entities_not_kept", error)

    async def mark(self, tags: Sequence[str], settling_seconds: float) -> None:
        """What was asked before now, or within `settling_seconds`, and has one of the tags is void. Raises RedisError or
        OSError: whoever tells of a change must know whether it was heard.
        """
        await self._set_marks([f"{self._prefix}:mark:{tag}" for tag in tags], settling_seconds)

    async def note_write(self, viewer: str | None) -> None:
        """After a mutation: its viewer reads past everything kept before now, and a little longer."""
        if viewer is None:
            return
        try:
            await self._set_marks([self._viewer_key(viewer)], self.settings.settling_seconds)
        except (RedisError, OSError) as error:
            self._rest("write_not_noted", error)

    async def _set_marks(self, keys: list[str], settling_seconds: float) -> None:
        settling = round(settling_seconds * 1000)
        life = self.settings.max_age_seconds * 1000 + settling + 1_000
        await self._mark(keys=[f"{self._prefix}:marks", *keys], args=[settling, life])

    def _viewer_key(self, viewer: str) -> str:
        return f"{self._prefix}:wrote:{sha256(viewer.encode()).hexdigest()}"

    def _rest(self, event: str, error: Exception) -> None:
        self._resting_until = time.monotonic() + REST_SECONDS
        log.warning(event, reason=repr(error))
