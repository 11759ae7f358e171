"""Fields that only callers with certain scopes may use: one directive says so to routers, and is enforced here by itself.

Routers take such a field out of an operation before they ask us; whoever comes past them meets the same rule.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from graphql import GraphQLObjectType, GraphQLResolveInfo
from strawberry import Info, Schema
from strawberry.federation.schema_directives import FederationDirective, ImportedFrom
from strawberry.federation.versions import FederationVersion
from strawberry.schema_directive import Location, schema_directive
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from subgraphs.shell.grant_area import GrantArea
from subgraphs.shell.key_scope import KEY, OWN_ACCOUNT, READ, WRITE, KeyScope, reading
from subgraphs.shell.lean_executor import OfInfo


@schema_directive(locations=[Location.FIELD_DEFINITION], name="requiresScopes", print_definition=False)
class RequiresScopes(FederationDirective):
    """Whoever has all scopes of any of these sets may use the field."""

    scopes: list[list[str]]
    imported_from: ClassVar[ImportedFrom] = ImportedFrom("requiresScopes", "https://specs.apollo.dev/federation/v2.9")
    minimum_version: ClassVar[FederationVersion] = (2, 5)


ADMINISTRATORS_ONLY = RequiresScopes(scopes=[["admin"]])
#: For whoever has the role PREMIUM, and for no API key.
PREMIUM_ONLY = RequiresScopes(scopes=[["premium"]])
#: For whoever has signed in, and for every API key.
ANY_KEY = RequiresScopes(scopes=[[READ], [KEY]])
#: For whoever has signed in, and for no API key.
NO_KEY = RequiresScopes(scopes=[[READ]])


#: For whoever has signed in, also where the account waits for its erasure; for no API key.
OF_OWN_ACCOUNT = RequiresScopes(scopes=[[WRITE], [OWN_ACCOUNT]])


def reads(*areas: GrantArea) -> RequiresScopes:
    """For whoever has signed in, and for API keys that may read all of these areas."""
    return RequiresScopes(scopes=[[READ], [reading(area).value for area in areas]])


READS_BODY = reads(GrantArea.BODY)
READS_DIARY = reads(GrantArea.DIARY)
READS_TRAINING = reads(GrantArea.TRAINING)
READS_PROGRESS = reads(GrantArea.PROGRESS)

READS_WEBHOOKS = RequiresScopes(scopes=[[READ], [KeyScope.MANAGE_WEBHOOKS.value]])


def writes(scope: KeyScope | None) -> RequiresScopes:
    """For whoever has signed in, and for API keys with this scope; None: for no key."""
    return RequiresScopes(scopes=[[WRITE]] if scope is None else [[WRITE], [scope.value]])


def required_scopes(field: StrawberryField) -> list[list[str]] | None:
    """None for a field that is open to everybody."""
    found = [each for each in field.directives if isinstance(each, RequiresScopes)]
    return found[0].scopes if found else None


def enforce_scopes(schema: Schema) -> None:
    """Put the rule before the resolver of every field that has the directive."""
    for graphql_type in schema._schema.type_map.values():  # noqa: SLF001 - Strawberry offers no other way to it
        concrete = schema.schema_converter.type_map.get(graphql_type.name)
        definition = concrete.definition if concrete is not None else None
        if not isinstance(graphql_type, GraphQLObjectType) or not isinstance(definition, StrawberryObjectDefinition):
            continue
        for field in definition.fields:
            scopes = required_scopes(field)
            if scopes is not None:
                graphql_field = graphql_type.fields[schema.config.name_converter.get_graphql_name(field)]
                if graphql_field.subscribe is not None:  # what it resolves to are the events of one that was let in
                    graphql_field.subscribe = _guarded(graphql_field.subscribe, scopes)
                    continue
                assert graphql_field.resolve is not None
                graphql_field.resolve = _guarded(graphql_field.resolve, scopes)


def _guarded(resolve: Callable[..., Any], scopes: list[list[str]]) -> Callable[..., Any]:
    if isinstance(resolve, OfInfo):
        function = resolve.function

        def guarded_function(source: Any, info: Info) -> Any:
            info.context.require_scopes(scopes)
            return function(source, info)

        return OfInfo(guarded_function, resolve.field)

    def guarded(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        info.context.require_scopes(scopes)
        return resolve(source, info, **arguments)

    return guarded
