"""What the federation specifications define: directive names by version, machinery types, link imports.

Data only: what a name means in a subgraph is found with it, and what a subgraph may use without defining it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SPECIFICATIONS_HOME = "https://specs.apollo.dev"
FEDERATION_IDENTITY = "https://specs.apollo.dev/federation"
LINK_IDENTITY = "https://specs.apollo.dev/link"
CONNECT_IDENTITY = "https://specs.apollo.dev/connect"
#: connect v0.1 came with federation v2.10, and each of its versions with the next one of federation.
CONNECT_SINCE = 9
LATEST_VERSION = (2, 14)

#: Directives of federation by the version that brought them.
DIRECTIVES_SINCE: dict[str, tuple[int, int]] = {
    "key": (1, 0),
    "requires": (1, 0),
    "provides": (1, 0),
    "external": (1, 0),
    "extends": (1, 0),
    "tag": (2, 0),
    "shareable": (2, 0),
    "inaccessible": (2, 0),
    "override": (2, 0),
    "composeDirective": (2, 1),
    "interfaceObject": (2, 3),
    "authenticated": (2, 5),
    "requiresScopes": (2, 5),
    "policy": (2, 6),
    "context": (2, 8),
    "fromContext": (2, 8),
    "cost": (2, 9),
    "listSize": (2, 9),
    "cacheTag": (2, 12),
}
_ALL_BUT_EXECUTABLE = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT"
    " | INPUT_FIELD_DEFINITION"
)
_ACCESS = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"
_FIELDS = "(fields: federation__FieldSet!)"

#: (arguments, repeatable, locations) of each directive, in the newest version.
SIGNATURES: dict[str, tuple[str, bool, str]] = {
    "key": ("(fields: federation__FieldSet!, resolvable: Boolean = true)", True, "OBJECT | INTERFACE"),
    "requires": (_FIELDS, False, "FIELD_DEFINITION"),
    "provides": (_FIELDS, False, "FIELD_DEFINITION"),
    "external": ("(reason: String)", False, "OBJECT | FIELD_DEFINITION"),
    "extends": ("", False, "OBJECT | INTERFACE"),
    "tag": ("(name: String!)", True, f"{_ALL_BUT_EXECUTABLE} | SCHEMA"),
    "shareable": ("", True, "OBJECT | FIELD_DEFINITION"),
    "inaccessible": ("", False, _ALL_BUT_EXECUTABLE),
    "override": ("(from: String!, label: String)", False, "FIELD_DEFINITION"),
    "composeDirective": ("(name: String!)", True, "SCHEMA"),
    "interfaceObject": ("", False, "OBJECT"),
    "authenticated": ("", False, _ACCESS),
    "requiresScopes": ("(scopes: [[federation__Scope!]!]!)", False, _ACCESS),
    "policy": ("(policies: [[federation__Policy!]!]!)", False, _ACCESS),
    "context": ("(name: String!)", True, "INTERFACE | OBJECT | UNION"),
    "fromContext": ("(field: federation__ContextFieldValue)", False, "ARGUMENT_DEFINITION"),
    "cost": (
        "(weight: Int!)",
        False,
        "ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
    ),
    "listSize": (
        (
            "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],"
            " requireOneSlicingArgument: Boolean = true)"
        ),
        False,
        "FIELD_DEFINITION",
    ),
    "cacheTag": ("(format: String!)", True, "OBJECT | FIELD_DEFINITION"),
}
#: Directives of the connect specification as far as composition has to know them: it passes them on as they are.
CONNECT_SIGNATURES: dict[str, tuple[str, bool, str]] = {
    "connect": (
        (
            "(source: String, id: String, http: connect__Value, batch: connect__Value, errors: connect__Value,"
            " isSuccess: connect__Value, selection: connect__Value!, entity: Boolean)"
        ),
        True,
        "FIELD_DEFINITION | OBJECT",
    ),
    "source": (
        "(name: String!, http: connect__Value!, errors: connect__Value, isSuccess: connect__Value)",
        True,
        "SCHEMA",
    ),
}
SCALARS = frozenset({"FieldSet", "Scope", "Policy", "ContextFieldValue"})

#: Types that every subgraph has for the router's sake and that are no part of the graph.
MACHINERY_TYPES = frozenset({"_Any", "_Entity", "_Service", "_FieldSet"})
MACHINERY_QUERIES = frozenset({"_entities", "_service"})
BUILT_IN_SCALARS = frozenset({"Int", "Float", "String", "Boolean", "ID"})
BUILT_IN_DIRECTIVES = frozenset({"skip", "include", "deprecated", "specifiedBy", "oneOf", "defer", "stream"})

_LINK_URL = re.compile(r"^(?P<identity>https?://.+/(?P<name>[^/]+))/v(?P<major>\d{1,9})\.(?P<minor>\d{1,9})/?$")


@dataclass(frozen=True, slots=True)
class Link:
    """One `@link`: `imports` maps local names to the specification's, both without `@`; types without prefix too."""

    url: str
    identity: str
    name: str
    version: tuple[int, int]
    namespace: str
    imports: dict[str, str]

    @property
    def is_specified(self) -> bool:
        """Whether composition knows the specification itself."""
        return self.identity.startswith(f"{SPECIFICATIONS_HOME}/")

    def qualified(self, spec_name: str) -> str:
        """What one of the specification's directives is called without an import."""
        return self.namespace if spec_name == self.name else f"{self.namespace}__{spec_name}"

    def spec_name(self, local: str) -> str | None:
        """The specification's name of a directive, or None where the name is not this link's."""
        if local in self.imports:
            return self.imports[local]
        if local == self.namespace:
            return self.name
        prefix = f"{self.namespace}__"
        return local.removeprefix(prefix) if local.startswith(prefix) else None


def parse_link_url(url: str) -> tuple[str, str, tuple[int, int]] | None:
    """Identity, name and version of a specification's URL; None where it has another form."""
    match = _LINK_URL.match(url)
    if match is None:
        return None
    return match["identity"], match["name"], (int(match["major"]), int(match["minor"]))
