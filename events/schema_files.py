"""JSON Schema of every event, one committed file each, for readers that are not Python: `python -m events.schema_files`.

A file is named `<Type>.v<version>.json`. A change that old records or old readers cannot live with needs a new version.
"""

from pathlib import Path
from typing import Any

import msgspec

from events.contracts import CONTRACTS
from events.envelope import Payload

DIRECTORY = Path(__file__).parent / "schemas"


def schema_files() -> dict[Path, str]:
    """Every file and what it should hold."""
    return {DIRECTORY / f"{one.__name__}.v{one.schema_version}.json": _schema(one) for one in CONTRACTS}


def broken_promises(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What readers of `old` records, or old readers of new ones, would stumble over; empty if nothing."""
    before, after = _fields_by_type(old), _fields_by_type(new)
    broken = []
    for name, (old_fields, _) in before.items():
        fields, required = after.get(name, ({}, set()))
        broken += [f"{name}.{field} is gone" for field in old_fields if field not in fields]
        broken += [
            f"{name}.{field} is of another type"
            for field in old_fields
            if field in fields and _type_of(fields[field]) != _type_of(old_fields[field])
        ]
        broken += [f"{name}.{field} is new and required" for field in sorted(required) if field not in old_fields]
    return broken


def _schema(contract: type[Payload]) -> str:
    schema = msgspec.json.schema(contract)
    text = msgspec.json.format(msgspec.json.encode(schema, order="sorted"), indent=2)
    return text.decode() + "\n"


def _fields_by_type(schema: dict[str, Any]) -> dict[str, tuple[dict[str, Any], set[str]]]:
    definitions = schema.get("$defs", {})
    return {
        name: (definition.get("properties", {}), set(definition.get("required", ())))
        for name, definition in definitions.items()
    }


def _type_of(field: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in field.items() if name not in ("default", "description")}


if __name__ == "__main__":
    for file, text in schema_files().items():
        file.write_text(text, encoding="utf-8")
