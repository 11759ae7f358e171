"""Settings of the router that somebody wants besides those that `fittracker up` makes: read from a file of theirs, which nobody
rewrites, and laid over ours.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.errors import FriendlyError

# What `up` decides, because its other children have to agree, and where it is said instead.
_OF_THE_STACK = {
    "supergraph": "`fittracker compose ... -o` writes another graph to where this one stands",
    "host": "`fittracker up --host` says it",
    "port": "`fittracker up --port` says it",
}
_LINE = re.compile(r"^  line \d+: ", re.MULTILINE)


def read_own_settings(file: Path) -> dict[str, Any]:
    """The file's mapping. Raises FriendlyError for one that is none, and for settings that are not the router's alone."""
    try:
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FriendlyError(f"{file}: {(error.strerror or 'cannot be read').lower()}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise FriendlyError(f"{file} cannot be read: {error}") from None
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise FriendlyError(f"{file} must hold a mapping of setting names to values", "see router/README.md")
    for name, instead in _OF_THE_STACK.items():
        if name in settings:
            raise FriendlyError(f"{file}: '{name}' is the stack's to set", instead)
    return settings


def laid_over(generated: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` counts; mappings in both are joined, lists are not."""
    merged = dict(generated)
    for name, value in own.items():
        ours = merged.get(name)
        merged[name] = laid_over(ours, value) if isinstance(ours, Mapping) and isinstance(value, Mapping) else value
    return merged


def check_merged(merged: Path, own: Path, environment: Mapping[str, str], subgraphs: Collection[str]) -> list[str]:
    """Before a router is started with it over these subgraphs: a sentence for each other one that the settings name, for the next
    graph may have it. Raises FriendlyError, which blames the file whose settings were added.
    """
    from router.settings import SettingsError, load_settings
    from router.settings_complaints import unknown_subgraphs

    try:
        settings = load_settings(merged, environment)
    except SettingsError as error:
        problem = _LINE.sub("  ", str(error).removeprefix(f"{merged}: "))  # of the file that we made, not of theirs
        raise FriendlyError(f"with the settings of {own} the router cannot start: {problem}") from None
    return unknown_subgraphs(settings, subgraphs)
