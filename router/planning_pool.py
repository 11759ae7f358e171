"""Who may use the planning processes, and when: no caller keeps the others waiting for long, whatever it asks.

`loaded_graph` takes a turn for each operation that is too long for the event loop, and for those of callers whose many
short ones have come to too much (decision 0165).
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from bisect import insort
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from router.errors import PlanningTimeoutError
from router.planning_process import Job, PlanJob, PlanningProcess, PrepareJob

#: Whom work is done for: a subject or an address. None is the router itself.
Asker = str | None
#: Asked only where there is work to do.
NamesAsker = Callable[[], Asker]


def nobody() -> Asker:
    return None


#: Of jobs that took too long, and of callers that had work done, so many are remembered.
MAX_OVERRUNS = 256
MAX_ASKERS = 10_000
#: What a field of an operation that is planned is taken for, beside texts that are prepared.
CHARACTERS_PER_FIELD = 20


class Spent:
    """Seconds of work that callers had done for them lately: half of it is forgotten after half a minute."""

    HALF_LIFE_SECONDS = 30.0

    def __init__(self) -> None:
        self._spent: OrderedDict[Asker, tuple[float, float]] = OrderedDict()  # seconds, and when they were right

    def of(self, asker: Asker) -> float:
        seconds, at = self._spent.get(asker, (0.0, 0.0))
        return seconds * 0.5 ** ((time.monotonic() - at) / self.HALF_LIFE_SECONDS) if seconds else 0.0

    def add(self, asker: Asker, seconds: float) -> None:
        self._spent[asker] = (self.of(asker) + seconds, time.monotonic())
        self._spent.move_to_end(asker)
        if len(self._spent) > MAX_ASKERS:
            self._spent.popitem(last=False)


class PlanningPool:
    """Some processes; each caller may use all but one of them at a time, so that one is left for whoever comes next.

    A job that takes too long costs its process its life, and is remembered for a while: asked again it is refused at once.
    """

    def __init__(
        self,
        supergraph_sdl: str,
        spent: Spent | None = None,
        *,
        processes: int = 2,
        timeout_seconds: float = 10.0,
        idle_seconds: float = 60.0,
        remembered_seconds: float = 60.0,
    ) -> None:
        self._supergraph_sdl = supergraph_sdl
        self._timeout_seconds = timeout_seconds
        self._idle_seconds = idle_seconds
        self._turns = _Turns(processes, spent or Spent())
        self._overruns = _Overruns(remembered_seconds)
        self._free: list[PlanningProcess] = []
        self._busy: set[PlanningProcess] = set()

    @asynccontextmanager
    async def turn(self, job: Job, asker: Asker = None) -> AsyncIterator[PlanningProcess]:
        """A process for `job`, and for what is done with its outcome. Raises PlanningTimeoutError where no turn comes in
        time, or the block takes too long.
        """
        if self._overruns.has(job):
            raise self._too_long()
        await self._turns.begin(asker, job, self._timeout_seconds)
        process = self._free.pop() if self._free else PlanningProcess(self._supergraph_sdl, self._idle_seconds)
        self._busy.add(process)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield process
        except TimeoutError:
            self._overruns.add(job)
            raise self._too_long() from None
        finally:
            self._turns.end(asker, time.monotonic() - began)
            if process in self._busy:  # else the pool was closed meanwhile
                self._busy.discard(process)
                self._free.append(process)
            if not self._idle_seconds:
                process.close()

    def retire(self) -> None:
        """Ends each process as soon as it has no job; the next would start another."""
        self._idle_seconds = 0.0
        while self._free:
            self._free.pop().close()

    def close(self) -> None:
        """Ends the processes, whatever they do."""
        for process in (*self._free, *self._busy):
            process.close()
        self._free.clear()
        self._busy.clear()

    def _too_long(self) -> PlanningTimeoutError:
        return PlanningTimeoutError(
            f"The operation took longer than {self._timeout_seconds:g} s to plan. Make it smaller, or split it."
        )


@dataclass(order=True, slots=True)
class _Seat:
    """One who waits. The shortest job of a caller is next; of equal ones, whoever came first."""

    size: int
    number: int
    turn: asyncio.Future[None] = field(compare=False)


class _Turns:
    """So many at a time, of one caller one less; then it is the turn of whoever had the least done lately.

    Where too many wait, the longest job of whoever has the most of them waiting is sent away for a shorter one, or for
    one of a caller that has fewer: what one program asks too much of does not shut out its neighbours behind the same
    address (decision 0200).
    """

    MAX_WAITING = 256
    MAX_WAITING_EACH = 64

    def __init__(self, most: int, spent: Spent) -> None:
        self._most = most
        self._most_each = max(1, most - 1)
        self._spent = spent
        self._running: Counter[Asker] = Counter()
        self._waiting: dict[Asker, list[_Seat]] = {}  # callers in the order in which they came, their seats in theirs
        self._numbers = itertools.count()

    async def begin(self, asker: Asker, job: Job, seconds: float) -> None:
        """Returns when it is the caller's turn. Raises PlanningTimeoutError where too many wait, or for too long."""
        if self._running.total() < self._most and self._running[asker] < self._most_each:
            self._running[asker] += 1
            return
        seat = _Seat(_size(job), next(self._numbers), asyncio.get_running_loop().create_future())
        insort(self._waiting.setdefault(asker, []), seat)
        self._send_away(asker)
        try:
            async with asyncio.timeout(seconds):
                await seat.turn
        except TimeoutError:
            self._leave(asker, seat)
            raise _busy() from None
        except asyncio.CancelledError:
            self._leave(asker, seat)
            raise

    def end(self, asker: Asker, seconds: float) -> None:
        self._spent.add(asker, seconds)
        self._running[asker] -= 1
        if not self._running[asker]:
            del self._running[asker]
        self._admit()

    def _send_away(self, asker: Asker) -> None:
        """One of those who wait, where the newest seat, which is the caller's, is one too many."""
        if len(self._waiting[asker]) > self.MAX_WAITING_EACH:
            crowd = asker
        elif sum(map(len, self._waiting.values())) > self.MAX_WAITING:
            crowd = max(self._waiting, key=lambda each: len(self._waiting[each]))
        else:
            return
        longest = self._waiting[crowd].pop()
        if not self._waiting[crowd]:
            del self._waiting[crowd]
        if not longest.turn.done():
            longest.turn.set_exception(_busy())

    def _leave(self, asker: Asker, seat: _Seat) -> None:
        if seat.turn.done() and not seat.turn.cancelled() and seat.turn.exception() is None:
            self.end(asker, 0.0)  # it was given a turn in the same moment
            return
        with suppress(KeyError, ValueError):
            self._waiting[asker].remove(seat)
            if not self._waiting[asker]:
                del self._waiting[asker]

    def _admit(self) -> None:
        while self._running.total() < self._most:
            may = [asker for asker in self._waiting if self._running[asker] < self._most_each]
            if not may:
                return
            asker = min(may, key=self._spent.of)
            seat = self._waiting[asker].pop(0)
            if not self._waiting[asker]:
                del self._waiting[asker]
            if not seat.turn.done():
                self._running[asker] += 1
                seat.turn.set_result(None)


def _size(job: Job) -> int:
    """About how long the job is, in characters of a text that would say it."""
    if isinstance(job, PlanJob):
        return job.operation.selections.count() * CHARACTERS_PER_FIELD
    return len(job.text)


class _Overruns:
    """Jobs that took too long lately, by digest: the texts of many together would be long."""

    def __init__(self, remembered_seconds: float) -> None:
        self._remembered_seconds = remembered_seconds
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def add(self, job: Job) -> None:
        key = self._key(job)
        self._until[key] = time.monotonic() + self._remembered_seconds
        self._until.move_to_end(key)
        while len(self._until) > MAX_OVERRUNS:
            self._until.popitem(last=False)

    def has(self, job: Job) -> bool:
        return bool(self._until) and self._until.get(self._key(job), 0.0) > time.monotonic()

    @staticmethod
    def _key(job: Job) -> bytes:
        told: object = job
        if isinstance(job, PrepareJob):
            told = (job.text, job.operation_name, job.keep_incremental)
        elif isinstance(job, PlanJob):
            told = (hash(job.operation), job.override_labels)
        return hashlib.sha256(repr(told).encode()).digest()


def _busy() -> PlanningTimeoutError:
    return PlanningTimeoutError("The router is busy planning other long operations; try again later.")
