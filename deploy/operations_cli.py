"""The operator's verbs of `fittracker`: backups, database views, pool sizes, secrets, processes. Added to the command line by `cli`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.errors import FriendlyError
from deploy.terminal import Terminal, say_as_a_service

DEFAULT_DATA_DIR = Path(".fittracker")
DataDir = Annotated[
    Path, typer.Option(help="Of the running stack whose databases are meant, where the environment names none.")
]
Passphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", help="A file with the passphrase that dumps are encrypted with.")
]


def add_to(app: typer.Typer) -> None:
    """Registers every verb of this module."""
    app.command()(backup)
    app.command()(restore)
    app.command("verify-backup")(verify_backup)
    app.command("db")(db)
    app.command()(sizing)
    app.command()(capacity)
    app.command("secrets")(secrets)
    app.command()(certificates)
    app.command()(roles)
    app.command()(traces)
    app.command()(scale)
    app.command()(roll)
    app.command()(sbom)
    app.command("scan-dependencies")(scan_dependencies)
    app.command("cell-router")(cell_router)


def backup(
    to: Annotated[Path, typer.Option(help="The folder that backups are kept in.")] = Path("backups"),
    keep_days: Annotated[int, typer.Option(min=1, help="Older ones are removed after success; the newest never.")] = 30,
    passphrase_file: Passphrase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Dump the four databases, with checksums and row counts; exit code 1 and nothing left behind where one fails."""
    from deploy.backup.create import create_backup
    from deploy.backup.encryption import read_passphrase
    from deploy.databases import database_urls

    folder = create_backup(
        database_urls(data_dir), to, passphrase=read_passphrase(passphrase_file), keep_days=keep_days
    )
    Terminal().say(str(folder))


