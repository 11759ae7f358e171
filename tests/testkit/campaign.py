"""A campaign: people write, correct, delete and watch while one part after the other fails; then everything is compared.

`python -m tests.testkit.campaign --faults 200 --results FOLDER`. On the embedded servers, or with `--servers real` on the
distribution's PostgreSQL and Redis and on Apache Kafka; either way behind links that can fail (`faulty_link`).
What must hold at the end: every acknowledged write is there once, every summary is the sum of what is there, every
projection is what its sources say, every subscriber has the last state, nothing is parked, every error was honest.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.data_directory import DataDirectory
from deploy.event_commands import Sampling, check, open_rooms
from deploy.terminal import Terminal
from events.parked import parked_ids, read_parked
from events.progress import behind, unpublished
from tests.testkit.campaign_faults import KINDS, LINKED, PARTS, Fault, inflict, planned
from tests.testkit.campaign_people import KCAL_PER_GRAM, Answers, Person
from tests.testkit.campaign_servers import Site, fillable, serving
from tests.testkit.campaign_watchers import KINDS_OF_WATCHERS, Watcher, watching
from tests.testkit.running_stack import RunningStack, eventually, running_stack

PEOPLE = 6
SETTLED_SECONDS = 120.0
# Few days, so that writes meet in the same summaries; more in a long campaign, for a day takes 50 meals only.
LEAST_DAYS = 3
FAULTS_A_DAY = 4
PAUSE_SECONDS = 0.15
# At most some fifty: a stream looks back for a minute.
AWAY_SECONDS = 0.3
LONGEST_LIST = 3
SUMMARY = """query($date: LocalDate!) {
  dailySummary(date: $date) { date mealsLogged caloriesConsumed waterMl weightKg revision }
}"""


@dataclass
class Result:
    """What a campaign did and found; `findings` is empty where all that was promised held."""

    seed: int
    servers: str  # embedded or real
    days: int
    pause_seconds: float
    away_seconds: float
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    acknowledged: int = 0
    things: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    subscribers: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


async def run(
    directory: Path,
    faults: Sequence[Fault],
    *,
    seed: int,
    stop_seconds: float,
    real: bool = False,
    days: int | None = None,
    pause_seconds: float = PAUSE_SECONDS,
    away_seconds: float = AWAY_SECONDS,
    say: Any = print,
) -> Result:
    """One campaign over a new platform in `directory`. A fault that lasts does so for at most `stop_seconds`.

    On many days with long pauses, no write covers what an earlier one lost; subscribers that stay away long when their
    stream ends come back after what was killed has caught up.
    """
    days = days or max(LEAST_DAYS, len(faults) // FAULTS_A_DAY)
    result, answers = Result(seed, "real" if real else "embedded", days, pause_seconds, away_seconds), Answers()
    began = time.monotonic()
    async with _platform(directory, real=real, seed=seed) as (stack, site):
        people = [
            await Person.enter(await stack.register(), answers, seed + number, days=days, pause_seconds=pause_seconds)
            for number in range(PEOPLE)
        ]
        watchers = [
            Watcher(person.visitor, transport, resumes=resumes, away_seconds=away_seconds, seed=seed + number)
            for number, (person, (resumes, transport)) in enumerate(zip(people, KINDS_OF_WATCHERS, strict=False))
        ]
        over = asyncio.Event()
        async with watching(watchers):
            using = [asyncio.create_task(person.use(over)) for person in people]
            try:
                await _inflict_all(stack, site, faults, stop_seconds, answers, result, say)
                over.set()
                for outcome in await asyncio.gather(*using, return_exceptions=True):
                    if isinstance(outcome, BaseException):
                        result.findings.append(f"somebody could not go on: {outcome!r}")
                await _compare(stack, directory, people, watchers, result, say)
            finally:
                for task in using:
                    task.cancel()
                await asyncio.gather(*using, return_exceptions=True)
    result.findings += answers.dishonest
    result.answers = dict(answers.codes.most_common())
    result.acknowledged = answers.acknowledged
    result.things = sum(len(person.things) for person in people)
    result.seconds = round(time.monotonic() - began, 1)
    result.subscribers = [f"{each}: {each.received} states, {each.connections} streams" for each in watchers]
    return result


@asynccontextmanager
async def _platform(directory: Path, *, real: bool, seed: int) -> AsyncIterator[tuple[RunningStack, Site]]:
    async with serving(directory.with_name("servers"), DataDirectory(directory), real=real, seed=seed) as site:
        settings = directory.with_name("router-settings.yaml")
        site.write_router_settings(settings)
        options = ("--no-sample-data", "--config", str(settings))
        async with running_stack(directory, *options, **site.environment) as stack:
            yield stack, site


async def _inflict_all(
    stack: RunningStack,
    site: Site,
    faults: Sequence[Fault],
    stop_seconds: float,
    answers: Answers,
    result: Result,
    say: Any,
) -> None:
    """One after the other, now and then the next before the last is over. Each is noted with what clients were told
    meanwhile, where that was no success.
    """
    chooser = random.Random(result.seed)
    await asyncio.sleep(1)
    for number, fault in enumerate(faults, 1):
        say(f"{number}/{len(faults)} {fault}")
        before = answers.codes.copy()
        try:
            await inflict(fault, stack, site, chooser.uniform(min(1.0, stop_seconds), stop_seconds))
        except (OSError, TimeoutError, KeyError) as error:
            # The part was not there to be cut, or another fault had just ended it.
            say(f"  not inflicted: {error!r}")
        await asyncio.sleep(chooser.choice((0.0, 0.5, 1.0, 1.5)))
        told = ", ".join(f"{count} {code}" for code, count in (answers.codes - before).items())
        result.faults.append(f"{fault}: {told}" if told else str(fault))


async def _compare(
    stack: RunningStack,
    directory: Path,
    people: Sequence[Person],
    watchers: Sequence[Watcher],
    result: Result,
    say: Any,
) -> None:
    say("comparing")
    try:
        await eventually(lambda: _settled(directory), seconds=SETTLED_SECONDS)
    except AssertionError:
        result.findings.append(f"events were still on their way after {SETTLED_SECONDS:g} s")
    expected: dict[tuple[str, str], dict[str, float]] = {}
    for person in people:
        expected |= await _compare_person(person, result)
    assert stack.state.router_url
    for watcher in watchers:
        for (email, date), numbers in expected.items():
            if email == watcher.visitor.email:
                await _compare_watcher(watcher, date, numbers, result)
    if not await check(Sampling([], None, None, None), directory, Terminal()):
        result.findings.append("a projection differs from its sources (fittracker events check)")
    async with open_rooms(directory) as rooms:
        for group in rooms.subscriptions:
            database = rooms.of(group)[1]
            async with database.reading() as connection:
                parked = read_parked(database.writer, await parked_ids(connection, group))
            result.findings += [f"{group} parked {record.topic}: {record.error}" async for record in parked]


async def _settled(directory: Path) -> bool:
    """Whether every event was published and handled."""
    try:
        async with open_rooms(directory) as rooms:
            engines = {name: database.reader for name, database in rooms.databases.items()}
            for database in rooms.databases.values():
                async with database.reading() as connection:
                    if (await unpublished(connection))[0]:
                        return False
            late = [
                await behind(rooms.of(group)[0], rooms.of(group)[1].reader, engines) for group in rooms.subscriptions
            ]
    except OSError:
        return False
    return not any(number for number, _ in late)


async def _compare_person(person: Person, result: Result) -> dict[tuple[str, str], dict[str, float]]:
    """What is there with what was acknowledged, and each day's summary with what is there."""
    days: defaultdict[str, dict[str, float]] = defaultdict(
        lambda: {"mealsLogged": 0, "caloriesConsumed": 0.0, "waterMl": 0}
    )
    for kind in ("meal", "drink", "weighing"):
        found = await person.found(kind)
        for thing in (each for each in person.things if each.kind == kind):
            amount = found.pop(thing.id, (None, None))[1]
            if amount not in thing.amounts:
                result.findings.append(f"{kind} {thing.id} is {amount} and was acknowledged as {thing.amounts}")
        result.findings += [f"{kind} {one} is there and nobody made it" for one in found]
        for date, amount in (await person.found(kind)).values():
            day = days[date]
            if kind == "meal":
                day["mealsLogged"] += 1
                day["caloriesConsumed"] = round(day["caloriesConsumed"] + KCAL_PER_GRAM * amount, 2)
            elif kind == "drink":
                day["waterMl"] += amount
    for date, numbers in days.items():
        summary = (await person.read(SUMMARY, {"date": date}))["dailySummary"]
        if any(round(summary[name], 2) != number for name, number in numbers.items()):
            result.findings.append(
                f"the summary of {person.visitor.email} on {date} is {summary} and should be {numbers}"
            )
    return {(person.visitor.email, date): numbers for date, numbers in days.items()}


