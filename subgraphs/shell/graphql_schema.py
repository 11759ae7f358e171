"""A Strawberry federation schema as all four subgraphs use it. Made by each `schema.py`, run by `graphql_http`.

Adds to Strawberry's: entities that fail alone, cached documents with a depth limit, and internal errors kept internal.
"""

from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import strawberry
import structlog
from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    execute,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import StreamDirectiveOnListField
from strawberry.exceptions import MissingQueryError
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import SchemaExtension
from strawberry.extensions.query_depth_limiter import create_validator
from strawberry.federation.schema import FederationAny
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import DEFAULT_ALLOWED_OPERATION_TYPES
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from events.envelope import new_id
from events.failures import Fault, fault_of, reason_of
from events.lineage import begin_request
from subgraphs.shell.compiled_operation import PreparedDocument
from subgraphs.shell.context import Context, Info
from subgraphs.shell.cost import size_connections
from subgraphs.shell.defaults import leave_out_null_defaults
from subgraphs.shell.errors import UnavailableError
from subgraphs.shell.input_bounds import BoundedLiterals
from subgraphs.shell.kept_documents import KeptDocuments
from subgraphs.shell.lean_executor import lean_executor
from subgraphs.shell.node import Node
from subgraphs.shell.query_execution import QueryExecution
from subgraphs.shell.representations import RepresentationReader, refused
from subgraphs.shell.resolvers import shorten_resolvers
from subgraphs.shell.scalars import SCALARS
from subgraphs.shell.scopes import enforce_scopes
from subgraphs.shell.security_log import record_security_events
from subgraphs.shell.sharing import declare_scopes, enforce_sharing

_log = structlog.get_logger("subgraphs.shell.errors")

DEEPEST_SELECTION = 20
MOST_TOKENS = 50_000
#: All that there are but the one about `@stream`, which no subgraph has and which another refuses: it raises where a union's field has it.
_SPECIFIED = [rule for rule in specified_rules if rule is not StreamDirectiveOnListField]
_RULES: tuple[Any, ...] = (BoundedLiterals, *_SPECIFIED, create_validator(DEEPEST_SELECTION, None))

#: From a document's text to the document and what is wrong with it. Raises GraphQLSyntaxError.
PrepareDocument: TypeAlias = Callable[[str], PreparedDocument]


@dataclass(slots=True)
class _Told:
    """What is to be executed; `name` as it was told, and then that of the operation which it is."""

    name: str | None
    variables: dict[str, Any] | None
    context: Any
    root_value: Any


