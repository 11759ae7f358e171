"""Pgbouncer in front of a rehearsal's cluster, with the repository's file, in either of its two modes.

Debian 12 has 1.18, which knows session mode only: PGBOUNCER_BINARY names another one than the system's.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded import DOMAINS
from deploy.rehearsals.cluster import (
    CONFIGURATION,
    PASSWORDS,
    Cluster,
    free_port,
    give_to_server_user,
    program,
    server_user,
)

NEEDED_FOR_TRANSACTIONS = (1, 21)  # max_prepared_statements
SESSION_MODE = "\npool_mode = session\n"
#: What stands in the file, to be taken in place of the line above.
TRANSACTION_MODE = "\n;pool_mode = transaction\n;max_prepared_statements = 200\n"
POOL_SIZE = "default_pool_size = 60"


@dataclass(frozen=True, slots=True)
class Pooler:
    """A program. `told` is how it calls itself."""

    program: str
    told: str

    @property
    def has_transactions(self) -> bool:
        """Whether prepared statements survive in transaction mode."""
        found = re.search(r"(\d+)\.(\d+)", self.told)
        return found is not None and (int(found[1]), int(found[2])) >= NEEDED_FOR_TRANSACTIONS

    @contextmanager
    def running(self, folder: Path, primary: Cluster, *, connections: int | None = None) -> Iterator[int]:
        """Its port. In session mode; in transaction mode where `connections` says how many of the server's a role has."""
        folder.mkdir()
        port = free_port()
        users = folder / "userlist.txt"
        users.write_text("".join(f'"fittracker_{domain}" "{PASSWORDS["runtime"]}"\n' for domain in DOMAINS))
        settings = folder / "pgbouncer.ini"
        changes = {
            "port=5432": f"port={primary.port}",
            "listen_port = 6432": f"listen_port = {port}\nunix_socket_dir =",
            "/etc/pgbouncer/userlist.txt": str(users),
        }
        if connections is not None:
            changes |= {
                SESSION_MODE: "\n",
                TRANSACTION_MODE: TRANSACTION_MODE.replace(";", ""),
                POOL_SIZE: f"default_pool_size = {connections}",
            }
        text = (CONFIGURATION / "pgbouncer.ini").read_text(encoding="utf-8")
        for written, here in changes.items():
            assert written in text, written
            text = text.replace(written, here)
        settings.write_text(text)
        for each in (folder, users, settings):
            give_to_server_user(each)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [self.program, str(settings)], stdout=log, stderr=log, user=server_user(), group=server_user()
            )
        try:
            yield port
        finally:
            process.terminate()
            process.wait()


def pooler() -> Pooler:
    """Raises FriendlyError where there is none."""
    path = os.environ.get("PGBOUNCER_BINARY") or program("pgbouncer")
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return Pooler(path, told.partition("\n")[0])
