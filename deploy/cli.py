"""The `fittracker` command: what each verb takes. What it does is in the module that it calls, imported only then."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import friendly
from deploy.terminal import Terminal

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="FitTracker Pro: four subgraphs, a composer and a federation router.",
)
schema_app = typer.Typer(no_args_is_help=True, help="The committed schema: export, compare, lint, check.")
app.add_typer(schema_app, name="schema")

DataDir = Annotated[Path, typer.Option(help="Where databases, logs and the development secret live.")]
DEFAULT_DATA_DIR = Path(".fittracker")


class SubgraphName(StrEnum):
    USERS = "users"
    NUTRITION = "nutrition"
    WORKOUTS = "workouts"
    ANALYTICS = "analytics"


class PlanFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    MERMAID = "mermaid"


@app.command()
def up(
    port: Annotated[int, typer.Option(help="The router's port; subgraphs follow it. 0: free ports for all.")] = 8080,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    sample_data: Annotated[bool, typer.Option(help="Load foods, exercises and five people the first time.")] = True,
    in_process: Annotated[
        bool, typer.Option("--in-process/--processes", help="Subgraphs inside the router's process, or each its own.")
    ] = False,
    watch: Annotated[bool, typer.Option(help="Restart and recompose when a subgraph's code changes.")] = True,
) -> None:
    """Start the whole platform and keep it running until Ctrl-C."""
    from deploy.stack import StackOptions
    from deploy.up import run_stack

    run_stack(StackOptions(data_dir, port, sample_data, in_process, watch), Terminal())


@app.command()
def subgraph(
    name: SubgraphName,
    port: Annotated[int | None, typer.Option(help="Default: 8081 users, 8082 nutrition, and so on.")] = None,
    host: str = "127.0.0.1",
) -> None:
    """Serve one subgraph; it reads DATABASE_URL_<NAME>, REDIS_URL, KAFKA_BOOTSTRAP_SERVERS and JWT_SECRET."""
    from deploy.serve import serve_subgraph

    serve_subgraph(name.value, host, port)


@app.command()
def router(
    sources: Annotated[list[str] | None, typer.Argument(help="To compose and serve, as `compose` takes them.")] = None,
    supergraph: Annotated[
        Path | None, typer.Option(help="Any join-spec supergraph; with sources, the file to compose them into.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Default: 8080.")] = None,
    config: Annotated[Path | None, typer.Option(help="A YAML file of router settings.")] = None,
    host: Annotated[str | None, typer.Option(help="Default: 127.0.0.1.")] = None,
    watch: Annotated[
        bool | None, typer.Option("--watch", help="Swap the graph when the file, or a source, changes.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the port. Default: 1.")] = None,
    dev: Annotated[bool | None, typer.Option("--dev", help="GraphiQL, query plans and full error texts.")] = None,
) -> None:
    """Serve any Federation 2 supergraph; needs no database."""
    from deploy.serve import serve_router

    serve_router(
        sources or [], config, supergraph=supergraph, host=host, port=port, watch=watch, workers=workers, dev=dev
    )


@app.command("in-process", hidden=True)
def in_process_command(
    config: Annotated[Path, typer.Option()], ports: Annotated[str, typer.Option(help="users=8081,nutrition=8082,...")]
) -> None:
    """Serve router and subgraphs from one process, as `up --in-process` does."""
    from deploy.in_process import serve_in_process

    serve_in_process(config, _read_ports(ports))


@app.command(hidden=True)
def migrate() -> None:
    """Bring the four databases to the present schema."""
    from deploy.prepare import migrate_all

    migrate_all()


@app.command(hidden=True)
def prepare(
    supergraph: Annotated[Path, typer.Option()],
    ports: Annotated[str, typer.Option(help="users=8081,nutrition=8082,...")],
) -> None:
    """Migrate the databases and compose the graph, as `up` does before anything serves."""
    from deploy.prepare import prepare as migrate_and_compose

    migrate_and_compose(_read_ports(ports), supergraph)


@app.command()
def compose(
    sources: Annotated[
        list[str], typer.Argument(help="NAME.graphql, NAME=FILE, NAME=URL, NAME=module:schema, supergraph.yaml.")
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Default: print it.")] = None,
    api: Annotated[Path | None, typer.Option(help="A file for the schema that clients see.")] = None,
    include: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Contract: show what has this @tag.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Contract: hide what has this @tag.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Errors, hints and supergraph as one JSON object.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Compose again whenever a source changes.")] = False,
) -> None:
    """Compose subgraphs into a supergraph, or into a contract variant of it; exit code 1 if they do not fit together."""
    from deploy.composition import Composing, compose_for_machines, compose_for_people

    asked = Composing(sources, output, api, tuple(include or ()), tuple(exclude or ()))
    if watch:
        if output is None or as_json or api or include or exclude:
            raise typer.BadParameter("--watch writes the whole supergraph: give it -o FILE and no other option")
        from deploy.source_watch import keep_composed

        keep_composed(sources, output, Terminal())
    elif not as_json:
        compose_for_people(asked, Terminal())
    elif not compose_for_machines(asked):
        raise typer.Exit(1)


@app.command()
def plan(
    operation: Annotated[Path, typer.Argument(help="A file with one operation, - for standard input.")],
    supergraph: Annotated[Path, typer.Option(help="Any join-spec supergraph.")],
    style: Annotated[PlanFormat, typer.Option("--format", help="How to print it.")] = PlanFormat.TEXT,
    operation_name: Annotated[str | None, typer.Option(help="Which, if the file has several.")] = None,
) -> None:
    """Print the query plan of an operation, and why each fetch exists."""
    from deploy.plan import print_plan

    print_plan(supergraph, operation, style.value, operation_name)


@app.command()
def explain(
    code: Annotated[str | None, typer.Argument(help="Such as SATISFIABILITY_ERROR; none lists all.")] = None,
) -> None:
    """Say what a composition error or hint means, and what to do."""
    from deploy.composition import explain_code

    explain_code(code, Terminal())


@app.command("sample-data")
def sample_data_command(
    users: Annotated[int, typer.Option(min=0, max=100_000, help="Synthetic people besides the five.")] = 0,
    days: Annotated[int, typer.Option(min=1, max=730, help="How many days of theirs.")] = 28,
    seed: Annotated[int, typer.Option(help="The same seed gives the same people.")] = 1,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Load foods, exercises and five people; loading again changes nothing."""
    from deploy.sample_data.load import load_sample_data

    load_sample_data(users, days, seed, data_dir, Terminal())


