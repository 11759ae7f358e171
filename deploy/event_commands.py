"""What `fittracker events` does: lag, parked records, replay, rebuild and the check of projections with their sources."""

from __future__ import annotations

import asyncio
import importlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from prometheus_client import start_http_server

from deploy.databases import database_urls
from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError
from events import metrics
from events.audit import Audit, Difference
from events.consumer import Subscription, handle_parked
from events.parked import count_parked, discard, order_to_park, parked_ids, read_parked, replay
from events.progress import behind, unpublished
from events.relay import ClocksDisagreeError, begin_source_epoch
from events.sources import Sources
from subgraphs.shell.context import utc_now
from subgraphs.shell.database import Database

if TYPE_CHECKING:
    from deploy.terminal import Terminal
    from events.parked import ParkedRecord

_LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Rooms:
    """The databases by subgraph, and each consumer group's subscription with the subgraph whose it is."""

    databases: Mapping[str, Database]
    subscriptions: Mapping[str, tuple[str, Subscription]]

    def of(self, group: str) -> tuple[Subscription, Database]:
        """Raises FriendlyError for a group that nobody reads in."""
        if group not in self.subscriptions:
            raise FriendlyError(f"no consumer group is named {group}", f"there are {', '.join(self.subscriptions)}")
        name, subscription = self.subscriptions[group]
        return subscription, self.databases[name]

    @property
    def projecting(self) -> list[str]:
        """The groups whose tables can be compared and made anew. What others make, such as notifications, is told and done."""
        return [group for group, (_, subscription) in self.subscriptions.items() if subscription.rebuild is not None]

    def audit(self, group: str) -> Audit:
        """Raises FriendlyError for a group that has nothing to compare."""
        subscription, database = self.of(group)
        if group not in self.projecting:
            raise FriendlyError(f"{group} projects nothing", f"there are {', '.join(self.projecting)}")
        return Audit(subscription, database.writer, Sources({name: one.reader for name, one in self.databases.items()}))


@asynccontextmanager
async def open_rooms(data_dir: Path) -> AsyncIterator[Rooms]:
    """Over the databases that the environment names, else those of the stack that runs. Raises FriendlyError."""
    urls = database_urls(data_dir)
    subscriptions: dict[str, tuple[str, Subscription]] = {}
    for name in DOMAINS:
        for subscription_of in importlib.import_module(f"subgraphs.{name}.app").SUBGRAPH.consumers:
            subscription = subscription_of(None, utc_now)
            subscriptions[subscription.group] = (name, subscription)
    async with AsyncExitStack() as stack:
        databases = {name: Database(url, pool_size=4, name="events command") for name, url in urls.items()}
        for database in databases.values():
            stack.push_async_callback(database.close)
        yield Rooms(databases, subscriptions)


async def show_lag(data_dir: Path, terminal: Terminal) -> None:
    """What waits in each outbox, what each group has still to handle, and how many records are parked."""
    async with open_rooms(data_dir) as rooms:
        for name, database in rooms.databases.items():
            async with database.reading() as connection:
                waiting, age = await unpublished(connection)
            terminal.say(f"outbox {name}: {waiting} unpublished, the oldest for {age:.1f} s")
        engines = {name: database.reader for name, database in rooms.databases.items()}
        for group in rooms.subscriptions:
            subscription, database = rooms.of(group)
            late, age = await behind(subscription, database.reader, engines)
            async with database.reading() as connection:
                parked = (await count_parked(connection)).get(group, 0)
            terminal.say(f"group {group}: {late} behind, the oldest for {age:.1f} s; {parked:.0f} parked")


async def show_parked(group: str | None, data_dir: Path, terminal: Terminal) -> None:
    async with open_rooms(data_dir) as rooms:
        for each in [group] if group else list(rooms.subscriptions):
            _, database = rooms.of(each)
            async with database.reading() as connection:
                ids = await parked_ids(connection, each)
            terminal.say(f"{each}: {len(ids)} parked")
            async for record in read_parked(database.writer, ids):
                terminal.say(line_of_parked(record))


def line_of_parked(record: ParkedRecord) -> str:
    """A record for a terminal: whoever wrote it may have meant to write there."""
    event = record.envelope
    what = "no event" if event is None else f"{event.type} {event.aggregate.id} v{event.aggregate.version}"
    place = f"{record.topic} {record.partition} {record.offset}"
    reason = record.error.partition("\n")[0]
    return f"  {record.id}  {place}  {_shown(what)}  {record.attempts} attempts  {_shown(reason)}"


