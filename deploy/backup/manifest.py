"""What a backup holds: `manifest.json` beside the dumps, read by `restore`, `verify-backup` and pruning."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.errors import FriendlyError

FILE = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Dump:
    """One database's dump. `rows` counts each table at the instant of the dump; `revision` is its schema's."""

    domain: str
    file: str
    sha256: str
    size: int
    revision: str
    rows: dict[str, int]
    wal_position: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`created_at` is an instant in UTC, ISO 8601, and sorts as text."""

    format: int
    created_at: str
    server_version: str
    dumps: tuple[Dump, ...]

    @property
    def instant(self) -> datetime:
        return datetime.fromisoformat(self.created_at)

    def of(self, domain: str) -> Dump:
        for dump in self.dumps:
            if dump.domain == domain:
                return dump
        raise FriendlyError(f"the backup holds no {domain}; it holds {', '.join(dump.domain for dump in self.dumps)}")

    def write(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Raises FriendlyError where the folder is no backup, or one of another format."""
    try:
        values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise FriendlyError(f"{folder} has format {values['format']}; this release reads format {FORMAT}")
        dumps = tuple(Dump(**dump) for dump in values["dumps"])
        return Manifest(values["format"], values["created_at"], values["server_version"], dumps)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FriendlyError(f"{folder} is no backup: {error!r}") from None


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raises FriendlyError for the first file that is absent or is not what was written."""
    for dump in manifest.dumps:
        file = folder / dump.file
        if not file.exists():
            raise FriendlyError(f"{file} is absent")
        if (found := sha256_of(file)) != dump.sha256:
            raise FriendlyError(f"{file} was changed: its SHA-256 is {found[:16]}…, {dump.sha256[:16]}… was written")


def sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def now() -> datetime:
    return datetime.now(UTC)
