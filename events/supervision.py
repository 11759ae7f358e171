"""Keep a loop running for ever: a failure is logged and the loop begins anew after a pause. Used by relay, consumer, fanout."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import structlog

_log = structlog.get_logger("events")

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
STEADY_AFTER_SECONDS = 30.0


async def keep_running(name: str, session: Callable[[], Awaitable[None]]) -> None:
    """Run `session` again whenever it ends or fails, until this task is cancelled.

    The pause doubles with each failure and starts over once a session has lasted a while.
    """
    pause = FIRST_PAUSE_SECONDS
    while True:
        started = time.monotonic()
        try:
            await session()
        except asyncio.CancelledError:
            raise
        except BaseExceptionGroup as failures:
            _log.warning("event_loop_restarts", loop=name, reason=_reasons(failures))
        except Exception as failure:
            _log.warning("event_loop_restarts", loop=name, reason=f"{type(failure).__name__}: {failure}")
        if time.monotonic() - started > STEADY_AFTER_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, hides nothing
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _reasons(failures: BaseExceptionGroup[BaseException]) -> str:
    return "; ".join(f"{type(failure).__name__}: {failure}" for failure in failures.exceptions)
