"""Backups on a real Postgres: whole or not at all, checked, encrypted, pruned, and restored to the same rows."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from deploy.backup import create as creation
from deploy.backup.create import create_backup, newest_backup, prune
from deploy.backup.encryption import decrypt, encrypt
from deploy.backup.manifest import FILE, now, read_manifest
from deploy.backup.restore import restore_backup, verify_backup
from deploy.databases import libpq_environment
from deploy.errors import FriendlyError
from subgraphs.shell.database import migrate
from tests.testkit.servers import Postgres

DOMAINS = ("users", "nutrition", "workouts", "analytics")
PEOPLE = "INSERT INTO keepsake SELECT number, repeat('x', 100) FROM generate_series(1, $1) AS number"


@pytest.fixture(scope="module")
async def urls(postgres: Postgres) -> dict[str, str]:
    """Four migrated databases, each with a table of rows that no migration made."""
    found = {domain: postgres.create_database(f"backup_{domain}") for domain in DOMAINS}
    for domain, url in found.items():
        await migrate(domain, url)
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE keepsake (id int PRIMARY KEY, note text)")
        await connection.execute(PEOPLE, 5_000)
        await connection.execute("ANALYZE")
        await connection.close()
    return found


async def rows(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM keepsake")
    finally:
        await connection.close()
    return count


async def run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_restored_database_is_what_it_was(urls: dict[str, str], tmp_path: Path) -> None:
    folder = await asyncio.to_thread(create_backup, urls, tmp_path, passphrase=None, keep_days=30)
    assert read_manifest(folder).of("nutrition").rows["keepsake"] == 5_000
    await run(urls["nutrition"], "DELETE FROM keepsake WHERE id > 10")
    await run(urls["users"], "DELETE FROM keepsake WHERE id > 10")
    await asyncio.to_thread(restore_backup, folder, urls, ["nutrition"], passphrase=None, force=False)
    assert (await rows(urls["nutrition"]), await rows(urls["users"])) == (5_000, 10)
    await asyncio.to_thread(restore_backup, folder, urls, ["users"], passphrase=None, force=False)


async def test_nothing_is_restored_under_a_running_subgraph(urls: dict[str, str], tmp_path: Path) -> None:
    folder = await asyncio.to_thread(create_backup, urls, tmp_path, passphrase=None, keep_days=30)
    company = await asyncpg.connect(urls["workouts"])
    try:
        with pytest.raises(FriendlyError, match="1 other connections use the database of workouts"):
            await asyncio.to_thread(restore_backup, folder, urls, ["workouts"], passphrase=None, force=False)
    finally:
        await company.close()


async def test_a_drill_accepts_a_good_backup_and_tells_what_is_missing(urls: dict[str, str], tmp_path: Path) -> None:
    folder = await asyncio.to_thread(create_backup, urls, tmp_path, passphrase="correct horse", keep_days=30)
    assert await verify_backup(folder, passphrase="correct horse") == []
    manifest = json.loads((folder / FILE).read_text())
    manifest["dumps"][0]["rows"]["keepsake"] = 6_000
    (folder / FILE).write_text(json.dumps(manifest))
    assert await verify_backup(folder, passphrase="correct horse") == [
        "analytics: keepsake has 5000 rows, 6000 were counted"
    ]


async def test_a_drill_on_a_named_server_leaves_nothing_there(
    urls: dict[str, str], postgres: Postgres, tmp_path: Path
) -> None:
    folder = await asyncio.to_thread(create_backup, urls, tmp_path, passphrase=None, keep_days=30)
    assert await verify_backup(folder, passphrase=None, server=postgres.url()) == []
    connection = await asyncpg.connect(postgres.url())
    left = await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname LIKE 'verify_%'")
    await connection.close()
    assert left == 0


async def test_an_encrypted_dump_says_nothing_and_opens_with_its_passphrase_only(
    urls: dict[str, str], tmp_path: Path
) -> None:
    folder = await asyncio.to_thread(create_backup, urls, tmp_path, passphrase="correct horse", keep_days=30)
    assert {file.suffix for file in folder.iterdir()} == {".enc", ".json"}
    assert b"keepsake" not in (folder / "users.dump.enc").read_bytes()
    with pytest.raises(FriendlyError, match="is encrypted"):
        await asyncio.to_thread(restore_backup, folder, urls, ["users"], passphrase=None, force=True)
    with pytest.raises(FriendlyError, match="another passphrase, or the file was changed"):
        await asyncio.to_thread(restore_backup, folder, urls, ["users"], passphrase="wrong", force=True)
    with pytest.raises(FriendlyError, match="is encrypted"):
        await verify_backup(
            folder, passphrase=None, server="postgresql://127.0.0.1:1/nobody"
        )  # told before a server is asked
    assert await rows(urls["users"]) == 5_000


async def test_a_changed_file_is_found_before_anything_is_replaced(urls: dict[str, str], tmp_path: Path) -> None:
    folder = await asyncio.to_thread(create_backup, urls, tmp_path, passphrase=None, keep_days=30)
    dump = folder / "users.dump"
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(content)
    with pytest.raises(FriendlyError, match=r"users\.dump was changed"):
        await asyncio.to_thread(restore_backup, folder, urls, DOMAINS, passphrase=None, force=True)


async def test_a_backup_that_fails_leaves_nothing_and_keeps_the_older_ones(
    urls: dict[str, str], tmp_path: Path
) -> None:
    good = await asyncio.to_thread(create_backup, urls, tmp_path, passphrase=None, keep_days=30)
    broken = urls | {"workouts": urls["workouts"].replace("backup_workouts", "absent")}
    await asyncio.sleep(1.1)  # the folder's name is the second
    with pytest.raises(FriendlyError, match="absent"):
        await asyncio.to_thread(create_backup, broken, tmp_path, passphrase=None, keep_days=1)
    assert [entry for entry in tmp_path.iterdir() if entry.is_dir()] == [good]


async def test_old_backups_go_and_the_newest_never(
    urls: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = now() - timedelta(days=40)
    monkeypatch.setattr(creation, "now", lambda: long_ago)
    old = await asyncio.to_thread(create_backup, urls, tmp_path, passphrase=None, keep_days=30)
    monkeypatch.undo()
    assert await asyncio.to_thread(prune, tmp_path, 30) == []
    new = await asyncio.to_thread(create_backup, urls, tmp_path, passphrase=None, keep_days=30)
    assert (old.exists(), newest_backup(tmp_path)) == (False, new)
    metric = (tmp_path / "fittracker_backup.prom").read_text().splitlines()[-1]
    assert abs(float(metric.split()[1]) - now().timestamp()) < 60


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_encryption_gives_back_every_byte_and_notices_a_cut(tmp_path: Path, size: int) -> None:
    plain, secret, back = (tmp_path / name for name in ("plain", "secret", "back"))
    plain.write_bytes(bytes(number % 251 for number in range(size)))
    encrypt(plain, secret, "correct horse")
    decrypt(secret, back, "correct horse")
    assert back.read_bytes() == plain.read_bytes()
    if size > 1 << 20:  # without its last piece
        whole = secret.read_bytes()
        first = int.from_bytes(whole[24:28], "big")
        secret.write_bytes(whole[: 28 + first])
        with pytest.raises(FriendlyError):
            decrypt(secret, back, "correct horse")


def test_a_password_reaches_libpq_by_its_environment() -> None:
    assert libpq_environment("postgresql://ann:p%40ss@db:6432/meals?sslmode=verify-full&sslrootcert=/ca.crt") == {
        "PGHOST": "db",
        "PGPORT": "6432",
        "PGUSER": "ann",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "meals",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/ca.crt",
    }
