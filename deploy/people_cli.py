"""The verbs of `fittracker` for a person who uses the platform: what is theirs, out of it and in again. Added by `cli`."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.errors import FriendlyError
from deploy.terminal import Terminal

if TYPE_CHECKING:
    from deploy.personal_data.graph_client import Credentials

DEFAULT_DATA_DIR = Path(".fittracker")
LOCAL_GRAPH = "http://127.0.0.1:8080/graphql"
Url = Annotated[
    str | None,
    typer.Option(
        help=f"The graph's address, which ends in /graphql. Default: of the stack that runs here, or {LOCAL_GRAPH}."
    ),
]
Email = Annotated[str | None, typer.Option(help="Of the account; the password is asked for.")]
PasswordFile = Annotated[Path | None, typer.Option(help="A file with the password, in place of the question.")]
TokenFile = Annotated[
    Path | None, typer.Option(help="A file with an access token, in place of --email; it is not renewed.")
]


class Units(StrEnum):
    """What `--units` takes."""

    METRIC = "metric"
    IMPERIAL = "imperial"


def add_to(app: typer.Typer) -> None:
    """Registers every verb of this module."""
    app.command("export")(export)
    app.command("import")(import_)
    app.command("move")(move)


def export(
    to: Annotated[Path, typer.Argument(help="A new folder, or one of an export that was cut off: it goes on.")],
    email: Email = None,
    url: Url = None,
    password_file: PasswordFile = None,
    token_file: TokenFile = None,
) -> None:
    """Fetch everything that the platform keeps about you, as JSON Lines and CSV."""
    from deploy.personal_data.export import export as fetch

    credentials, token = _signing_in(email, password_file, token_file)
    folder = asyncio.run(fetch(to, url or _graph_here(), credentials=credentials, token=token, terminal=Terminal()))
    Terminal().say(f"everything is in {folder.path}")


def import_(
    path: Annotated[Path, typer.Argument(help="A whole export of another account, or what another app exported.")],
    email: Email = None,
    url: Url = None,
    password_file: PasswordFile = None,
    token_file: TokenFile = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Of the clocks in another app's files. Left out: your account's.")
    ] = None,
    units: Annotated[
        Units | None,
        typer.Option(help="Of the weights and distances in another app's files. Left out: your account's."),
    ] = None,
) -> None:
    """Make what an export, or another app's export, holds in your account; the second time adds nothing.

    Exit code 1 if something is refused or cannot be read.
    """
    from deploy.personal_data.folder import MANIFEST, is_export
    from deploy.personal_data.import_folder import import_folder, import_from_app, import_zip
    from deploy.personal_data.import_report import told
    from deploy.personal_data.sources.archive import Archive
    from subgraphs.shell.calendar import is_time_zone

    if time_zone is not None and not is_time_zone(time_zone):
        raise typer.BadParameter("--time-zone wants a name such as Europe/Berlin")
    credentials, token = _signing_in(email, password_file, token_file)
    terminal, url = Terminal(), url or _graph_here()
    if is_export(path):
        work = import_folder(path, url, credentials=credentials, token=token, terminal=terminal)
    elif MANIFEST in (archive := Archive(path)):
        work = import_zip(archive, url, credentials=credentials, token=token, terminal=terminal)
    else:
        named = None if units is None else units.value.upper()
        work = import_from_app(
            archive, url, credentials=credentials, token=token, terminal=terminal, time_zone=time_zone, units=named
        )
    report = asyncio.run(work)
    for line in told(report):
        terminal.say(line)
    if report.refused or report.reading.skipped:
        raise typer.Exit(1)


def move(
    folder: Annotated[Path, typer.Argument(help="A new folder for the export and what it is compared with.")],
    email: Annotated[str, typer.Option(help="Of the account; the password is asked for.")],
    leaving: Annotated[str, typer.Option("--from", help="The graph of the cell that is left, ending in /graphql.")],
    arriving: Annotated[str, typer.Option("--to", help="The graph of the other cell.")],
    password_file: PasswordFile = None,
    erase: Annotated[bool, typer.Option("--erase", help="Erase the first account when all of it has arrived.")] = False,
    despite_refusals: Annotated[
        bool, typer.Option("--despite-refusals", help="Also where something was refused, which is lost then.")
    ] = False,
) -> None:
    """Take a person from one cell to another: export, import, comparison, and with --erase the erasure of what was left.

    Exit code 1 if something is refused.
    """
    from deploy.cells.moving import move as carry

    credentials, _ = _signing_in(email, password_file, None)
    assert credentials is not None
    terminal = Terminal()
    moved = asyncio.run(
        carry(
            folder,
            credentials,
            leaving=leaving,
            arriving=arriving,
            erase=erase,
            despite_refusals=despite_refusals,
            terminal=terminal,
        )
    )
    for refusal in moved.refused:
        terminal.say(f"refused: {refusal}")
    terminal.say(f"{moved.former_id} is {moved.new_id} there")
    if moved.is_erased:
        terminal.say(f"erased; in the cell that was left, `fittracker traces {moved.former_id}` proves it")
    else:
        terminal.say("nothing is erased")
    if moved.refused:
        raise typer.Exit(1)


def _graph_here() -> str:
    """Of the stack that runs over the usual data directory, or where one would be."""
    from deploy.data_directory import DataDirectory

    state = DataDirectory(DEFAULT_DATA_DIR).read_state()
    return LOCAL_GRAPH if state is None else state.router_url


def _signing_in(
    email: str | None, password_file: Path | None, token_file: Path | None
) -> tuple[Credentials | None, str | None]:
    """Credentials or an access token. Raises BadParameter for neither and for both."""
    from deploy.personal_data.graph_client import Credentials

    if (email is None) == (token_file is None):
        raise typer.BadParameter("either --email or --token-file is wanted")
    if token_file is not None:
        return None, _content(token_file)
    assert email is not None
    return Credentials(email, _password(password_file), lambda: typer.prompt("Code of the second factor")), None


def _password(file: Path | None) -> str:
    if file is not None:
        return _content(file)
    told: str = typer.prompt("Password", hide_input=True)
    return told


def _content(file: Path) -> str:
    """Raises FriendlyError for an empty file."""
    text = file.read_text(encoding="utf-8").strip()
    if not text:
        raise FriendlyError(f"{file} is empty", "what is asked for is wanted in it")
    return text
