"""The verbs of `fittracker` that look into a running stack: psql, redis, kafka, logs, open. Added by `cli`."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.terminal import Terminal

DEFAULT_DATA_DIR = Path(".fittracker")
DataDir = Annotated[Path, typer.Option(help="Of the running stack that is meant.")]
Passed = Annotated[list[str] | None, typer.Argument(help="For the client, after --.")]


class Domain(StrEnum):
    """The subgraphs that have a database."""

    USERS = "users"
    NUTRITION = "nutrition"
    WORKOUTS = "workouts"
    ANALYTICS = "analytics"


class PageName(StrEnum):
    """As `attach.PAGES` has them, which is not imported for `--help`."""

    CONSOLE = "console"
    GRAPHIQL = "graphiql"
    DEMO = "demo"


def add_to(app: typer.Typer) -> None:
    """Registers every verb of this module."""
    app.command()(psql)
    app.command()(redis)
    app.command()(kafka)
    app.command()(logs)
    app.command("open")(open_)
    app.command()(mail)


def psql(
    domain: Annotated[Domain, typer.Argument(help="Whose database.")] = Domain.USERS,
    arguments: Passed = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Open psql on a subgraph's database."""
    from deploy.attach import open_psql

    open_psql(data_dir, domain.value, arguments or [])


def redis(arguments: Passed = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Open the client of the stack's Redis-compatible server."""
    from deploy.attach import open_redis

    open_redis(data_dir, arguments or [])


def kafka(arguments: Passed = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """List the stack's topics with kcat, or do what its arguments say: -- -C -t TOPIC -p 0 -o 0 -e."""
    from deploy.attach import open_kafka

    open_kafka(data_dir, arguments or [])


def logs(
    name: Annotated[str | None, typer.Argument(help="Such as router, users, postgres. Default: all.")] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is written, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the last, of each.")] = 20,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Print the last lines of the stack's logs."""
    from deploy.attach import print_logs

    with suppress(KeyboardInterrupt):
        print_logs(data_dir, name, lines, follow=follow, terminal=Terminal())


def mail(
    to: Annotated[str | None, typer.Option(help="Only what went to this address.")] = None,
    lines: Annotated[int, typer.Option("-n", "--newest", min=1, help="How many of the newest.")] = 3,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Print the mails that the stack sent, the newest last; with SMTP_URL they went to that server instead."""
    from deploy.attach import print_mails

    print_mails(data_dir, to, lines, Terminal())


def open_(
    page: Annotated[PageName, typer.Argument(help="Which page.")] = PageName.CONSOLE,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Open a page of the running stack in the browser; the console links to the others."""
    from deploy.attach import open_page

    open_page(data_dir, page.value, Terminal())
