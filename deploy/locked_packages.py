"""What `requirements.lock` pins, read for the bill of materials and the vulnerability scan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import FriendlyError

LOCK = Path(__file__).parents[1] / "requirements.lock"
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """`hashes` are SHA-256 of the files that an installer may take for it."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package URL, by which tools and databases know it."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read_lock(file: Path = LOCK) -> list[LockedPackage]:
    """Each package of the lock, by name. Raises FriendlyError for a file that pins nothing, or something without a hash."""
    try:
        packages = sorted(_packages(file.read_text(encoding="utf-8")), key=lambda package: package.name)
    except OSError as error:
        raise FriendlyError(f"{file} cannot be read: {error.strerror}", "run it from a checkout") from None
    if not packages:
        raise FriendlyError(f"{file} pins no package", "make it with `make lock`")
    if bare := [package.name for package in packages if not package.hashes]:
        raise FriendlyError(f"{file} has no hash for {', '.join(bare)}", "make it anew with `make lock`")
    return packages


def _packages(text: str) -> Iterator[LockedPackage]:
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    for block in blocks:
        if pin := _PIN.match(block):
            name = re.sub(r"[-_.]+", "-", pin[1]).lower()
            yield LockedPackage(name, pin[2], tuple(_HASH.findall(block)))