async def _compare_watcher(watcher: Watcher, date: str, numbers: dict[str, float], result: Result) -> None:
    def has_last_state() -> bool:
        last = watcher.last_by_date.get(date, {})
        return all(round(last.get(name, -1), 2) == number for name, number in numbers.items())

    async def holds() -> bool:
        return has_last_state()

    try:
        await eventually(holds, seconds=10)
    except AssertionError:
        result.findings.append(
            f"a subscriber ({watcher}) was last told {watcher.last_by_date.get(date)} of {date}, not {numbers}"
        )


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """A new folder that Postgres' user can pass; gone at the end, unless it is to be kept. Raises FileExistsError."""
    with ExitStack() as until_the_end:
        folder = kept or Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="campaign-")))
        if kept is not None:
            folder.mkdir(parents=True)
        folder.chmod(0o711)
        yield folder


def _few(chosen: Sequence[str] | None, what: str) -> list[str]:
    """For a file's name: each where they are few, otherwise how many."""
    return list(chosen or ()) if len(chosen or ()) <= LONGEST_LIST else [f"{len(chosen or ())}-{what}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--faults", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--parts", nargs="+", choices=sorted({*PARTS, *LINKED}), help="what fails; by default everything"
    )
    parser.add_argument("--kinds", nargs="+", choices=KINDS, help="how it fails; by default in every way")
    parser.add_argument("--days", type=int, help="over how many days people write")
    parser.add_argument("--pause", type=float, default=PAUSE_SECONDS, help="the longest between two writes, in seconds")
    parser.add_argument(
        "--away", type=float, default=AWAY_SECONDS, help="how long a subscriber may stay away, in seconds"
    )
    parser.add_argument("--stop-seconds", type=float, default=4.0, help="the longest that a part is stopped for")
    parser.add_argument("--results", type=Path, help="a folder for a dated file of results")
    parser.add_argument("--keep", type=Path, help="a new folder that keeps the logs (data/logs, servers/servers.log)")
    parser.add_argument("--servers", choices=("embedded", "real"), default="embedded", help="on which servers")
    options = parser.parse_args()
    is_real = options.servers == "real"
    chosen = {"parts": options.parts, "kinds": options.kinds}
    given = {name: value for name, value in chosen.items() if value}
    faults = list(planned(options.faults, options.seed, **given, disks=fillable(real=is_real)))
    with _folder(options.keep) as folder:
        result = asyncio.run(
            run(
                folder / "data",
                faults,
                seed=options.seed,
                stop_seconds=options.stop_seconds,
                real=is_real,
                days=options.days,
                pause_seconds=options.pause,
                away_seconds=options.away,
            )
        )
    text = json.dumps(asdict(result), indent=2)
    print(text)
    if options.results:
        servers = [options.servers] if is_real else []
        what = "-".join(
            [f"{options.faults}-faults", *servers, *_few(options.parts, "parts"), *_few(options.kinds, "kinds")]
        )
        options.results.mkdir(parents=True, exist_ok=True)
        file = options.results / f"{datetime.now(UTC):%Y-%m-%d}-{what}-seed-{options.seed}.json"
        file.write_text(text + "\n", encoding="utf-8")
    raise SystemExit(1 if result.findings else 0)


if __name__ == "__main__":
    main()
