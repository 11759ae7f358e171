"""The specifications that a supergraph links, by `@link` or the older `@core`, and which of them stop the router.

Rules: https://specs.apollo.dev/link/v1.0 and https://specs.apollo.dev/core/v0.2, "processing schemas".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import ConstDirectiveNode, DocumentNode, SchemaDefinitionNode, SchemaExtensionNode, value_from_ast_untyped

from router.errors import UnsupportedLinkedFeatureError

_URL = re.compile(r"(?P<identity>.*?(?P<name>[^/]*))(/v(?P<version>\d+\.\d+))?/?")
_HOME = "https://specs.apollo.dev/"
CONNECT = f"{_HOME}connect"
#: Where a purpose is given, what is linked has to be understood. Without one, readers may pass it over.
_PURPOSES = frozenset({"SECURITY", "EXECUTION"})
#: The versions that this router can read, purpose or not: a supergraph is nothing without these specifications.
_FOUNDATIONS = {
    f"{_HOME}core": ("0.1", "0.2"),
    f"{_HOME}link": ("1.0",),
    f"{_HOME}join": ("0.1", "0.2", "0.3", "0.4", "0.5"),
}
#: The versions of other specifications that this router acts on, or need not act on to answer rightly.
_KNOWN = {
    **_FOUNDATIONS,
    f"{_HOME}tag": ("0.1", "0.2", "0.3"),
    f"{_HOME}inaccessible": ("0.1", "0.2"),
    f"{_HOME}authenticated": ("0.1",),
    f"{_HOME}requiresScopes": ("0.1",),
    f"{_HOME}policy": ("0.1",),
    f"{_HOME}context": ("0.1",),
    f"{_HOME}cost": ("0.1",),
    f"{_HOME}cacheTag": ("0.1",),
    # Passed on by composition, which reads its own result with this, as `plan` does. What serves it: `check_served`.
    CONNECT: ("0.1", "0.2", "0.3", "0.4"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """One linked specification; `imports` maps local names to the specification's, directives with their @."""

    url: str
    identity: str
    name: str
    version: str | None
    purpose: str | None
    namespace: str
    imports: dict[str, str]

    def local_names(self, directive: str) -> set[str]:
        """What the supergraph calls one of the specification's directives, both without @."""
        imported = {local.removeprefix("@") for local, spec in self.imports.items() if spec == f"@{directive}"}
        return imported | {self.namespace if directive == self.name else f"{self.namespace}__{directive}"}


def links_of(document: DocumentNode) -> list[Link]:
    """The links of a supergraph's schema definition, in their order."""
    applied = [
        directive
        for node in document.definitions
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode)
        for directive in node.directives or ()
    ]
    names = {"link", "core", *_names_of_linking(applied)}
    return [_read(arguments) for name, arguments in _with_arguments(applied) if name in names]


def check_features(links: Iterable[Link]) -> None:
    """Raises UnsupportedLinkedFeatureError for what must not be passed over and is not known here."""
    for link in links:
        is_foundation = link.identity in _FOUNDATIONS
        if not is_foundation and link.purpose not in _PURPOSES:
            continue
        versions = _KNOWN.get(link.identity)
        if versions is None:
            raise UnsupportedLinkedFeatureError(
                f'The supergraph links "{link.url}" for {link.purpose}, which this router does not know: it would answer '
                f"as if it were not there. Use a router that knows it, or link it without `for:` if it can be ignored."
            )
        if link.version not in versions:
            raise UnsupportedLinkedFeatureError(
                f'The supergraph links "{link.url}", a version that this router does not know: it knows '
                f"{', '.join(f'v{version}' for version in versions)}."
            )


def needs_connectors(links: Iterable[Link]) -> bool:
    """Whether some of the graph's data come by requests that connectors describe, which this router does not send."""
    return any(link.identity == CONNECT and link.purpose in _PURPOSES for link in links)


def check_served(*, has_connectors: bool) -> None:
    """Raises UnsupportedLinkedFeatureError for a graph that can be composed and read here, and not be answered."""
    if has_connectors:
        raise UnsupportedLinkedFeatureError(
            f'The supergraph links "{CONNECT}" for EXECUTION: some of its subgraphs are no GraphQL servers but REST APIs that '
            "connectors describe, which this router does not ask. Serve those behind a GraphQL server of their own."
        )


def _names_of_linking(applied: Iterable[ConstDirectiveNode]) -> Iterator[str]:
    """What the schema calls the directive by which it links: `link`, `core`, or the name that its own link gives it."""
    for name, arguments in _with_arguments(applied):
        link = _read(arguments)
        if link.identity in (f"{_HOME}link", f"{_HOME}core") and name in link.local_names(link.name):
            yield name


def _with_arguments(applied: Iterable[ConstDirectiveNode]) -> Iterator[tuple[str, dict[str, Any]]]:
    for node in applied:
        yield node.name.value, {each.name.value: value_from_ast_untyped(each.value) for each in node.arguments or ()}


def _read(arguments: dict[str, Any]) -> Link:
    url = str(arguments.get("url") or arguments.get("feature") or "")
    match = _URL.fullmatch(url)
    identity, name, version = (match["identity"], match["name"], match["version"]) if match else (url, url, None)
    imports = {}
    imported = arguments.get("import") or ()
    for item in imported if isinstance(imported, list | tuple) else [imported]:
        spec = str(item.get("name", "")) if isinstance(item, dict) else str(item)
        imports[str(item.get("as") or spec) if isinstance(item, dict) else spec] = spec
    return Link(
        url,
        identity,
        name,
        version,
        purpose=arguments.get("for"),
        namespace=str(arguments.get("as") or name),
        imports=imports,
    )