def _shown(told: str) -> str:
    """Not longer than anybody reads, and without controls."""
    short = told[:_LONGEST_SHOWN]
    return short if short.isprintable() else ascii(short)[1:-1]


async def replay_parked(group: str, ids: Sequence[int], data_dir: Path, terminal: Terminal) -> bool:
    """Handle parked records again, all or these, in order per key; whether all of them went well."""
    async with open_rooms(data_dir) as rooms:
        subscription, database = rooms.of(group)
        async with database.reading() as connection:
            wanted = [each for each in await parked_ids(connection, group) if not ids or each in ids]
        outcome = await replay(database.writer, wanted, partial(handle_parked, subscription))
    for what, found in (
        ("handled", outcome.handled),
        ("known in a newer version", outcome.superseded),
        ("failed again", outcome.failed),
        ("held back behind one of their key", outcome.held_back),
    ):
        terminal.say(f"{len(found)} {what}{': ' if found else ''}{', '.join(map(str, found))}")
    return not outcome.failed and not outcome.held_back


async def discard_parked(group: str, ids: Sequence[int], data_dir: Path, terminal: Terminal) -> None:
    async with open_rooms(data_dir) as rooms:
        _, database = rooms.of(group)
        async with database.transaction() as connection:
            known = set(await parked_ids(connection, group))
            gone = await discard(connection, [each for each in ids if each in known])
    terminal.say(f"{gone} discarded")


async def park(group: str, topic: str, partition: int, offset: int, data_dir: Path) -> None:
    """Let a group park the record at which it waits."""
    async with open_rooms(data_dir) as rooms:
        _, database = rooms.of(group)
        async with database.transaction() as connection:
            await order_to_park(connection, group, topic, partition, offset)


async def rebuild(group: str, users: Sequence[str], data_dir: Path, terminal: Terminal) -> None:
    """Make a group's projection anew from its sources, person by person, while everything goes on."""
    async with open_rooms(data_dir) as rooms:
        audit = rooms.audit(group)
        people = users or await audit.people()
        for user_id in people:
            await audit.rebuild(user_id)
    terminal.say(f"{group}: {len(people)} people made anew")


@dataclass(frozen=True, slots=True)
class Sampling:
    """`sample` people of each group at once, all of them where it is None; `every` seconds, once where it is None."""

    groups: Sequence[str]
    sample: int | None
    every: float | None
    metrics_port: int | None
    metrics_host: str = "127.0.0.1"


async def check(sampling: Sampling, data_dir: Path, terminal: Terminal) -> bool:
    """Compare projections with their sources and print what differs; whether nothing does. Ends only without `every`."""
    if sampling.metrics_port is not None:
        start_http_server(sampling.metrics_port, addr=sampling.metrics_host)
    async with open_rooms(data_dir) as rooms:
        while True:
            found = 0
            for group in sampling.groups or rooms.projecting:
                differences, looked_at = await _check_group(rooms.audit(group), sampling.sample)
                metrics.PROJECTION_DIFFERENCES.labels(group).set(len(differences))
                found += len(differences)
                terminal.say(f"{group}: {looked_at} people checked, {len(differences)} rows differ")
                for one in differences[:_LONGEST_SHOWN]:
                    terminal.say(f"  {one.user_id} {one.table}: has {one.found}, should have {one.expected}")
            if sampling.every is None:
                return found == 0
            await asyncio.sleep(sampling.every)


async def _check_group(audit: Audit, sample: int | None) -> tuple[list[Difference], int]:
    people = await audit.people()
    if sample is not None and sample < len(people):
        people = random.sample(people, sample)
    at_once = asyncio.Semaphore(2)  # of the pool's connections; the consumer waits for each person looked at

    async def look(user_id: str) -> list[Difference]:
        async with at_once:
            return await audit.differences_of(user_id)

    found = await asyncio.gather(*map(look, people))
    return [difference for each in found for difference in each], len(people)


async def begin_epoch(service: str, data_dir: Path, terminal: Terminal) -> None:
    """After a roll-back that nothing inside the database can tell, such as a file system's snapshot."""
    urls = database_urls(data_dir)
    if service not in urls:
        raise FriendlyError(f"no subgraph is named {service}", f"there are {', '.join(urls)}")
    connection = await asyncpg.connect(urls[service])
    try:
        epoch = await begin_source_epoch(connection)
    except ClocksDisagreeError as error:
        raise FriendlyError(str(error), "set the clock that is wrong, and give the command again") from None
    finally:
        await connection.close()
    terminal.say(f"{service}: epoch {epoch}; its whole state is told anew")
