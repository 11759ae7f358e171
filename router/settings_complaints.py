"""What is wrong with a file of settings, in the words of YAML: with its line, and with the name that was meant.

`settings.load_settings` makes a SettingsError of it; `unknown_subgraphs` is for whoever knows the graph as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

#: Kinds of complaint whose usual words are those of Python.
_WORDS = {
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "path_type": "must be a path",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "mapping_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of settings to values",
}
_LIMITS = {
    "less_than_equal": ("le", "must be less than or equal to"),
    "greater_than_equal": ("ge", "must be greater than or equal to"),
    "less_than": ("lt", "must be less than"),
    "greater_than": ("gt", "must be greater than"),
}


def complaint(error: ValidationError, model: type[BaseModel], text: str = "") -> str:
    """All that is wrong in one line, then, where the file's `text` is known, a line for each that says where and what was
    meant.
    """
    errors = error.errors(include_url=False, include_input=False)
    root = yaml.compose(text, Loader=yaml.SafeLoader) if text else None
    sentences, hints = [], []
    for each in errors:
        place = ".".join(str(part) for part in each["loc"])
        if each["type"] == "extra_forbidden":
            sentences.append(f"unknown setting '{place}'")
            meant = _meant(each["loc"], model)
        else:
            sentences.append(f"'{place}': {_in_words(each['type'], each['msg'], each.get('ctx', {}))}")
            meant = ""
        line = _line_of(each["loc"], root)
        if line or meant:
            hints.append(": ".join(filter(None, [f"line {line}" if line else "", place])) + meant)
    return "\n  ".join(["; ".join(sentences), *hints])


def _in_words(kind: str, message: str, context: Mapping[str, Any]) -> str:
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return f"{words} {context[name]}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    return _WORDS.get(kind, message)


def _meant(place: Sequence[int | str], model: type[BaseModel]) -> str:
    known = _names_at(place[:-1], model)
    near = get_close_matches(str(place[-1]), known, n=1)
    return f", did you mean '{near[0]}'?" if near else ""


def _names_at(place: Sequence[int | str], model: type[BaseModel]) -> Collection[str]:
    """The settings that there are in a section, whatever lists and mappings lead to it."""
    found: set[type[BaseModel]] = {model}
    for part in place:
        fields = [each.model_fields.get(str(part)) for each in found]
        inner = {
            section for field in fields if field is not None for section in _sections_in(field.annotation)
        }  # a name of a mapping, or a place in a list, leads to no other section
        found = inner or found
    return {name for each in found for name in each.model_fields}


def _sections_in(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections_in(inner)


def _line_of(place: Sequence[int | str], root: yaml.Node | None) -> int:
    """Where a setting's name stands, from 1; 0 where it comes from somewhere else than the file."""
    node = root
    line = 0
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def unknown_subgraphs(settings: BaseModel, names: Collection[str]) -> list[str]:
    """A sentence for each subgraph that the settings name and the graph has not."""
    sentences = []
    for section, named in settings_by_subgraph(settings):
        for name in sorted(set(named) - set(names)):
            near = get_close_matches(name, names, n=1)
            meant = f", did you mean '{near[0]}'?" if near else f"; there are {', '.join(sorted(names))}"
            sentences.append(f"'{section}.{name}': the graph has no such subgraph{meant}")
    return sentences


def settings_by_subgraph(settings: BaseModel) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Each section that names subgraphs, such as `traffic_shaping.subgraphs`, with what it says of each."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        inner = value if name == "subgraphs" else getattr(value, "subgraphs", None)
        if isinstance(inner, Mapping):
            yield ("subgraphs" if name == "subgraphs" else f"{name}.subgraphs"), inner
