"""A Strawberry federation schema as all four subgraphs use it. Made by each `schema.py`, run by `graphql_http`.

Adds to Strawberry's: entities that fail alone, cached documents with a depth limit, and internal errors kept internal.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from inspect import isawaitable
from typing import Any, TypeAlias

import strawberry
import structlog
from graphql import DocumentNode, GraphQLError, parse, specified_rules, validate
from strawberry.extensions import SchemaExtension
from strawberry.extensions.query_depth_limiter import create_validator
from strawberry.federation.schema import FederationAny
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from events.envelope import new_id
from subgraphs.context import Context, Info
from subgraphs.lean_executor import lean_executor
from subgraphs.resolvers import shorten_resolvers
from subgraphs.scalars import SCALARS

_log = structlog.get_logger("subgraphs.errors")

DEEPEST_SELECTION = 20
CACHED_DOCUMENTS = 1000
_RULES = (*specified_rules, create_validator(DEEPEST_SELECTION, None))

#: From a document's text to the document and what is wrong with it. Raises GraphQLSyntaxError.
PrepareDocument: TypeAlias = Callable[[str], tuple[DocumentNode, list[GraphQLError]]]


class CachedDocuments(SchemaExtension):
    """Each text is parsed and validated once, found again by the text. Strawberry's caches hash the whole document."""

    def __init__(self, prepare: PrepareDocument) -> None:
        super().__init__()
        self._prepare = prepare
        self._errors: list[GraphQLError] = []

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        context.graphql_document, self._errors = self._prepare(context.query or "")
        yield

    def on_validate(self) -> Iterator[None]:
        self.execution_context.pre_execution_errors = self._errors
        yield


class SubgraphSchema(strawberry.federation.Schema):
    """The schema of one subgraph."""

    def __init__(
        self,
        *,
        query: type,
        mutation: type | None = None,
        subscription: type | None = None,
        types: Iterable[type] = (),
    ) -> None:
        @lru_cache(maxsize=CACHED_DOCUMENTS)
        def prepare(text: str) -> tuple[DocumentNode, list[GraphQLError]]:
            document = parse(text)
            return document, validate(self._schema, document, _RULES)

        super().__init__(
            query=query,
            mutation=mutation,
            subscription=subscription,
            types=types,
            extensions=[lambda: CachedDocuments(prepare)],
            config=StrawberryConfig(scalar_map=SCALARS),
            federation_version="2.9",
        )
        self.execution_context_class = lean_executor(shorten_resolvers(self))

    async def entities_resolver(  # type: ignore[override]  # Strawberry awaits whatever a resolver returns
        self, info: Info, representations: list[FederationAny]
    ) -> list[FederationAny]:
        """One result a representation: an entity, null, or the error of that one alone.

        Reference resolvers are coroutines over loaders. Awaited together here, equal types are one batch, and
        graphql-core completes a list of plain objects instead of one coroutine each.
        """
        results = [self._entity(info, representation) for representation in representations]
        pending = [place for place, result in enumerate(results) if isawaitable(result)]
        found = await asyncio.gather(*(results[place] for place in pending), return_exceptions=True)
        for place, result in zip(pending, found, strict=True):
            results[place] = result
        return results

    def _entity(self, info: Info, representation: Any) -> Any:
        # A copy: two aliases of `_entities` may share the caller's variable.
        if not isinstance(representation, dict):
            return GraphQLError("A representation must be an object.")
        keys = dict(representation)
        found = self.schema_converter.type_map.get(keys.pop("__typename", ""))
        origin = getattr(getattr(found, "definition", None), "origin", None)
        resolve = getattr(origin, "resolve_reference", None)
        if resolve is None:
            return GraphQLError(f"{representation.get('__typename')!r} is no entity of this subgraph.")
        try:
            return resolve(info=info, **keys)
        except TypeError as error:
            return GraphQLError(
                f"The representation of {representation['__typename']} lacks a key.", original_error=error
            )
        except Exception as error:  # it belongs to this entity, not to its siblings
            return error

    def _get_middleware_manager(self, extensions: list[SchemaExtension]) -> Any:
        """None: no extension of ours resolves fields, and graphql-core then asks none for each field."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Errors without a code are either the request's, and get one, or ours, and are logged and masked."""
        for error in errors:
            if error.extensions and "code" in error.extensions:
                continue
            if error.original_error is None or isinstance(error.original_error, GraphQLError):
                error.extensions = {**(error.extensions or {}), "code": _request_error_code(error)}
            else:
                _mask(error, execution_context)

    async def stream(self, *args: Any, **named: Any) -> Any:
        """Each operation of a WebSocket has loaders of its own: those of an earlier one hold what was true then."""
        connection_context = named.get("context_value")
        if isinstance(connection_context, Context):
            named["context_value"] = connection_context.for_operation()
        return await super().stream(*args, **named)


def _request_error_code(error: GraphQLError) -> str:
    if error.path is not None or error.message.startswith("Variable "):
        return "BAD_USER_INPUT"
    return "GRAPHQL_PARSE_FAILED" if error.message.startswith("Syntax Error") else "GRAPHQL_VALIDATION_FAILED"


def _mask(error: GraphQLError, execution_context: ExecutionContext | None) -> None:
    error_id = new_id()
    _log.error(
        "internal_error",
        error_id=error_id,
        correlation_id=getattr(execution_context.context, "correlation_id", None) if execution_context else None,
        operation_name=execution_context.operation_name if execution_context else None,
        path=error.path,
        exc_info=error.original_error,
    )
    error.message = f"Something went wrong on our side. Quote error {error_id} when you report it."
    error.extensions = {"code": "INTERNAL_SERVER_ERROR", "errorId": error_id}
    error.original_error = None
