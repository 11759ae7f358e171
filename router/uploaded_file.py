"""A file that a client uploads beside an operation: it stands in the variables and travels beside the JSON, where null is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class UploadedFile:
    """`content_type` is what the client said, unchecked; so is `name`, which may be anything but a path to rely on.

    No dataclass: the JSON writer would write one out.
    """

    __slots__ = ("content", "content_type", "name")

    def __init__(self, name: str, content_type: str, content: bytes) -> None:
        self.name = name
        self.content_type = content_type
        self.content = content

    def __repr__(self) -> str:
        return f"UploadedFile({self.name!r}, {len(self.content)} bytes)"


def files_in(variables: Mapping[str, Any]) -> Iterator[tuple[str, UploadedFile]]:
    """All files, each with its path as the specification of uploads writes it: `variables.input.files.0`."""
    waiting: list[tuple[str, Any]] = [(f"variables.{name}", value) for name, value in variables.items()]
    while waiting:
        path, value = waiting.pop()
        if value.__class__ is UploadedFile:
            yield path, value
        elif value.__class__ is dict:
            waiting.extend((f"{path}.{name}", item) for name, item in value.items())
        elif value.__class__ is list:
            waiting.extend((f"{path}.{index}", item) for index, item in enumerate(value))
