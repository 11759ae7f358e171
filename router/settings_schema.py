"""The JSON Schema of `router.yaml`, for editors and for whoever checks a file before it is used.

`fittracker router --config-schema` prints it, `--config-reference` the same for people.
"""

from __future__ import annotations

import json
from typing import Any

from router.settings import Settings

#: Stands for whatever the environment holds, in every setting (`settings.load_settings`).
_FROM_ENVIRONMENT = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}"}
_NOT_TEXT = frozenset({"integer", "number", "boolean"})


def settings_schema() -> dict[str, Any]:
    """By draft 2020-12. Numbers and switches may also be written as `${NAME}` or `${NAME:-default}`."""
    schema = Settings.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "router.yaml"
    schema["required"] = []  # `supergraph` may come from the environment or the command line
    allowed: dict[str, Any] = _with_placeholders(schema)
    return allowed


def _with_placeholders(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_placeholders(item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _with_placeholders(item) for key, item in value.items()}
    if isinstance(inner.get("type"), str) and inner["type"] in _NOT_TEXT:  # a setting may be named "type" too
        told = {key: inner.pop(key) for key in ("default", "title", "description") if key in inner}
        return {**told, "anyOf": [inner, _FROM_ENVIRONMENT]}
    return inner


def settings_reference() -> str:
    """Every section with its settings, their kinds and defaults, as a page of Markdown."""
    schema = Settings.model_json_schema()
    lines = ["# router.yaml", "", "| setting | kind | default |", "|---|---|---|", *_rows(schema)]
    for name, section in sorted(schema["$defs"].items()):
        if "properties" in section:
            lines += ["", f"## {name}", "", section.get("description", "").strip(), ""]
            lines += ["| setting | kind | default |", "|---|---|---|", *_rows(section)]
    return "\n".join(lines) + "\n"


def _rows(section: dict[str, Any]) -> list[str]:
    required = section.get("required", [])
    return [
        f"| `{name}` | {_kind(told)} | {'required' if name in required else _default(told.get('default'))} |"
        for name, told in section["properties"].items()
    ]


def _kind(told: dict[str, Any]) -> str:
    if "$ref" in told:
        name = told["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if choices := told.get("enum"):
        return " or ".join(f"`{choice}`" for choice in choices)
    if alternatives := told.get("anyOf"):
        return " or ".join(dict.fromkeys(_kind(each) for each in alternatives))
    if told.get("type") == "array":
        return f"list of {_kind(told.get('items', {}))}"
    if isinstance(more := told.get("additionalProperties"), dict):
        return f"map of {_kind(more)}"
    return str(told.get("type", "any"))


def _default(value: Any) -> str:
    """A section's own defaults stand in its table."""
    return "" if isinstance(value, dict) and value else f"`{json.dumps(value)}`"