@app.command()
def doctor(data_dir: DataDir = DEFAULT_DATA_DIR, port: int = 8080) -> None:
    """Check this machine and the stack that runs on it; exit code 1 if something is wrong."""
    from deploy.doctor import examine

    if not examine(data_dir, port, Terminal()):
        raise typer.Exit(1)


@schema_app.command("export")
def schema_export(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail where a file is not current.")] = False,
) -> None:
    """Write the subgraphs' SDL and the supergraph composed of it into schema/."""
    from deploy.schema_export import export

    if not export(check_only=check, terminal=Terminal()):
        raise typer.Exit(1)


@schema_app.command("check")
def schema_check() -> None:
    """Fail where the committed schema is not what the code gives, or breaks clients of the last release."""
    schema_export(check=True)


@schema_app.command("release")
def schema_release() -> None:
    """Promise clients the committed schema: breaking changes are counted from here."""
    from deploy.schema_export import release

    release(Terminal())


@schema_app.command("diff")
def schema_diff(
    old: Annotated[Path, typer.Argument(help="A supergraph or API schema.")],
    new: Annotated[Path, typer.Argument(help="The same, later.")],
    operations: Annotated[Path | None, typer.Option(help="Recorded operations; unused fields weigh less.")] = None,
) -> None:
    """List breaking, dangerous and safe changes; exit code 1 if one breaks."""
    from deploy.schema_export import print_changes

    if not print_changes(old, new, operations, Terminal()):
        raise typer.Exit(1)


@schema_app.command("lint")
def schema_lint(
    files: Annotated[list[Path] | None, typer.Argument(help="SDL files. Default: schema/subgraphs/*.graphql.")] = None,
) -> None:
    """Report names and shapes that clients will regret."""
    from deploy.schema_export import lint

    if not lint(files, Terminal()):
        raise typer.Exit(1)


def _read_ports(text: str) -> dict[str, int]:
    """From `users=8081,nutrition=8082`."""
    return {name: int(port) for name, port in (pair.split("=") for pair in text.split(","))}


def run() -> None:
    """The console script: an error that a person can act on is a sentence, not a traceback."""
    try:
        app(standalone_mode=True)
    except Exception as error:
        told = friendly(error)
        if told is None:
            raise
        Terminal().fail(told.message, told.hint)
        sys.exit(told.exit_code)
