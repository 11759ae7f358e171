"""Postgres over TLS with `sslmode=verify-full`, as deploy/postgres/README.md says: the distribution's server, our certificates."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from deploy.certificates import make_certificates
from deploy.rehearsals.cluster import Cluster, give_to_server_user
from subgraphs.shell.database import Database

pytestmark = pytest.mark.skipif(
    not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")), reason="needs Debian's postgresql"
)
#: Of this machine, and in no certificate.
OTHER_ADDRESS = "127.0.0.2"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The server's user can read it, which it cannot pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="fittracker-postgres-tls-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[Cluster]:
    """With `ssl = on`, and `hostssl` in place of `host`."""
    archive = folder / "archive"
    archive.mkdir()
    give_to_server_user(archive)
    made = Cluster(folder / "cluster")
    made.initialise(archive)
    made.stop()
    make_certificates(folder / "authority", ["postgres"], days=30, renew_days=10)
    for name in ("postgres.crt", "postgres.key"):
        shutil.copy(folder / "authority" / name, made.data / name)
        (made.data / name).chmod(0o600)
        give_to_server_user(made.data / name)
    with (made.data / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write("\nssl = on\nssl_cert_file = 'postgres.crt'\nssl_key_file = 'postgres.key'\n")
    rules = made.data / "pg_hba.conf"
    rules.write_text(rules.read_text(encoding="utf-8").replace("\nhost ", "\nhostssl "), encoding="utf-8")
    made.start()
    yield made
    made.stop("immediate")


def url(cluster: Cluster, query: str) -> str:
    return f"{cluster.url('fittracker_users', 'runtime', 'fittracker_users')}?{query}"


async def is_encrypted(url: str) -> bool:
    """What the server says of a subgraph's connection. Raises what connecting does."""
    database = Database(url, pool_size=2)
    try:
        async with database.transaction() as connection:
            asked = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            return bool((await connection.execute(asked)).scalar_one())
    finally:
        await database.close()


async def test_a_subgraph_speaks_tls_with_a_server_whose_certificate_it_can_judge(
    cluster: Cluster, folder: Path
) -> None:
    assert await is_encrypted(url(cluster, f"sslmode=verify-full&sslrootcert={folder}/authority/ca.crt"))


async def test_a_server_of_another_authority_is_refused(cluster: Cluster, folder: Path) -> None:
    make_certificates(folder / "another", ["postgres"], days=30, renew_days=10)
    with pytest.raises(ssl.SSLCertVerificationError):
        await is_encrypted(url(cluster, f"sslmode=verify-full&sslrootcert={folder}/another/ca.crt"))


async def test_a_server_of_another_name_is_refused_though_its_authority_is_right(
    cluster: Cluster, folder: Path
) -> None:
    async with forwarding(cluster.port) as port:
        elsewhere = url(cluster, f"sslmode=verify-full&sslrootcert={folder}/authority/ca.crt")
        elsewhere = elsewhere.replace(f"127.0.0.1:{cluster.port}", f"{OTHER_ADDRESS}:{port}")
        with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
            await is_encrypted(elsewhere)
        assert await is_encrypted(elsewhere.replace("verify-full", "verify-ca"))


async def test_nobody_comes_in_without_tls(cluster: Cluster) -> None:
    with pytest.raises(DBAPIError, match="no encryption"):
        await is_encrypted(url(cluster, "sslmode=disable"))


@asynccontextmanager
async def forwarding(port: int) -> AsyncIterator[int]:
    """The port at OTHER_ADDRESS that leads to the server's."""

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        its_reader, its_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copied(reader, its_writer), copied(its_reader, writer))

    async with await asyncio.start_server(join, OTHER_ADDRESS, 0) as server:
        yield server.sockets[0].getsockname()[1]


async def copied(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        target.write(data)
    target.close()
