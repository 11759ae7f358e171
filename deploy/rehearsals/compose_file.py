"""The services of the compose files, merged and with variables put in, as `docker compose config` says them.

Called by the rehearsal `images`, where no such program need be installed. Knows what the two files use, and no more: mappings
are merged, lists joined, `${NAME:-default}` and `${NAME}` put in, `$$` is a dollar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::-([^}]*))?\})")


def services(folder: Path) -> dict[str, Any]:
    """Name -> service of compose.yaml under compose.prod.yaml. `env_file` has become a part of `environment`."""
    variables = read_variables(folder / ".env")
    whole: dict[str, Any] = {}
    for name in ("compose.yaml", "compose.prod.yaml"):
        whole = _merged(whole, yaml.safe_load((folder / name).read_text(encoding="utf-8")))
    found: dict[str, Any] = _filled(whole["services"], variables)
    for service in found.values():
        files = [folder / each["path"] for each in service.pop("env_file", [])]
        given: dict[str, str] = {}
        for file in files:
            given |= read_variables(file)
        own = {key: str(value) for key, value in service.get("environment", {}).items()}
        service["environment"] = given | own
    return found


def read_variables(file: Path) -> dict[str, str]:
    """The lines NAME=value of a .env file; none where there is no file."""
    if not file.exists():
        return {}
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {key: _merged(one[key], value) if key in one else value for key, value in other.items()}
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    return other


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, variables) for each in value]
    if not isinstance(value, str):
        return value
    return _VARIABLE.sub(lambda found: "$" if found[1] is None else variables.get(found[1]) or found[2] or "", value)
