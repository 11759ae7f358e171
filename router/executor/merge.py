"""Puts a subgraph's data into the merged response tree: plain dicts and lists, changed in place.

`fetch` calls it with decoded answers, and `nested_root` with trees of its own; a projection reads the finished tree.
"""

from __future__ import annotations

from typing import Any

from orjson import Fragment

from router.query_plan import KeyRename

Tree = dict[str, Any]


def merge_object(target: Tree, source: Tree) -> None:
    """Adds what `source` knows to `target`; where both have objects or lists they are merged level by level.

    `{"a": {"x": 1}}` and `{"a": {"y": 2}}` become `{"a": {"x": 1, "y": 2}}`. A null never covers a value: two
    subgraphs that share a field answer for one object, and one of them failed. A list of another length is ignored,
    since its elements cannot be told to be the same objects. Nothing covers what the router itself has put there.
    """
    for key, value in source.items():
        if key not in target:
            target[key] = value
            continue
        known = target[key]
        if known is None:
            target[key] = value
        elif value.__class__ is dict:
            if known.__class__ is dict:
                merge_object(known, value)
        elif value.__class__ is list:
            if known.__class__ is list:
                merge_list(known, value)
        elif value is not None and key != "__typename" and known.__class__ is not Fragment:
            target[key] = value


def merge_list(target: list[Any], source: list[Any]) -> None:
    if len(target) != len(source):
        return
    for index, value in enumerate(source):
        known = target[index]
        if known is None:
            target[index] = value
        elif known.__class__ is dict and value.__class__ is dict:
            merge_object(known, value)
        elif known.__class__ is list and value.__class__ is list:
            merge_list(known, value)


def copy_tree(value: Any) -> Any:
    """A copy that shares no dict or list with the original."""
    if value.__class__ is dict:
        return {key: copy_tree(item) for key, item in value.items()}
    if value.__class__ is list:
        return [copy_tree(item) for item in value]
    return value


def rename_keys(data: Any, renames: tuple[KeyRename, ...]) -> None:
    """Gives back their response keys to fields which the subgraph was asked for under an internal alias."""
    for rename in renames:
        _rename_below(data, rename.path, rename)


def _rename_below(node: Any, path: tuple[str, ...], rename: KeyRename) -> None:
    if node.__class__ is list:
        # `@` is spelled out in paths, but a list is a list wherever it stands
        rest = path[1:] if path and path[0] == "@" else path
        for item in node:
            _rename_below(item, rest, rename)
    elif node.__class__ is dict:
        if not path:
            if rename.received_key in node and (not rename.types or _is_of(node, rename.types)):
                # The object may have the key already: one field that was asked twice, with other fields below.
                merge_object(node, {rename.response_key: node.pop(rename.received_key)})
        elif path[0].startswith("|"):
            if node.get("__typename") in path[0].split("|"):
                _rename_below(node, path[1:], rename)
        elif path[0] != "@":
            _rename_below(node.get(path[0]), path[1:], rename)


def with_renamed_keys(path: tuple[str | int, ...], renames: tuple[KeyRename, ...]) -> tuple[str | int, ...]:
    """An error's path as it is once the keys of the answer have been renamed; internal aliases occur once in a fetch."""
    if not renames:
        return path
    response_keys: dict[str | int, str] = {rename.received_key: rename.response_key for rename in renames}
    return tuple([response_keys.get(part, part) for part in path])


def _is_of(node: Tree, types: frozenset[str]) -> bool:
    typename = node.get("__typename")
    return typename.__class__ is str and typename in types
