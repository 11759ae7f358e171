"""What an API key is: what it may be called and may do, for how long it holds, and how it is written."""

import re
import secrets
import zlib
from collections.abc import Collection
from dataclasses import dataclass

from subgraphs.shell.errors import Checks
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.text import check_line

MOST_KEYS = 20
LONGEST_KEY_DAYS = 365
LONGEST_KEY_NAME = 100
#: What every key begins with, for people and for programs that look for secrets where none belong.
KEY_PREFIX = "ftkey_"
HINT_CHARACTERS = 4

# 32 random bytes in base 64, and the CRC-32 of that text: most of what only looks like a key is told from one without asking
# a database. Behind the cell's name where there are several (`commands.cell`), as `eu-1.ftkey_...`.
_KEY = re.compile(rf"(?:[^.]+\.)?{KEY_PREFIX}([A-Za-z0-9_-]{{43}})_([0-9a-f]{{8}})")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """What somebody wants a key for: its name, its scopes in their usual order and each once, and for how many days."""

    name: str
    scopes: tuple[KeyScope, ...]
    days: int


def new_key(name: str, scopes: Collection[KeyScope], days: int) -> NewKey:
    """Raises ValidationError for a key that cannot be made."""
    checks = Checks()
    check_line(checks, name, "name", longest=LONGEST_KEY_NAME)
    checks.require(bool(scopes), "scopes", "must name something that the key may do")
    checks.require(1 <= days <= LONGEST_KEY_DAYS, "days", f"must be from 1 to {LONGEST_KEY_DAYS}")
    checks.done()
    return NewKey(name=name.strip(), scopes=tuple(scope for scope in KeyScope if scope in scopes), days=days)


def make_secret() -> str:
    """A key as it is shown, once: `ftkey_`, 43 characters, `_`, eight hexadecimal digits."""
    body = secrets.token_urlsafe(32)
    return f"{KEY_PREFIX}{body}_{_checksum(body)}"


def is_well_formed(key: str) -> bool:
    """Whether it could be a key: cut off or mistyped ones are not."""
    found = _KEY.fullmatch(key)
    return found is not None and _checksum(found[1]) == found[2]


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
