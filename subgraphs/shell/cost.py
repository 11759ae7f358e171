"""What fields cost, told in the schema with `@cost` and `@listSize`, so that routers refuse what would cost too much.

Connections get their size by rule, from `graphql_schema`; every other list of objects says its own with `list_size`,
which `fittracker schema lint` asks for.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

import strawberry
from strawberry.federation.schema_directives import FederationDirective, ImportedFrom
from strawberry.federation.versions import FederationVersion
from strawberry.schema_directive import Location, schema_directive

from subgraphs.shell.keyset import DEFAULT_PAGE
from subgraphs.shell.pagination import Connection

_SPECIFICATION = "https://specs.apollo.dev/federation/v2.9"


@schema_directive(locations=[Location.FIELD_DEFINITION], name="listSize", print_definition=False)
class ListSize(FederationDirective):
    """How many entries a list has: as many as the one given slicing argument says, or the assumed number."""

    assumed_size: int | None = strawberry.UNSET
    slicing_arguments: list[str] | None = strawberry.UNSET
    sized_fields: list[str] | None = strawberry.UNSET
    require_one_slicing_argument: bool | None = strawberry.UNSET
    imported_from: ClassVar[ImportedFrom] = ImportedFrom("listSize", _SPECIFICATION)
    minimum_version: ClassVar[FederationVersion] = (2, 9)


@schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.ARGUMENT_DEFINITION], name="cost", print_definition=False
)
class Cost(FederationDirective):
    """What a field costs in place of its type's one, or a given argument in addition."""

    weight: int
    imported_from: ClassVar[ImportedFrom] = ImportedFrom("cost", _SPECIFICATION)
    minimum_version: ClassVar[FederationVersion] = (2, 9)


#: An object costs 1. A search reads up to 400 index entries and ranks them; a password is hashed with 19 MiB in 30 ms.
SEARCH_COST = Cost(weight=50)
PASSWORD_COST = Cost(weight=300)
#: Up to 1,000 points in lists of numbers, which cost nothing each: read and merged in the time of some ten objects.
SERIES_COST = Cost(weight=10)

_CONNECTION_SIZE = ListSize(
    assumed_size=DEFAULT_PAGE,
    slicing_arguments=["first", "last"],
    sized_fields=["edges", "nodes"],
    require_one_slicing_argument=False,
)


def list_size(assumed: int) -> ListSize:
    """Of a list that is no connection: how many entries a long one has, which may be fewer than the most it could have."""
    return ListSize(assumed_size=assumed)


def size_connections(definitions: Iterable[Any]) -> None:
    """Puts `@listSize` on every field that answers with a connection. `definitions` are Strawberry's, of a built schema."""
    for definition in definitions:
        for field in getattr(definition, "fields", ()):
            kind = getattr(field.type, "of_type", field.type)
            origin = getattr(getattr(kind, "__strawberry_definition__", None), "origin", None)
            is_connection = isinstance(origin, type) and issubclass(origin, Connection)
            if is_connection and not any(isinstance(each, ListSize) for each in field.directives):
                field.directives.append(_CONNECTION_SIZE)