def restore(
    folder: Annotated[Path, typer.Argument(help="A backup, or the folder of backups for its newest.")],
    domain: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated. Default: all four.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Although other connections use the databases.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    passphrase_file: Passphrase = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Put a backup in the place of the present databases; each is replaced whole or not at all."""
    from deploy.backup.encryption import read_passphrase
    from deploy.backup.manifest import read_manifest
    from deploy.backup.restore import require_passphrase, restore_backup
    from deploy.databases import reachable_databases
    from deploy.embedded import DOMAINS

    chosen = tuple(domain or DOMAINS)
    if unknown := set(chosen) - set(DOMAINS):
        raise FriendlyError(f"no such domain: {', '.join(sorted(unknown))}", f"one of {', '.join(DOMAINS)}")
    backup_folder = _one_backup(folder)
    secret = read_passphrase(passphrase_file)
    manifest = read_manifest(backup_folder)
    require_passphrase(backup_folder, [manifest.of(each) for each in chosen], secret)
    if not yes and not typer.confirm(f"Replace {', '.join(chosen)} by {backup_folder}?"):
        raise typer.Exit(1)
    with reachable_databases(data_dir) as urls:
        restore_backup(backup_folder, urls, chosen, passphrase=secret, force=force)
    Terminal().say(f"restored {', '.join(chosen)} from {backup_folder}")
    Terminal().say(
        "Start the subgraphs, then `fittracker events check`; what differs, `fittracker events rebuild GROUP` mends."
    )


def verify_backup(
    folder: Annotated[Path, typer.Argument(help="A backup, or the folder of backups for its newest.")],
    passphrase_file: Passphrase = None,
    server_file: Annotated[
        Path | None,
        typer.Option(
            help="A file with the URL of a server on which databases may be made and dropped. Default: our own."
        ),
    ] = None,
) -> None:
    """Restore a backup beside what is there and compare; exit code 1 where anything differs."""
    from deploy.backup.encryption import read_passphrase
    from deploy.backup.restore import verify_backup as verify

    backup_folder = _one_backup(folder)
    server = server_file.read_text(encoding="utf-8").strip() if server_file is not None else None
    differences = asyncio.run(verify(backup_folder, passphrase=read_passphrase(passphrase_file), server=server))
    for difference in differences:
        Terminal().say(difference)
    if differences:
        raise typer.Exit(1)
    Terminal().say(f"{backup_folder} restores whole")


def db(
    verb: Annotated[
        str, typer.Argument(help="connections, locks, running, slow, tables, indexes, end-idle or vacuum.")
    ],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Ask Postgres what an operator wants to know, in all four databases."""
    from deploy.database_views import VIEWS, show
    from deploy.databases import database_urls

    if verb not in VIEWS:
        known = "\n".join(f"  {name:12} {view.meaning}" for name, view in VIEWS.items())
        raise FriendlyError(f"there is no view '{verb}'", f"one of\n{known}")
    Terminal().say(show(verb, database_urls(data_dir)))


def sizing(
    instances: Annotated[int, typer.Option(min=1, help="Processes of each subgraph.")] = 1,
    pool_size: Annotated[int, typer.Option(min=1, help="DATABASE_POOL_SIZE.")] = 10,
    replica: Annotated[bool, typer.Option("--replica", help="Subgraphs read from a replica.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    check: Annotated[bool, typer.Option("--check", help="Ask the database whether it allows so many.")] = False,
) -> None:
    """Say how many connections the pools can open, and what max_connections has to be."""
    from deploy.databases import database_urls, run_postgres
    from deploy.embedded import DOMAINS
    from deploy.sizing import largest_pool
    from deploy.sizing import sizing as size

    found = size(dict.fromkeys(DOMAINS, instances), pool_size, has_replica=replica)
    terminal = Terminal()
    terminal.say(
        f"{found.per_process} connections a process, {found.total} in all; max_connections should be {found.wanted}"
    )
    if not check:
        return
    allowed = int(run_postgres("psql", database_urls(data_dir)["users"], "-XAtqc", "SHOW max_connections"))
    if allowed < found.wanted:
        fitting = largest_pool(allowed, instances * len(DOMAINS))
        raise FriendlyError(
            f"max_connections is {allowed}, {found.wanted} are wanted",
            f"raise it, put pgbouncer between, or set DATABASE_POOL_SIZE={fitting}",
        )
    terminal.say(f"max_connections is {allowed}: enough")


def capacity(
    people: Annotated[
        list[int] | None, typer.Argument(min=1, help="How many are registered; several for a table.")
    ] = None,
    active_share: Annotated[float, typer.Option(min=0.001, max=1, help="Of them, those who come on a day.")] = 0.3,
    peak: Annotated[float, typer.Option(min=1, help="The busiest hour over the day's mean.")] = 2.5,
    utilisation: Annotated[float, typer.Option(min=0.1, max=1, help="Of a part's processors, at the peak.")] = 0.6,
    years: Annotated[float, typer.Option(min=0.1, help="How long entries are kept.")] = 5.0,
    regions: Annotated[int, typer.Option(min=1, help="Places that people are divided between.")] = 1,
    connected_share: Annotated[
        float, typer.Option(min=0, max=1, help="Of a day's people, those connected in the busiest moment.")
    ] = 0.1,
    core_price: Annotated[float, typer.Option(min=0, help="A month of a processor with 4 GiB. Assumed.")] = 30.0,
    disk_price: Annotated[float, typer.Option(min=0, help="A month of a GiB of disk. Assumed.")] = 0.1,
    backup_price: Annotated[float, typer.Option(min=0, help="A month of a GiB of backup. Assumed.")] = 0.025,
) -> None:
    """Say what so many people need, from measured costs of each operation, and which part becomes too small first."""
    from deploy.capacity.fleet import Fleet, Prices
    from deploy.capacity.model import Habits, read_unit_costs
    from deploy.capacity.report import growth, layouts, table

    habits = Habits(active_share=active_share, peak=peak, utilisation=utilisation, years=years)
    counts = people or [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]
    terminal = Terminal()
    costs = read_unit_costs()
    terminal.say("Processes of the router and of each subgraph at the peak; what is stored, in all:\n")
    terminal.say("\n".join(table(counts, costs, habits)))
    if min(counts) < regions:
        raise FriendlyError(f"{min(counts)} people cannot be divided between {regions} regions", "fewer --regions")
    fleet = Fleet(regions=regions, connected_share=connected_share)
    prices = Prices(core=core_price, disk_gib=disk_price, backup_gib=backup_price)
    terminal.say(
        "\nDivided between regions and cells; partitions of a topic, replicas of a database; at assumed prices:\n"
    )
    terminal.say("\n".join(layouts(counts, costs, habits, fleet, prices)))
    terminal.say("\nWhat becomes too small on the way, and what it is given then:\n")
    terminal.say("\n".join(growth(max(counts), costs, habits)))


def secrets(
    folder: Annotated[Path, typer.Argument(help="Made with mode 0700; files that exist stay.")],
    postgres_host: Annotated[str, typer.Option(help="As the subgraphs name it.")] = "postgres",
    redis_host: Annotated[
        str, typer.Option(help="As the subgraphs name it; the cache's is this with -cache.")
    ] = "redis",
) -> None:
    """Make every secret of a production stack, random, as files."""
    from deploy.secret_files import write_secrets

    made = write_secrets(folder, postgres_host=postgres_host, redis_host=redis_host)
    Terminal().say(f"made {len(made)} files in {folder}" if made else f"{folder} has everything")


def certificates(
    folder: Annotated[Path, typer.Argument(help="Made with mode 0700; what is there and valid stays.")],
    name: Annotated[
        list[str] | None,
        typer.Option(help="A host name or address; may be repeated. Default: router and the subgraphs."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=825, help="How long a new certificate is valid.")] = 90,
    renew_days: Annotated[int, typer.Option(min=0, help="One with fewer days left is made anew.")] = 30,
    metric_file: Annotated[
        Path | None, typer.Option(help="Where node-exporter reads when each ends: FILE.prom.")
    ] = None,
) -> None:
    """Make an own certificate authority and certificates of it, for development and between our own parts."""
    from deploy.certificates import make_certificates, write_metric
    from deploy.embedded import DOMAINS

    made = make_certificates(folder, name or ["router", *DOMAINS], days=days, renew_days=renew_days)
    for each in made:
        Terminal().say(f"{each.file}: valid until {each.expires:%Y-%m-%d}{', new' if each.is_new else ''}")
    if metric_file is not None:
        write_metric(metric_file, made)


def roles(
    address: Annotated[str, typer.Argument(help="The e-mail address of the account.")],
    granted: Annotated[list[str] | None, typer.Argument(help="ADMIN; nothing takes all but USER.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Set the roles of an account, as the first administrator's have to be; its sessions end."""
    from deploy.account_roles import set_roles

    Terminal().say(f"{address}: {', '.join(set_roles(data_dir, address, granted or []))}")


def traces(
    text: Annotated[str, typer.Argument(help="A person's id or e-mail address, or anything else.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Say which rows of the four databases have a text; exit code 1 for one that an erased person should not be in."""
    from deploy.databases import reachable_databases
    from deploy.erasure import traces_of

    with reachable_databases(data_dir) as urls:
        found = list(traces_of(text, urls))
    for each in found:
        Terminal().say(f"{each.domain}.{each.table}: {each.rows} rows" + (f" ({each.kept})" if each.kept else ""))
    if any(each.kept is None for each in found):
        raise typer.Exit(1)
    Terminal().say("nothing else")


def scale(
    wanted: Annotated[list[str], typer.Argument(metavar="NAME=N...", help="Such as nutrition=3 workouts=2.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Run so many processes of a subgraph in the running local stack; the router spreads requests over them."""
    _change(data_dir, {"verb": "scale", "wanted": read_scale(wanted)})


def roll(
    names: Annotated[
        list[str] | None, typer.Argument(help="Subgraphs, or router. Default: all, the router last.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Replace processes of the running local stack by fresh ones, one at a time, without losing a request."""
    _change(data_dir, {"verb": "roll", "names": names or []})


def read_scale(words: list[str]) -> dict[str, int]:
    """From `nutrition=3`. Raises BadParameter."""
    wanted = {}
    for word in words:
        name, _, count = word.partition("=")
        if not name or not count.isdecimal():
            raise typer.BadParameter(f"'{word}' is not of the form NAME=N, such as nutrition=3")
        wanted[name] = int(count)
    return wanted


def _change(data_dir: Path, request: dict[str, Any]) -> None:
    from deploy.control import ask
    from deploy.data_directory import DataDirectory

    state = DataDirectory(data_dir).read_state()
    if state is None or not state.control:
        raise FriendlyError(f"no stack runs over {data_dir}", "start one with `fittracker up`, or name its --data-dir")
    for line in ask(state.control, request):
        Terminal().say(line)


def _one_backup(folder: Path) -> Path:
    from deploy.backup.create import newest_backup
    from deploy.backup.manifest import FILE

    return folder if (folder / FILE).exists() else newest_backup(folder)


def sbom(
    lock: Annotated[Path | None, typer.Option(help="Another requirements.lock.")] = None,
) -> None:
    """Print the bill of materials: a CycloneDX document of every package that is pinned, with hashes and licences."""
    from deploy.bill_of_materials import bill_of_materials
    from deploy.locked_packages import LOCK, read_lock

    typer.echo(bill_of_materials(read_lock(lock or LOCK)), nl=False)


def scan_dependencies(
    url: Annotated[str, typer.Option(help="An OSV server.")] = "https://api.osv.dev",
    lock: Annotated[Path | None, typer.Option(help="Another requirements.lock.")] = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="The id of a hole that was judged; may be given again.")
    ] = None,
) -> None:
    """Ask for known vulnerabilities of every package that is pinned; exit code 1 for one, and where nothing could be asked."""
    from deploy.locked_packages import LOCK, read_lock
    from deploy.vulnerability_scan import known_vulnerabilities

    terminal = Terminal()
    packages = read_lock(lock or LOCK)
    found = asyncio.run(known_vulnerabilities(packages, url))
    is_open = False
    for package, ids in found.items():
        for each in ids:
            is_accepted = each in (accept or ())
            is_open = is_open or not is_accepted
            terminal.say(f"{package.name} {package.version}: {each}{' (accepted)' if is_accepted else ''}")
    terminal.say(f"{len(packages)} packages asked about, {len(found)} with known vulnerabilities")
    if is_open:
        raise typer.Exit(1)


def cell_router(
    cells: Annotated[Path, typer.Argument(help="The map of the cells; deploy/cells/README.md shows one.")],
    port: Annotated[int, typer.Option(min=0, max=65_535)] = 8080,
    host: str = "127.0.0.1",
) -> None:
    """Send each caller to the platform that has their account, where people are divided between several; reads CELL_SECRET."""
    from deploy.cells.cell_map import read_cell_map
    from deploy.cells.cell_router import serve_cell_router

    say_as_a_service()
    serve_cell_router(read_cell_map(cells), host, port)
