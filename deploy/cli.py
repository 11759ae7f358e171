"""The `fittracker` command: what each verb takes. What it does is in the module that it calls, imported only then."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_command

from deploy import attach_cli, operations_cli, people_cli
from deploy.events_cli import events_app
from deploy.foods_cli import foods_app
from deploy.friendly_exit import friendly_exit
from deploy.terminal import Terminal, say_as_a_service

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="FitTracker Pro: four subgraphs, a composer and a federation router.",
)
schema_app = typer.Typer(no_args_is_help=True, help="The committed schema: export, compare, lint, check.")
app.add_typer(schema_app, name="schema")
operations_cli.add_to(app)
attach_cli.add_to(app)
people_cli.add_to(app)
app.add_typer(events_app, name="events")
app.add_typer(foods_app, name="foods")

DataDir = Annotated[Path, typer.Option(help="Where databases, logs and the development secret live.")]
DEFAULT_DATA_DIR = Path(".fittracker")


HIGHEST_PORT = 65_535


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        print(f"fittracker {version('fittracker-pro')}, Python {sys.version.split()[0]}")
        raise typer.Exit


@app.callback()
def every_verb(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What is said before any verb."""


class SubgraphName(StrEnum):
    USERS = "users"
    NUTRITION = "nutrition"
    WORKOUTS = "workouts"
    ANALYTICS = "analytics"


class SubgraphVerb(StrEnum):
    SERVE = "serve"
    MIGRATE = "migrate"
    SDL = "sdl"
    RELAY = "relay"
    CONSUME = "consume"


class PlanFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    MERMAID = "mermaid"


class PlanStage(StrEnum):
    """As `router.stages` has them, which is not imported for `--help`."""

    API_SCHEMA = "api-schema"
    GRAPH = "graph"
    NORMALIZE = "normalize"
    CHOICES = "choices"
    FETCH_GRAPH = "fetch-graph"
    PLAN = "plan"


@app.command()
def up(
    port: Annotated[
        int,
        typer.Option(min=0, max=HIGHEST_PORT, help="The router's port; subgraphs follow it. 0: free ports for all."),
    ] = 8080,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    sample_data: Annotated[bool, typer.Option(help="Load foods, exercises and five people the first time.")] = True,
    in_process: Annotated[
        bool, typer.Option("--in-process/--processes", help="Subgraphs inside the router's process, or each its own.")
    ] = False,
    watch: Annotated[bool, typer.Option(help="Restart and recompose when a subgraph's code changes.")] = True,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(help="A page's origin that may call, besides those on localhost; may be repeated."),
    ] = None,
    host: Annotated[
        str,
        typer.Option(help="Where the router listens: 0.0.0.0 lets a phone of the same network in. Servers stay here."),
    ] = "127.0.0.1",
    config: Annotated[
        Path | None, typer.Option(help="Router settings in YAML that count more than those that are made here.")
    ] = None,
    scale: Annotated[
        list[str] | None, typer.Option(metavar="NAME=N", help="So many processes of a subgraph; may be repeated.")
    ] = None,
) -> None:
    """Start the whole platform and keep it running until Ctrl-C, which stops it with exit code 0, also while it starts."""
    from deploy.stack import StackOptions
    from deploy.up import run_stack

    options = StackOptions(
        data_dir,
        port=port,
        sample_data=sample_data,
        in_process=in_process,
        watch=watch,
        cors_origins=tuple(cors_origin or ()),
        scale=operations_cli.read_scale(scale or []),
        host=host,
        config=config,
    )
    run_stack(options, Terminal())


@app.command()
def subgraph(
    name: SubgraphName,
    verb: Annotated[SubgraphVerb, typer.Argument(help="What it is to do.")] = SubgraphVerb.SERVE,
    port: Annotated[
        int | None, typer.Option(min=0, max=HIGHEST_PORT, help="Default: 8081 users, 8082 nutrition, and so on.")
    ] = None,
    host: str = "127.0.0.1",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where `sdl` is written. Default: print it.")
    ] = None,
) -> None:
    """Run one subgraph; it reads DATABASE_URL_<NAME>, REDIS_URL, KAFKA_BOOTSTRAP_SERVERS and JWT_SECRET."""
    from deploy.serve import run_subgraph_verb, serve_subgraph

    if verb is not SubgraphVerb.SDL:
        say_as_a_service()
    if verb is SubgraphVerb.SERVE:
        serve_subgraph(name.value, host, port)
    else:
        run_subgraph_verb(name.value, verb.value, output)