class CachedDocuments(SchemaExtension):
    """Each text is parsed and validated once, found again by the text. Strawberry's caches hash the whole document.

    Variables are looked at here too, before any is coerced.
    """

    def __init__(self, prepare: PrepareDocument) -> None:
        super().__init__()
        self._prepare = prepare
        self._prepared: PreparedDocument | None = None

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        self._prepared = self._prepare(context.query or "")
        context.graphql_document = self._prepared.document
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        assert self._prepared is not None
        context.pre_execution_errors = self._prepared.refusals(context.operation_name, context.variables)
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
        tells_scopes_of_user: bool = True,
    ) -> None:
        """`tells_scopes_of_user` is whether routers are to deny fields of User before they ask: not where an operation that
        comes without a token can sign somebody in, and go on as that person. The rule holds here either way.
        """
        self.documents = KeptDocuments(self._new_document)
        super().__init__(
            query=query,
            mutation=mutation,
            subscription=subscription,
            types=types,
            extensions=[lambda: CachedDocuments(self.documents.prepared)],
            config=StrawberryConfig(scalar_map=SCALARS),
            federation_version="2.9",
        )
        size_connections(each.definition for each in self.schema_converter.type_map.values())
        leave_out_null_defaults(self._schema)
        self._leaves = shorten_resolvers(self)
        self._entity_types = dict(self._origins_of_entities())
        self._shorten_entities()
        enforce_scopes(self)
        enforce_sharing(self, self._leaves)
        record_security_events(self)
        if tells_scopes_of_user:
            declare_scopes(self)
        self._lean_executor = lean_executor(self._leaves)
        self.execution_context_class = self._lean_executor

    def _new_document(self, text: str) -> PreparedDocument:
        """Raises GraphQLSyntaxError."""
        document = parse(text, max_tokens=MOST_TOKENS)
        return PreparedDocument(self._schema, self._leaves, document, validate(self._schema, document, _RULES))

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """What Strawberry's own gives, without its frame of hooks for extensions, which costs more than a small answer.

        Raises MissingQueryError, CannotGetOperationTypeError and InvalidOperationTypeError.
        """
        told = _Told(operation_name, variable_values, context_value, root_value)
        try:
            if not query:
                raise MissingQueryError
            prepared = self.documents.prepared(query)
            operation_type, told.name = prepared.named(operation_name)
            allowed = DEFAULT_ALLOWED_OPERATION_TYPES if allowed_operation_types is None else allowed_operation_types
            if operation_type not in allowed:
                raise InvalidOperationTypeError(operation_type)
            errors = prepared.refusals(told.name, variable_values)
            if not errors:
                result = await self._executed(told, prepared)
                if result.errors:
                    self._process(result.errors, told, query, operation_extensions)
                return ExecutionResult(data=result.data, errors=result.errors)
        except (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError):
            raise
        except Exception as error:
            errors = [error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)]
        self._process(errors, told, query, operation_extensions)
        return PreExecutionError(data=None, errors=errors)

    def _process(
        self, errors: list[GraphQLError], told: "_Told", query: str | None, extensions: dict[str, Any] | None
    ) -> None:
        """Strawberry's own hook, which is given an account of the operation that is made for it alone."""
        context = self._create_execution_context(
            query, (), told.variables, told.context, told.root_value, told.name, extensions
        )
        self.process_errors(errors, context)

    async def _executed(self, told: "_Told", prepared: PreparedDocument) -> Any:
        """What graphql-core's execution gives."""
        compiled = self._compiled_execution(told, prepared)
        if compiled is not None:
            return await compiled
        result: Any = execute(
            self._schema,
            prepared.document,
            root_value=told.root_value,
            context_value=told.context,
            variable_values=told.variables,
            operation_name=told.name,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # it does not say what it guards
            executor_class=self.execution_context_class,
        )
        return await result if optimized_is_awaitable(result) else result

    def _compiled_execution(self, told: "_Told", prepared: PreparedDocument) -> Coroutine[Any, Any, Any] | None:
        """Of a query whose variables are right; whatever else there is, refusals too, is for graphql-core."""
        operation = prepared.operation(told.name)
        if operation is None or self.execution_context_class is not self._lean_executor:
            return None
        variables = operation.variables(told.variables)
        tree = None if variables is None else operation.tree(variables.coerced)
        if variables is None or tree is None:
            return None
        return QueryExecution(tree, self._lean_executor, variables, told.context, told.root_value).run()

    def entities_resolver(self, info: Info, representations: list[FederationAny]) -> list[FederationAny]:
        """One result a representation: an entity, null, the error of that one alone, or a coroutine for one of these.

        Coroutines are over loaders; the executor awaits them together, so equal types are one batch.
        """
        return [self._entity(info, each) for each in representations]

    def _entity(self, info: Info, representation: Any) -> Any:
        if not isinstance(representation, dict):
            return refused("A representation must be an object.")
        name = representation.get("__typename")
        if not isinstance(name, str) or (found := self._entity_types.get(name)) is None:
            return refused(f"{str(name)[:100]!r} is no entity of this subgraph.")
        reader, origin, is_node = found
        try:
            keys = reader.read(representation, name)
            del keys["__typename"]
            if is_node and "nodeId" in keys and "id" not in keys:
                return origin.resolve_node(info, keys.pop("nodeId"), **keys)
            return origin.resolve_reference(info=info, **keys)
        except TypeError as error:
            return GraphQLError(f"The representation of {name} lacks a key.", original_error=error)
        except Exception as error:  # it belongs to this entity, not to its siblings
            return error

    def _origins_of_entities(self) -> Iterator[tuple[str, tuple[RepresentationReader, Any, bool]]]:
        """Of each type that can be resolved by a representation: what reads that, its class, and whether it is a Node."""
        for name, found in self.schema_converter.type_map.items():
            origin = getattr(found.definition, "origin", None)
            entity = self._schema.type_map.get(name)
            if hasattr(origin, "resolve_reference") and isinstance(entity, GraphQLObjectType):
                yield (
                    name,
                    (RepresentationReader(entity), origin, isinstance(origin, type) and issubclass(origin, Node)),
                )

    def _shorten_entities(self) -> None:
        """Have `_entities` given its representations as they came, which Strawberry would convert one by one to what they are."""
        query = self._schema.query_type
        concrete = self.schema_converter.type_map["Query"].definition
        if query is None or "_entities" not in query.fields:
            return
        assert isinstance(concrete, StrawberryObjectDefinition)
        field = next(each for each in concrete.fields if each.python_name == "_entities")

        def resolve(_source: Any, info: GraphQLResolveInfo[Any], representations: list[FederationAny]) -> Any:
            return self.entities_resolver(strawberry.Info(_raw_info=info, _field=field), representations)

        query.fields["_entities"].resolve = resolve

    def _get_middleware_manager(self, extensions: list[SchemaExtension]) -> Any:
        """None: no extension of ours resolves fields, and graphql-core then asks none for each field."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Errors without a code are the request's, and get one, or a server's that is away, or ours, and are masked."""
        for error in errors:
            raised = error.original_error
            if not error.extensions or "code" not in error.extensions:
                _give_code(error, execution_context)
            _let_go_of_frames(error, raised)

    async def stream(self, *args: Any, **named: Any) -> Any:
        """Each operation of a WebSocket has loaders of its own: those of an earlier one hold what was true then."""
        connection_context = named.get("context_value")
        if isinstance(connection_context, Context):
            named["context_value"] = connection_context.for_operation()
            begin_request(connection_context.correlation_id)
        return await super().stream(*args, **named)


