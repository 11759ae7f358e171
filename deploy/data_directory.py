"""`.fittracker/`: what one stack keeps on disk. One `up` at a time owns it; other commands read `stack.json` from it.

Written by `stack`; read by the commands that take `--data-dir`, and by the tests.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from deploy.errors import FriendlyError


class DirectoryInUseError(FriendlyError):
    """Another stack runs over this directory."""


class UnusableDirectoryError(FriendlyError):
    """The directory cannot be made, or not be written; the hint says what to do about it."""

    def __init__(self, path: Path, error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        where = "" if error.filename is None or Path(error.filename) == path else f" ({error.filename})"
        super().__init__(f"{path} cannot be the data directory: {reason}{where}", _hint(path, error))


def _hint(path: Path, error: OSError) -> str:
    elsewhere = "name another place with --data-dir"
    parent = next(each for each in path.parents if each.exists())
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"make room on the disk of {parent}, or {elsewhere}"
        case errno.EROFS:
            return f"{parent} is mounted read-only: {elsewhere}"
        case errno.ENOTDIR | errno.EEXIST:
            return f"a file is where a directory is needed: move it away, or {elsewhere}"
        case errno.EACCES | errno.EPERM:
            owned = path if path.exists() else parent
            return f"make {owned} yours to write (sudo chown -R $(id -u) {owned}), or {elsewhere}"
    return elsewhere


@dataclass(frozen=True, slots=True)
class StackState:
    """The stack that runs now. `environment` is what its subgraphs were given, the JWT secret left out; `control` is the
    socket at which it can be asked to change.
    """

    router_url: str
    supervisor_pid: int
    pids: dict[str, int]
    ports: dict[str, int]
    environment: dict[str, str]
    control: str = ""


class DataDirectory:
    """`with DataDirectory(path)` owns it until the end. Raises DirectoryInUseError, UnusableDirectoryError."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)  # an earlier release let everybody in
            self.logs.mkdir(exist_ok=True)
            lock = (self.path / "lock").open("a+", encoding="ascii")
        except OSError as error:
            raise UnusableDirectoryError(self.path, error) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise DirectoryInUseError(
                f"{self.path} is in use by another `fittracker up` (pid {owner})",
                "stop it, or name another --data-dir",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._state_file.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def mail(self) -> Path:
        """What users sent where no mail server is named."""
        return self.path / "mail"

    @property
    def supergraph(self) -> Path:
        return self.path / "supergraph.graphql"

    @property
    def complaint(self) -> Path:
        """Why the newest code is not in the supergraph; the router looks for it beside the file."""
        return self.supergraph.with_name(self.supergraph.name + ".error")

    @property
    def preparation(self) -> Path:
        """What databases and supergraph were last prepared for."""
        return self.path / "prepared.json"

    @property
    def router_config(self) -> Path:
        return self.path / "router.yaml"

    @property
    def instances(self) -> Path:
        """Where the router reads the addresses of all subgraph processes."""
        return self.path / "instances.yaml"

    def jwt_secret(self) -> str:
        """The secret for development tokens."""
        return self._secret("jwt-secret", 48)

    def web_push_key(self) -> str:
        """The key that push messages of development are signed with: any 32 bytes, but for one in four billion."""
        return self._secret("web-push-key", 32)

    def second_factor_key(self) -> str:
        """What seals the secrets of authenticator apps in development."""
        return self._secret("second-factor-key", 32)

    def webhook_key(self) -> str:
        """What seals the secrets of endpoints in development."""
        return self._secret("webhook-key", 32)

    def _secret(self, name: str, size: int) -> str:
        """So many random bytes in base64url: made once, readable by its owner only."""
        file = self.path / name
        if not file.exists():
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(secrets.token_urlsafe(size))
        return file.read_text(encoding="ascii").strip()

    def write_state(self, state: StackState) -> None:
        partial = self._state_file.with_suffix(".part")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(asdict(state), stream, indent=2)
        partial.replace(self._state_file)

    def read_state(self) -> StackState | None:
        """The stack that runs now over this directory, or None."""
        try:
            return StackState(**json.loads(self._state_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def has_loaded(self, what: str) -> bool:
        return self._marker(what).exists()

    def mark_loaded(self, what: str) -> None:
        self._marker(what).touch()

    @property
    def _state_file(self) -> Path:
        return self.path / "stack.json"

    def _marker(self, what: str) -> Path:
        return self.path / f"loaded-{what}"


def write_whole(file: Path, text: str) -> None:
    """Readers see the old text or the new one, never half of it; an unchanged file is not touched."""
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return
    partial = file.with_name(f".{file.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
