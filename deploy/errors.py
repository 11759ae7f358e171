"""From exceptions to sentences: which errors of the commands a person can act on, and what to tell.

The errors of this room are `FriendlyError`s; those of other rooms are listed here. What is neither is a bug, and keeps
its traceback.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    message: str
    hint: str | None = None
    exit_code: int = 1


class FriendlyError(Exception):
    """An error whose text is meant for the person at the terminal."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def friendly(error: Exception) -> Told | None:
    """What to tell about it, or None if it is a bug."""
    if isinstance(error, FriendlyError):
        return Told(str(error), error.hint)
    if isinstance(error, OSError):
        return _of_the_system(error)
    from schema.sources import SourceError
    from schema.verbs import VerbError

    if isinstance(error, SourceError | VerbError):
        return Told(str(error), error.hint)
    import router.settings
    import subgraphs.shell.settings

    if isinstance(error, router.settings.SettingsError | subgraphs.shell.settings.SettingsError):
        return Told(str(error))
    from router.errors import RouterError

    if isinstance(error, RouterError):
        return Told(error.message)
    return None


def _of_the_system(error: OSError) -> Told | None:
    if error.errno == errno.EADDRINUSE:
        return Told("the port is taken by another program", "choose another with --port")
    if error.errno == errno.EACCES and error.filename is None:
        return Told("ports below 1024 are for privileged users", "choose another with --port, such as 8080")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST} and error.filename:
        told = f"{error.filename} cannot be used: {(error.strerror or 'no reason given').lower()}"
        return Told(told, "make it yours to write, or name another place, for the stack with --data-dir")
    if error.filename is not None:
        return Told(f"{error.filename}: {(error.strerror or 'cannot be used').lower()}")
    return None
