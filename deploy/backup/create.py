"""`fittracker backup`: one dump a database, checksums, pruning, and the time of success for the alert BackupTooOld.

No snapshot spans four databases. Analytics, which is derived, is dumped first: whatever the others hold beyond it stands
in their outboxes too and is projected again after a restore, while the contrary could not be mended.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from deploy.backup.encryption import encrypt
from deploy.backup.manifest import FORMAT, Dump, Manifest, now, read_manifest, sha256_of
from deploy.backup.rows import count_rows
from deploy.databases import run_postgres
from deploy.errors import FriendlyError

ORDER = ("analytics", "users", "nutrition", "workouts")
_PREFIX = "fittracker-"
METRIC = "fittracker_backup_last_success_timestamp_seconds"

_FACTS = """
SELECT json_build_object('version', current_setting('server_version'), 'wal', pg_current_wal_lsn()::text,
                         'revision', (SELECT string_agg(version_num, ' ' ORDER BY version_num) FROM alembic_version))
"""


def create_backup(urls: dict[str, str], target: Path, *, passphrase: str | None, keep_days: int) -> Path:
    """The folder of the new backup under `target`, which gets mode 0700. Raises FriendlyError; then none is left behind.

    Backups that are older than `keep_days` days go, after success only, and never the newest.
    """
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    started = now()
    folder = target / f"{_PREFIX}{started:%Y%m%dT%H%M%S}Z"
    with whole_or_nothing(folder) as partial:
        dumps: list[Dump] = []
        version = ""
        for domain in ORDER:
            dump, version = _dump(domain, urls[domain], partial, passphrase)
            dumps.append(dump)
        Manifest(FORMAT, started.isoformat(), version, tuple(dumps)).write(partial)
    _write_metric(target)
    prune(target, keep_days)
    return folder


def prune(target: Path, keep_days: int) -> list[Path]:
    """The backups that were removed: those older than `keep_days` days, never the newest."""
    known = sorted(
        (folder for folder in target.glob(f"{_PREFIX}*") if (folder / "manifest.json").exists()), reverse=True
    )
    oldest = now() - timedelta(days=keep_days)
    removed = [folder for folder in known[1:] if read_manifest(folder).instant < oldest]
    for folder in removed:
        shutil.rmtree(folder)
    return removed


def newest_backup(target: Path) -> Path:
    """Raises FriendlyError where there is none."""
    known = sorted(folder for folder in target.glob(f"{_PREFIX}*") if (folder / "manifest.json").exists())
    if not known:
        raise FriendlyError(f"{target} holds no backup", "`fittracker backup` makes one")
    return known[-1]


@contextmanager
def whole_or_nothing(folder: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name when everything in it is written and on disk."""
    partial = folder.with_suffix(".part")
    if folder.exists() or partial.exists():
        raise FriendlyError(f"{folder} exists", "backups of the same second: wait for one")
    partial.mkdir(mode=0o700)
    try:
        yield partial
        for file in partial.iterdir():
            _to_disk(file)
        _to_disk(partial)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _dump(domain: str, url: str, folder: Path, passphrase: str | None) -> tuple[Dump, str]:
    """The dump and the server's version. Rows are counted before it: an event more or less on a busy table is told as such."""
    facts = json.loads(run_postgres("psql", url, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", _FACTS))
    rows = count_rows(url)
    file = folder / f"{domain}.dump"
    run_postgres("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")
    if passphrase is not None:
        sealed = folder / f"{domain}.dump.enc"
        encrypt(file, sealed, passphrase)
        file.unlink()
        file = sealed
    dump = Dump(
        domain,
        file=file.name,
        sha256=sha256_of(file),
        size=file.stat().st_size,
        revision=facts["revision"],
        rows=rows,
        wal_position=facts["wal"],
    )
    return dump, str(facts["version"])


def _write_metric(target: Path) -> None:
    """For node-exporter's text file collector; read by the alert BackupTooOld."""
    file = target / "fittracker_backup.prom"
    partial = file.with_suffix(".part")
    partial.write_text(
        f"# HELP {METRIC} When the last backup was written whole, in seconds since 1970.\n"
        f"# TYPE {METRIC} gauge\n{METRIC} {now().timestamp():.0f}\n",
        encoding="ascii",
    )
    partial.replace(file)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