def _give_code(error: GraphQLError, execution_context: ExecutionContext | None) -> None:
    if error.original_error is None or isinstance(error.original_error, GraphQLError):
        error.extensions = {**(error.extensions or {}), "code": _request_error_code(error)}
    elif fault_of(error.original_error) is Fault.INFRASTRUCTURE:
        _tell_unavailable(error)
    else:
        _mask(error, execution_context)


def _let_go_of_frames(error: GraphQLError, raised: Exception | None) -> None:
    """An error holds the frames that it came through, and the executor in one of them holds the error. Such circles stay until a
    full collection of garbage; thousands of refused sign-ins had one stop the event loop for most of a second.

    `raised` is what the error was made of, if it was.
    """
    waiting: list[BaseException | None] = [error, raised]
    while waiting:
        each = waiting.pop()
        if each is not None and (each is error or each.__traceback__ is not None):
            each.__traceback__ = None
            waiting += [each.__cause__, each.__context__]


def _request_error_code(error: GraphQLError) -> str:
    if error.path is not None or error.message.startswith("Variable "):
        return "BAD_USER_INPUT"
    return "GRAPHQL_PARSE_FAILED" if error.message.startswith("Syntax Error") else "GRAPHQL_VALIDATION_FAILED"


def _tell_unavailable(error: GraphQLError) -> None:
    _log.warning("unavailable", path=error.path, reason=reason_of(error.original_error or error))
    told = UnavailableError()
    error.message, error.extensions, error.original_error = str(told), dict(told.extensions), None


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