@app.command()
def router(
    sources: Annotated[list[str] | None, typer.Argument(help="To compose and serve, as `compose` takes them.")] = None,
    supergraph: Annotated[
        Path | None, typer.Option(help="Any join-spec supergraph; with sources, the file to compose them into.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=HIGHEST_PORT, help="Default: 8080.")] = None,
    config: Annotated[Path | None, typer.Option(help="A YAML file of router settings.")] = None,
    host: Annotated[str | None, typer.Option(help="Default: 127.0.0.1.")] = None,
    watch: Annotated[
        bool | None, typer.Option("--watch", help="Swap the graph when the file, or a source, changes.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the port. Default: 1.")] = None,
    dev: Annotated[bool | None, typer.Option("--dev", help="GraphiQL, query plans and full error texts.")] = None,
    check_config: Annotated[
        bool, typer.Option("--check-config", help="Only read the settings and judge them.")
    ] = False,
    config_schema: Annotated[bool, typer.Option("--config-schema", help="Only print their JSON Schema.")] = False,
    config_reference: Annotated[
        bool, typer.Option("--config-reference", help="Only print all of them with their defaults, in Markdown.")
    ] = False,
) -> None:
    """Serve any Federation 2 supergraph; needs no database."""
    from deploy.serve import check_router_settings, print_settings_reference, print_settings_schema, serve_router

    if config_reference:
        print_settings_reference()
        return
    if config_schema:
        print_settings_schema()
        return
    if check_config:
        check_router_settings(
            config, supergraph=supergraph, host=host, port=port, watch=watch, workers=workers, dev=dev
        )
        return
    say_as_a_service()
    serve_router(
        sources or [], config, supergraph=supergraph, host=host, port=port, watch=watch, workers=workers, dev=dev
    )


@app.command("in-process", hidden=True)
def in_process_command(
    config: Annotated[Path, typer.Option()], ports: Annotated[str, typer.Option(help="users=8081,nutrition=8082,...")]
) -> None:
    """Serve router and subgraphs from one process, as `up --in-process` does."""
    from deploy.in_process import serve_in_process
    from deploy.subgraph_ports import ports_of

    serve_in_process(config, ports_of(ports))


@app.command(hidden=True)
def migrate() -> None:
    """Bring the four databases to the present schema."""
    from deploy.prepare import migrate_all

    say_as_a_service()
    migrate_all()


@app.command()
def compose(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="NAME.graphql, NAME=FILE, NAME=URL, NAME=URL=FILE, module:schema, NAME=module:schema, supergraph.yaml."
        ),
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Default: print it.")] = None,
    api: Annotated[Path | None, typer.Option(help="A file for the schema that clients see.")] = None,
    include: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Contract: show what has this @tag.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Contract: hide what has this @tag.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Errors, hints and supergraph as one JSON object.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Compose again whenever a source changes.")] = False,
) -> None:
    """Compose subgraphs into a supergraph, or into a contract variant of it; exit code 1 if they do not fit together."""
    from deploy.composition import check_for_people, compose_for_machines, compose_for_people
    from schema.verbs import Composing

    targets = (None, None) if check else (output, api)
    asked = Composing(sources, *targets, tuple(include or ()), tuple(exclude or ()))
    if watch:
        if output is None or as_json or api or include or exclude or check:
            raise typer.BadParameter("--watch writes the whole supergraph: give it -o FILE and no other option")
        from deploy.source_watch import keep_composed

        keep_composed(sources, output, Terminal())
    elif check and not as_json:
        check_for_people(asked, Terminal())
    elif not as_json:
        compose_for_people(asked, Terminal())
    elif not compose_for_machines(asked):
        raise typer.Exit(1)


@app.command()
def plan(
    operation: Annotated[Path, typer.Argument(help="A file with operations, - for standard input.")] = Path("-"),
    supergraph: Annotated[Path, typer.Option(help="Any join-spec supergraph.")] = ...,  # type: ignore[assignment]
    style: Annotated[PlanFormat, typer.Option("--format", help="How to print the plan.")] = PlanFormat.TEXT,
    operation_name: Annotated[str | None, typer.Option(help="Which, if the file has several.")] = None,
    stage: Annotated[PlanStage, typer.Option(help="Print what this stage makes of it.")] = PlanStage.PLAN,
    label: Annotated[list[str] | None, typer.Option(help="An active label of a progressive @override.")] = None,
    against: Annotated[Path | None, typer.Option(help="An older supergraph: print whose plans differ.")] = None,
    operations: Annotated[Path | None, typer.Option(help="Recorded operations, for --against.")] = None,
) -> None:
    """Print the query plan of an operation, and why each fetch exists; or an earlier stage on the way to it.

    With --against and --operations: the recorded operations whose plans a schema change changes; exit code 1 if one can no
    longer be planned.
    """
    from deploy.plan import print_plan_changes, print_stage

    if (against is None) != (operations is None):
        raise typer.BadParameter("--against and --operations go together")
    if against is not None and operations is not None:
        if not print_plan_changes(against, supergraph, operations, label or []):
            raise typer.Exit(1)
        return
    print_stage(
        stage.value, supergraph, operation, style=style.value, operation_name=operation_name, labels=label or []
    )


@app.command()
def explain(
    code: Annotated[str | None, typer.Argument(help="Such as SATISFIABILITY_ERROR; none lists all.")] = None,
    answers: Annotated[bool, typer.Option("--answers", help="List the codes of answers, not of composition.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page of all codes.")] = False,
) -> None:
    """Say what a code of composition or of an answer means, and what to do."""
    from deploy.explain import explain_code, list_answers, page_of_codes

    if markdown:
        print(page_of_codes(), end="")
    elif answers:
        list_answers(Terminal())
    else:
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


@schema_app.command("picture")
def schema_picture(
    supergraph: Annotated[Path, typer.Argument(help="A supergraph.")] = Path("schema/fittracker/supergraph.graphql"),
) -> None:
    """Print who has what of which entity, as a Mermaid flowchart for documentation."""
    from deploy.graph_mermaid import mermaid_of
    from router.supergraph import read_supergraph

    typer.echo(mermaid_of(read_supergraph(supergraph.read_text(encoding="utf-8"))), nl=False)


@schema_app.command("lint")
def schema_lint(
    files: Annotated[
        list[Path] | None, typer.Argument(help="SDL files. Default: schema/fittracker/subgraphs/*.graphql.")
    ] = None,
) -> None:
    """Report names and shapes that clients will regret."""
    from deploy.schema_export import lint

    if not lint(files, Terminal()):
        raise typer.Exit(1)


def whole_command() -> Callable[[], None]:
    """The console script with all its verbs: an error that a person can act on is a sentence, not a traceback."""
    command = get_command(app)

    def run() -> None:
        with friendly_exit():
            command(standalone_mode=True)

    return run
