"""Releases to roll out: a copy of the code, changed as developers change it from one release to the next.

What it was drunk from becomes a column and a field of a drink, is taken from the graph again and then from the database, by
revisions that keep to the rules of `tests/testkit/migration_rules.py`. `rollout` rolls them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import FriendlyError

ROOT = Path(__file__).parents[2]
ROOMS = ("deploy", "events", "loaders", "router", "schema", "subgraphs")
NUTRITION = Path("subgraphs/nutrition")
_VERSIONS = NUTRITION / "migrations" / "versions"
_REVISION = re.compile(r'^revision = "nutrition_(\d{4})"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Edit:
    """In one file of a subgraph, `old` is to be `new`; it stands there once."""

    file: Path
    old: str
    new: str


def _edit(file: str, old: str, new: str) -> Edit:
    return Edit(NUTRITION / file, old, new)


#: The field, in and out, and the column that it needs.
THE_FIELD = (
    _edit(
        "queries/water.py",
        'DRINK_COLUMNS = "id, user_id, amount_ml, at, local_date, version"',
        'DRINK_COLUMNS = "id, user_id, amount_ml, at, local_date, version, vessel"',
    ),
    _edit(
        "queries/water.py",
        "    local_date: date\n    version: int\n",
        "    local_date: date\n    version: int\n    vessel: str\n",
    ),
    _edit(
        "commands/water.py",
        "    day: date | None = None,\n    database: Database,\n",
        "    day: date | None = None,\n    vessel: str | None = None,\n    database: Database,\n",
    ),
    _edit(
        "commands/water.py",
        "        await _refuse_too_many(transaction, viewer.id, day)\n        return",
        "        await _refuse_too_many(transaction, viewer.id, day)\n"
        "        if vessel is not None:\n"
        '            set_vessel = text("UPDATE water SET vessel = :vessel WHERE id = :id")\n'
        '            await transaction.execute(set_vessel, {"vessel": vessel, "id": drink_id})\n'
        "        return",
    ),
    _edit(
        "api/water.py",
        "    version: int = strawberry.field(",
        '    vessel: str = strawberry.field(description="What it was drunk from.")\n    version: int = strawberry.field(',
    ),
    _edit(
        "api/water.py",
        "        version=record.version,\n",
        "        version=record.version,\n        vessel=record.vessel,\n",
    ),
    _edit(
        "api/water.py",
        "    at: datetime | None = strawberry.field(",
        '    vessel: str | None = strawberry.field(default=None, description="What it was drunk from. Null: a glass.")\n'
        "    at: datetime | None = strawberry.field(",
    ),
    _edit(
        "api/water.py",
        "            day=input.local_date,\n",
        "            day=input.local_date,\n            vessel=input.vessel,\n",
    ),
)

_HEAD = '''"""{meaning}"""

from alembic import op
{imports}
revision = "nutrition_{number:04}"
down_revision = "nutrition_{before:04}"
branch_labels = None
depends_on = None
{contracts}

def upgrade() -> None:
    {step}
'''


class ReleaseTree:
    """The rooms of this checkout in `folder`, which processes are started from. What runs goes on from what it has loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before: dict[Path, str] = {}
        for room in ROOMS:
            left_out = shutil.ignore_patterns("node_modules", "__pycache__")
            shutil.copytree(ROOT / room, folder / room, ignore=left_out)

    def edit(self, edits: Iterable[Edit]) -> None:
        """Raises FriendlyError where the code is another one than the edits were written for."""
        for each in edits:
            file = self.folder / each.file
            text = file.read_text(encoding="utf-8")
            if text.count(each.old) != 1:
                raise FriendlyError(
                    f"{each.file} has changed: {each.old.strip()!r} is not there once", f"see {__file__}"
                )
            self._before.setdefault(file, text)
            file.write_text(text.replace(each.old, each.new), encoding="utf-8")

    def take_back(self) -> None:
        """What was edited is as it was; revisions stay, for the database has seen them."""
        for file, text in self._before.items():
            file.write_text(text, encoding="utf-8")
        self._before.clear()

    def add_column(self) -> list[Path]:
        """Two revisions that expand: the column, and an index on it that is built beside writers."""
        column = """op.execute("ALTER TABLE water ADD COLUMN vessel text NOT NULL DEFAULT 'GLASS'")"""
        index = 'build_index(op, "water_by_vessel", "water (user_id, vessel)")'
        return [
            self._revision("What somebody drank from.", column),
            self._revision(
                "Drinks by what they were drunk from.",
                index,
                imports="\nfrom subgraphs.shell.migration_locks import build_index\n",
            ),
        ]

    def drop_column(self, expanded: Path) -> Path:
        """The revision that contracts what `expanded` added."""
        (number,) = _REVISION.findall(expanded.read_text(encoding="utf-8"))
        contracts = f'contracts = "nutrition_{number}"\n'
        step = 'op.execute("ALTER TABLE water DROP COLUMN vessel")'
        return self._revision("What somebody drank from is not asked any more.", step, contracts=contracts)

    def _revision(self, meaning: str, step: str, *, imports: str = "", contracts: str = "") -> Path:
        """Behind the newest one."""
        versions = self.folder / _VERSIONS
        numbers = [int(_REVISION.findall(file.read_text(encoding="utf-8"))[0]) for file in versions.glob("*.py")]
        number = max(numbers) + 1
        file = versions / f"{number:04}_rehearsed.py"
        text = _HEAD.format(
            meaning=meaning, imports=imports, number=number, before=number - 1, contracts=contracts, step=step
        )
        file.write_text(text, encoding="utf-8")
        return file
