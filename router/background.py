"""One thread for work that is too long for the event loop and too close to this process's objects for another one.

`planning_process`, `loaded_graph` and `executor` give it what grows with an operation. A single thread on purpose: the
loop never waits for more than one other to let go of the interpreter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="router-background")


async def in_background(
    work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """The work's result; raises what it raises. Work must run Python code: one long call into C would hold the loop up."""
    return await asyncio.wrap_future(_thread.submit(work, *arguments, **named))


async def aside(
    is_long: bool, work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """The work's result: at once, or from the background where it is long."""
    return await in_background(work, *arguments, **named) if is_long else work(*arguments, **named)


def begin_in_background(work: Callable[Arguments, None], *arguments: Arguments.args, **named: Arguments.kwargs) -> None:
    """For work that nobody waits for."""
    _thread.submit(work, *arguments, **named)
