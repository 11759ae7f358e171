"""From exceptions to sentences: which errors of the commands a person can act on, and what to tell.

`cli.run` asks; what is not listed here is a bug and keeps its traceback.
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
    from deploy.child import ChildError
    from deploy.data_directory import DirectoryInUseError
    from deploy.stack import PortTakenError

    if isinstance(error, ChildError | DirectoryInUseError | PortTakenError):
        return Told(str(error))
    import router.settings
    import subgraphs.settings

    if isinstance(error, router.settings.SettingsError | subgraphs.settings.SettingsError):
        return Told(str(error))
    from router.errors import RouterError

    if isinstance(error, RouterError):
        return Told(error.message)
    return None


def _of_the_system(error: OSError) -> Told | None:
    if error.errno == errno.EADDRINUSE:
        return Told("the port is taken by another program", "choose another with --port")
    if error.filename is not None:
        return Told(f"{error.filename}: {(error.strerror or 'cannot be used').lower()}")
    return None
