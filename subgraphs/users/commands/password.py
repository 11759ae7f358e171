"""Password hashes: argon2id with OWASP's parameters, in threads, a few at a time. Used by registration, sign-in and samples.

Whoever would have to wait for long is turned away at once: a crowd that signs in must not fill the memory with waiters.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from subgraphs.shell.errors import RateLimitedError

# OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane; about 30 ms.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
# argon2 releases the GIL: more at once than cores only adds memory and latency.
_AT_ONCE = asyncio.Semaphore(max(1, os.cpu_count() or 1))


MOST_WAITING = 200
_waiting = 0


@asynccontextmanager
async def _turn() -> AsyncIterator[None]:
    """Raises RateLimitedError where too many wait already: at 30 ms each, some seconds' worth."""
    global _waiting  # noqa: PLW0603 - one queue a process, as there is one set of cores
    if _waiting >= MOST_WAITING:
        raise RateLimitedError("Too many people sign in at this moment. Try again shortly.", retry_after_seconds=5)
    _waiting += 1
    try:
        async with _AT_ONCE:
            yield
    finally:
        _waiting -= 1


async def hash_password(password: str) -> str:
    """Raises RateLimitedError while too many wait for theirs."""
    async with _turn():
        return await asyncio.to_thread(_HASHER.hash, password)


async def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password fits. Without a hash it takes as long, so that nobody learns which addresses exist.

    Raises RateLimitedError while too many wait for theirs.
    """
    async with _turn():
        return await asyncio.to_thread(_verify, password_hash, password)


def needs_rehash(password_hash: str) -> bool:
    return _HASHER.check_needs_rehash(password_hash)


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        _HASHER.verify(password_hash or _nobodys_hash(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("a password that belongs to no account")
