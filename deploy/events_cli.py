"""The verbs of `fittracker events`: what each takes. `event_commands` does them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.terminal import Terminal, say_as_a_service

events_app = typer.Typer(no_args_is_help=True, help="The event pipeline: look at it, repair it.")

DataDir = Annotated[Path, typer.Option(help="Of the stack whose databases are meant, where none is named.")]
Group = Annotated[str, typer.Argument(help="A consumer group, such as analytics-service.")]
Passphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", help="A file with the passphrase that the files are encrypted with.")
]
DEFAULT_DATA_DIR = Path(".fittracker")


@events_app.command()
def lag(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """What waits in each outbox, what each group has still to handle, and what is parked."""
    from deploy.event_commands import show_lag

    asyncio.run(show_lag(data_dir, Terminal()))


@events_app.command()
def parked(
    group: Annotated[str | None, typer.Argument(help="Default: all groups.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List the records that could not be handled, and why."""
    from deploy.event_commands import show_parked

    asyncio.run(show_parked(group, data_dir, Terminal()))


@events_app.command()
def replay(
    group: Group,
    ids: Annotated[list[int] | None, typer.Argument(help="Of `parked`. Default: all.")] = None,
    discard: Annotated[bool, typer.Option("--discard", help="Strike these off instead; give their ids.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Handle parked records again, in order per key; exit code 1 if one fails."""
    from deploy.event_commands import discard_parked, replay_parked

    if discard:
        if not ids:
            raise typer.BadParameter("--discard needs the ids of the records")
        asyncio.run(discard_parked(group, ids, data_dir, Terminal()))
    elif not asyncio.run(replay_parked(group, ids or [], data_dir, Terminal())):
        raise typer.Exit(1)


@events_app.command()
def park(group: Group, topic: str, partition: int, offset: int, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Let a group park the record at which it waits: its log says which, as consumer_blocked."""
    from deploy.event_commands import park as order_to_park

    asyncio.run(order_to_park(group, topic, partition, offset, data_dir))


@events_app.command()
def rebuild(
    group: Group,
    user: Annotated[list[str] | None, typer.Option(help="Only this person.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a projection anew from its sources, while everything goes on."""
    from deploy.event_commands import rebuild as make_anew

    asyncio.run(make_anew(group, user or [], data_dir, Terminal()))


@events_app.command()
def check(
    group: Annotated[list[str] | None, typer.Argument(help="Default: all groups.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="People of each group. Default: all.")] = None,
    every: Annotated[float | None, typer.Option(min=1, help="Go on, with a pause of so many seconds.")] = None,
    metrics_port: Annotated[int | None, typer.Option(help="Serve the result to Prometheus.")] = None,
    metrics_host: Annotated[str, typer.Option(help="The address that serves it.")] = "127.0.0.1",
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Compare projections with their sources; exit code 1 if a row differs."""
    from deploy.event_commands import Sampling
    from deploy.event_commands import check as compare

    say_as_a_service()
    sampling = Sampling(group or [], sample, every, metrics_port, metrics_host)
    if not asyncio.run(compare(sampling, data_dir, Terminal())):
        raise typer.Exit(1)


@events_app.command("new-epoch")
def new_epoch(service: str, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """After a subgraph's database was rolled back by a snapshot: what it says now counts."""
    from deploy.event_commands import begin_epoch

    asyncio.run(begin_epoch(service, data_dir, Terminal()))


@events_app.command()
def topics(
    apply: Annotated[
        bool, typer.Option("--apply", help="Change retention and in-sync replicas to the settings'.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Topics as they are on the broker, and what differs from the settings; exit code 1 if something does."""
    from deploy.topic_commands import show_topics

    if not asyncio.run(show_topics(data_dir, Terminal(), apply=apply)):
        raise typer.Exit(1)


@events_app.command()
def grow(
    topic: Annotated[str, typer.Argument(help="Such as nutrition.diary.v1.")],
    partitions: Annotated[int, typer.Option(min=1, help="As many as it has then.")],
    wait_seconds: Annotated[float, typer.Option(min=1, help="For the groups to handle what is there.")] = 60,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Give a topic more partitions while everything runs; each key's records stay in order."""
    from deploy.topic_commands import grow_topic

    asyncio.run(grow_topic(topic, partitions, wait_seconds, data_dir, Terminal()))


@events_app.command()
def dump(
    topic: Annotated[list[str] | None, typer.Argument(help="Such as nutrition.diary.v1. Default: all of ours.")] = None,
    to: Annotated[Path, typer.Option(help="The folder that dumps are kept in.")] = Path("backups"),
    passphrase_file: Passphrase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write what topics hold into files with checksums: keys, values, headers, times, order and partition of each record."""
    from deploy.backup.encryption import read_passphrase
    from deploy.topic_commands import dump as dump_topics

    asyncio.run(dump_topics(topic or [], to, read_passphrase(passphrase_file), data_dir, Terminal()))


@events_app.command()
def load(
    folder: Annotated[Path, typer.Argument(help="What `dump` made.")],
    passphrase_file: Passphrase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Send a dump's records to the partitions they came from; into empty topics only, before any subgraph runs on the broker."""
    from deploy.backup.encryption import read_passphrase
    from deploy.topic_commands import load as load_topics

    asyncio.run(load_topics(folder, read_passphrase(passphrase_file), data_dir, Terminal()))
