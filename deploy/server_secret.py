"""The secret of one data directory's embedded servers: whoever may read it may use them. Passwords are derived from it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerSecret:
    """`password(name)` is the same at every start, and tells nothing of the passwords of other names."""

    value: str = field(repr=False)

    @classmethod
    def of(cls, directory: Path) -> ServerSecret:
        """Made at the first start over this directory, readable by its owner alone."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = directory / "servers-secret"
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(file.read_text(encoding="ascii").strip())
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(32))
        return cls(file.read_text(encoding="ascii").strip())

    def password(self, name: str) -> str:
        return hmac.new(self.value.encode(), name.encode(), hashlib.sha256).hexdigest()
