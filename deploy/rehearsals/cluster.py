"""A Postgres cluster of the distribution's own programs, with this repository's settings, roles and access rules.

The wheel's Postgres serves development; what an operator runs is the distribution's, whose version may be another.
Postgres does not run as root: as root its programs are given to the system's `postgres` user.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

from deploy.databases import libpq_environment
from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError

CONFIGURATION = Path(__file__).parents[1] / "postgres"
PASSWORDS = {name: f"{name} password of a rehearsal" for name in ("owner", "runtime", "reader", "backup")}
SERVER_USER = "postgres"


class Cluster:
    """One server over `folder`, which its user can write to."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self._folder = folder
        folder.mkdir(parents=True)
        give_to_server_user(folder)

    def initialise(self, archive: Path) -> None:
        """An empty cluster that archives, with the repository's settings, roles and databases; it runs afterwards."""
        run("initdb", "-D", str(self.data), "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8")
        configuration = (CONFIGURATION / "postgresql.conf").read_text(encoding="utf-8")
        self._write("postgresql.conf", configuration.replace("/archive/", f"{archive}/"))
        rules = (CONFIGURATION / "pg_hba.conf").read_text(encoding="utf-8")
        self._write("pg_hba.conf", rules.replace("peer", "trust"))  # the rehearsal is not the server's user
        self.start()
        variables = [word for name, value in PASSWORDS.items() for word in ("-v", f"{name}_password={value}")]
        self.psql(*variables, "-f", str(CONFIGURATION / "roles.sql"))

    def copy_of(self, primary: Cluster, slot: str) -> None:
        """Become a standby that streams from a primary that runs; started separately."""
        source = f"{primary.url('fittracker_backup', 'backup', 'postgres')}?application_name={slot}"
        run("pg_basebackup", "-R", "-C", "-S", slot, "-c", "fast", "-D", str(self.data), "-d", source)

    def unpack(self, base: Path, settings: str) -> None:
        """Become what a base backup holds, with these settings behind the backup's own, to recover."""
        self.data.mkdir(mode=0o700)
        subprocess.run(["tar", "-xzf", str(base / "base.tar.gz"), "-C", str(self.data)], check=True)
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(settings)
        (self.data / "recovery.signal").touch()
        for each in (self.data, *self.data.rglob("*")):
            give_to_server_user(each)

    def start(self) -> None:
        """Raises FriendlyError where it does not come up; its log says why."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        log = str(self._folder / "server.log")
        run("pg_ctl", "-D", str(self.data), "-w", "-l", log, "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")

    @property
    def pid(self) -> int:
        """Of the server that runs."""
        return int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])

    def psql(self, *arguments: str, database: str = "postgres") -> str:
        """As the superuser over the socket; what was printed."""
        where = ["-h", str(self._folder), "-p", str(self.port), "-d", database]
        return run("psql", "-XqtA", "-v", "ON_ERROR_STOP=1", *where, *arguments)

    def value(self, statement: str, database: str = "postgres") -> str:
        return self.psql("-c", statement, database=database).strip()

    def url(self, role: str, password: str, database: str, port: int | None = None) -> str:
        secret = PASSWORDS[password].replace(" ", "%20")
        return f"postgresql://{role}:{secret}@127.0.0.1:{port or self.port}/{database}"

    @property
    def superuser_dsn(self) -> str:
        """Over the socket, in libpq's form of names and values."""
        return f"host={self._folder} port={self.port} user={server_user() or getpass.getuser()} dbname=postgres sslmode=disable"

    def environment(self, variable: str = "DATABASE_URL", port: int | None = None) -> dict[str, str]:
        """The variables by which subgraphs find their databases, each as its own role."""
        return {
            f"{variable}_{domain.upper()}": self.url(f"fittracker_{domain}", "runtime", f"fittracker_{domain}", port)
            for domain in DOMAINS
        }

    def _write(self, name: str, content: str) -> None:
        file = self.data / name
        file.write_text(content, encoding="utf-8")
        give_to_server_user(file)


def base_backup(cluster: Cluster, folder: Path) -> None:
    """As deploy/postgres/README.md says."""
    environment = libpq_environment(cluster.url("fittracker_backup", "backup", "postgres"))
    run("pg_basebackup", "-D", str(folder), "-Ft", "-z", "-X", "none", "-c", "fast", environment=environment)


def program(name: str) -> str:
    """The newest of the distribution's. Raises FriendlyError."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda file: int(file.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        raise FriendlyError(f"there is no {name} here", "apt-get install postgresql postgresql-contrib pgbouncer")
    return path


def run(name: str, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """Raises FriendlyError with what the program said."""
    done = subprocess.run(
        [program(name), *arguments], capture_output=True, text=True, check=False, cwd="/", user=server_user(), group=server_user(),
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **(environment or {})},
    )  # fmt: skip
    if done.returncode:
        raise FriendlyError(f"{name} failed: {done.stderr.strip()[-500:]}", "see the server's log in its folder")
    return done.stdout


def server_user() -> str | None:
    """Whom the server's programs run as; None: whoever we are."""
    return SERVER_USER if os.geteuid() == 0 else None


def give_to_server_user(path: Path) -> None:
    if os.geteuid() == 0:
        entry = pwd.getpwnam(SERVER_USER)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
