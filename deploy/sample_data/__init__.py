"""The sample data: files built from public-domain sources (`rebuild`), read here, loaded by `load`.

README.md in this folder names the columns, the sources and their licences.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import uuid
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parent

# 2026-01-01T00:00:00Z: sample rows have ids like all others, but the same ones on every machine.
_ID_TIMESTAMP_MS = 1_767_225_600_000


def read_foods() -> list[dict[str, str]]:
    """Rows of foods.csv.gz; an empty cell is an unknown amount, never zero."""
    with gzip.open(DIRECTORY / "foods.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_own_foods() -> list[dict[str, str]]:
    """Rows of own_foods.csv, as those of `read_foods`: what the public tables do not have."""
    with (DIRECTORY / "own_foods.csv").open(encoding="utf-8", newline="") as stream:
        return [{"id": sample_id("food", row["name"]), "source": "FITTRACKER", **row} for row in csv.DictReader(stream)]


def read_everyday(name: str) -> frozenset[str]:
    """The names in everyday_foods.txt or everyday_exercises.txt: what a search for few words likely means."""
    lines = (DIRECTORY / f"everyday_{name}.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def read_exercises() -> list[dict[str, Any]]:
    return _read_json_lines("exercises.jsonl.gz")


def read_own_exercises() -> list[dict[str, Any]]:
    """Rows of own_exercises.csv, as those of `read_exercises`: what the public list does not have."""
    with (DIRECTORY / "own_exercises.csv").open(encoding="utf-8", newline="") as stream:
        return [_own_exercise(row) for row in csv.DictReader(stream)]


def read_instructions() -> dict[str, str]:
    """How everyday exercises of both lists are done, by name: exercise_instructions.csv."""
    with (DIRECTORY / "exercise_instructions.csv").open(encoding="utf-8", newline="") as stream:
        return {row["name"]: row["instructions"] for row in csv.DictReader(stream)}


def read_catalogue() -> list[dict[str, Any]]:
    """The rows of `read_own_exercises` and `read_exercises`, the everyday ones with instructions; the others' are None."""
    instructions = read_instructions()
    exercises = [*read_own_exercises(), *read_exercises()]
    return [exercise | {"instructions": instructions.get(exercise["name"])} for exercise in exercises]


def read_own_templates() -> list[dict[str, Any]]:
    """The templates of own_templates.csv with their exercises in order: plans of exercises that both lists have, by name."""
    templates: dict[str, dict[str, Any]] = {}
    with (DIRECTORY / "own_templates.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            name, plan = row["template"], {key: value for key, value in row.items() if value}
            head = {"id": sample_id("public-template", name), "name": name, "kind": row["kind"], "level": row["level"]}
            templates.setdefault(name, head | {"exercises": []})["exercises"].append(plan)
    return list(templates.values())


def read_demo() -> dict[str, Any]:
    """Five people, and one week of John's: 4 meals a day of 1,674 kcal, 5 workouts of 305 min and 2,080 kcal."""
    demo: dict[str, Any] = json.loads((DIRECTORY / "demo.json").read_text(encoding="utf-8"))
    return demo


def sample_id(kind: str, name: str) -> str:
    """An id of a kind, a UUIDv7 whose random part is a hash of what it names, so loading twice finds the same rows."""
    digest = int.from_bytes(hashlib.sha256(f"{kind}:{name}".encode()).digest()[:10])
    value = (_ID_TIMESTAMP_MS << 80) | (7 << 76) | ((digest >> 62 & 0xFFF) << 64) | (2 << 62) | (digest & (2**62 - 1))
    return f"{kind}_{uuid.UUID(int=value)}"


def write_gzip(path: Path, text: str) -> None:
    """Without a time stamp, so that building twice gives the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as stream:
        stream.write(text.encode())
    path.write_bytes(buffer.getvalue())


def _own_exercise(row: dict[str, str]) -> dict[str, Any]:
    muscles = {name: [each for each in row[name].split("|") if each] for name in ("primaryMuscles", "secondaryMuscles")}
    empty_as_none = {name: value or None for name, value in row.items()}
    return empty_as_none | muscles | {"id": sample_id("exercise", row["name"]), "met": float(row["met"])}


def _read_json_lines(name: str) -> list[dict[str, Any]]:
    with gzip.open(DIRECTORY / name, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]
