"""Reads a subgraph's `@link`s: which specifications it uses, under which names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from graphql import ConstDirectiveNode, Node, value_from_ast_untyped

from schema.codes import Finding, locations_of
from schema.federation import (
    DIRECTIVES_SINCE,
    FEDERATION_IDENTITY,
    LATEST_VERSION,
    LINK_IDENTITY,
    SPECIFICATIONS_HOME,
    Link,
    parse_link_url,
)

#: Characters of a wrong value in a message.
_MOST_SHOWN = 100
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*", re.ASCII)


class LinkReader:
    """`findings` say what is wrong with the links of one subgraph."""

    def __init__(self, subgraph: str) -> None:
        self._subgraph = subgraph
        self.links: list[Link] = []
        self.findings: list[Finding] = []

    def read(self, applied: Iterable[ConstDirectiveNode]) -> None:
        """`applied` are the directives of the schema, links among them."""
        applied = list(applied)
        names = {"link", *filter(None, map(_name_of_link, applied))}
        for directive in applied:
            if directive.name.value in names or directive.name.value.endswith("__link"):
                self._read_link(directive)

    def _read_link(self, node: ConstDirectiveNode) -> None:
        arguments = argument_values(node)
        url = str(arguments.get("url", ""))
        parsed = parse_link_url(url)
        if parsed is None:
            if url.startswith(SPECIFICATIONS_HOME):
                self._refuse("INVALID_LINK_IDENTIFIER", f'the url "{url}" of a @link has no name and version', node)
                return
            parsed = url, url.rstrip("/").rpartition("/")[2], (0, 0)
        identity, name, version = parsed
        if any(link.identity == identity for link in self.links):
            self._refuse("INVALID_LINK_DIRECTIVE_USAGE", f"{identity} is linked twice; keep one @link to it", node)
        imports = list(self._imports(arguments, node))
        if identity == LINK_IDENTITY and version != (1, 0):
            self._refuse(
                "UNKNOWN_LINK_VERSION",
                f"version {version[0]}.{version[1]} of the link specification is not known",
                node,
            )
        if identity == FEDERATION_IDENTITY:
            self._check_federation(imports, version, node)
        bare = {local.lstrip("@"): spec.lstrip("@") for local, spec in imports}
        self.links.append(Link(url, identity, name, version, self._alias(arguments, node) or name, bare))

    def _alias(self, arguments: dict[str, Any], node: Node) -> str | None:
        alias = arguments.get("as")
        if not alias or (isinstance(alias, str) and _NAME.fullmatch(alias)):
            return alias or None
        self._refuse("INVALID_LINK_DIRECTIVE_USAGE", f"{_shown(alias)}, which a @link has under `as`, is no name", node)
        return None

    def _imports(self, arguments: dict[str, Any], node: Node) -> Iterator[tuple[str, str]]:
        """Local and specified name of each import, directives with their @."""
        for item in _imported(arguments):
            names = _names_of_import(item)
            if names is None:
                text = _shown(item)
                self._refuse(
                    "INVALID_LINK_DIRECTIVE_USAGE", f"{text}, which a @link imports, is no name and has none", node
                )
                continue
            local, spec = names
            if spec.startswith("@") != local.startswith("@"):
                self._refuse(
                    "INVALID_LINK_DIRECTIVE_USAGE", f'"{spec}" is imported as "{local}": only both can have an @', node
                )
            yield local, spec

    def _check_federation(self, imports: Iterable[tuple[str, str]], version: tuple[int, int], node: Node) -> None:
        for _, spec in imports:
            self._check_import(spec, version, node)
        if not (2, 0) <= version <= LATEST_VERSION:
            self._refuse(
                "UNKNOWN_FEDERATION_LINK_VERSION",
                f"federation v{version[0]}.{version[1]} is not known; the latest is v2.{LATEST_VERSION[1]}",
                node,
            )

    def _check_import(self, spec: str, version: tuple[int, int], node: Node) -> None:
        since = DIRECTIVES_SINCE.get(spec.lstrip("@"))
        is_directive = spec.startswith("@")
        if (is_directive and (since is None or since > version)) or (not is_directive and since is not None):
            self._refuse(
                "INVALID_LINK_DIRECTIVE_USAGE",
                f'cannot import "{spec}", which federation v{version[0]}.{version[1]} does not have{_advice(spec, since)}',
                node,
            )

    def _refuse(self, code: str, message: str, node: Node) -> None:
        name = self._subgraph
        self.findings.append(Finding(code, f"[{name}] {message}.", (name,), locations=locations_of(name, node)))


def argument_values(node: ConstDirectiveNode) -> dict[str, Any]:
    return {argument.name.value: value_from_ast_untyped(argument.value) for argument in node.arguments or ()}


def _imported(arguments: dict[str, Any]) -> list[Any]:
    """What a `@link` imports. One value stands for a list of it, as in every input of GraphQL."""
    value = arguments.get("import")
    return value if isinstance(value, list) else [] if value is None else [value]


def _names_of_import(item: Any) -> tuple[str, str] | None:
    """Local and specified name of `"@key"` or `{name: "@key", as: "@id"}`; None where one is no name."""
    spec = item.get("name") if isinstance(item, dict) else item
    local = (item.get("as") or spec) if isinstance(item, dict) else item
    if all(isinstance(name, str) and _NAME.fullmatch(name.removeprefix("@")) for name in (spec, local)):
        return str(local), str(spec)
    return None


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _advice(spec: str, since: tuple[int, int] | None) -> str:
    if since is None:
        return ": check its spelling"
    if not spec.startswith("@"):
        return f": it is a directive, so write @{spec}"
    return f": link v{since[0]}.{since[1]} or a newer one"


def _name_of_link(node: ConstDirectiveNode) -> str | None:
    """`@link` links its own specification too, and may rename itself by that."""
    arguments = argument_values(node)
    if not str(arguments.get("url", "")).startswith(f"{LINK_IDENTITY}/"):
        return None
    names = filter(None, map(_names_of_import, _imported(arguments)))
    local = next((local for local, spec in names if spec == "@link"), None)
    return local.removeprefix("@") if local else str(arguments.get("as") or "link")
