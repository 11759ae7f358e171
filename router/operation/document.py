"""Text to validated document: the GraphQL grammar, our structural limits, then the specification's rules.

`loaded_graph` parses and measures short texts; `planning_process.PrepareJob` parses long ones, validates, and has `normalize`
take the document on. `loaded_graph` caches the outcome by text and operation name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLDeferDirective,
    GraphQLError,
    GraphQLSchema,
    GraphQLStreamDirective,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import StreamDirectiveOnListField

from router.errors import DocumentInvalidError, DocumentSyntaxError, LimitExceededError
from router.operation.plain_parser import plain_document
from router.operation.plain_validity import is_plainly_valid
from router.operation.stream_rule import StreamOnListsRule

MAX_REPORTED_ERRORS = 50
_RULES = tuple(StreamOnListsRule if rule is StreamDirectiveOnListField else rule for rule in specified_rules)


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Bounds that hold before any work which grows faster than the text. Counts are after inlining fragments."""

    tokens: int = 15_000
    depth: int = 100
    aliases: int = 1_000
    fields: int = 10_000
    root_fields: int = 500
    directives: int = 1_000
    variable_values: int = 20_000  # in all variables of a request together, whatever they are nested in
    repeats: int = 200  # of one response key in one selection set: the merge rule compares them pairwise


DEFAULT_LIMITS = DocumentLimits()


def parse_and_validate(
    text: str,
    api_schema: GraphQLSchema,
    limits: DocumentLimits = DEFAULT_LIMITS,
    *,
    hide_suggestions: bool = False,
) -> DocumentNode:
    """Raises DocumentSyntaxError, LimitExceededError or DocumentInvalidError."""
    document = parse_document(text, limits)
    check_limits(document, limits)
    validate_document(document, api_schema, hide_suggestions=hide_suggestions)
    return document


def parse_document(text: str, limits: DocumentLimits = DEFAULT_LIMITS) -> DocumentNode:
    """Its nodes may have no locations; those of introspection fields have. Raises DocumentSyntaxError, LimitExceededError."""
    # Every token needs a character, so this bounds the lexer's work too; comments and spaces count as text.
    if len(text) > limits.tokens * 100:
        raise LimitExceededError("TOKEN", limits.tokens)
    document = plain_document(text, limits.tokens)
    if document is not None:
        return document
    try:
        return parse(text, max_tokens=limits.tokens, allow_empty_selection_sets=False)
    except GraphQLSyntaxError as error:
        if error.message.endswith("tokens. Parsing aborted."):
            raise LimitExceededError("TOKEN", limits.tokens) from None
        if "nested too deeply" in error.message:
            raise LimitExceededError("DEPTH", limits.depth) from None
        raise DocumentSyntaxError(error.message, _locations(error)) from None
    except RecursionError:
        raise LimitExceededError("DEPTH", limits.depth) from None


def validate_document(document: DocumentNode, api_schema: GraphQLSchema, *, hide_suggestions: bool = False) -> None:
    """Raises DocumentInvalidError, in graphql-core's words."""
    if is_plainly_valid(document, api_schema):
        return
    if document.loc is not None and document.definitions[0].loc is None:
        document = parse(document.loc.source.body)  # with the places that errors tell
    try:
        errors = validate(
            with_incremental_directives(api_schema),
            document,
            rules=_rules_for(document),
            max_errors=MAX_REPORTED_ERRORS,
            hide_suggestions=hide_suggestions,
            allow_empty_selection_sets=False,
        )
    except RecursionError:
        raise DocumentInvalidError([("The document is nested too deeply.", [])]) from None
    if errors:
        raise DocumentInvalidError([(error.message, _locations(error)) for error in errors])


def _rules_for(document: DocumentNode) -> tuple[type[ASTValidationRule], ...]:
    """The specification's rules without those that cannot find anything: every rule costs a call for every node.

    A rule about variables, for one, has nothing to say where the text has no `$`, not even in a string.
    """
    text = document.loc.source.body if document.loc is not None else None
    if text is None:
        return _RULES
    present = frozenset(marker for marker in ("$", "@", "...", "fragment", "(", "__", "subscription") if marker in text)
    known = _RULES_BY_MARKERS.get(present)
    if known is None:
        known = _RULES_BY_MARKERS[present] = tuple(
            rule
            for rule in _RULES
            if rule.__name__ not in _ONLY_WITH or any(marker in present for marker in _ONLY_WITH[rule.__name__])
        )
    return known


#: Rules that report nothing unless one of these is in the text; a rule that is not named here always runs.
_ONLY_WITH: dict[str, tuple[str, ...]] = {
    "SingleFieldSubscriptionsRule": ("subscription",),
    "KnownTypeNamesRule": ("$", "...", "fragment"),
    "FragmentsOnCompositeTypesRule": ("...", "fragment"),
    "VariablesAreInputTypesRule": ("$",),
    "UniqueFragmentNamesRule": ("fragment",),
    "KnownFragmentNamesRule": ("...",),
    "NoUnusedFragmentsRule": ("fragment",),
    "PossibleFragmentSpreadsRule": ("...",),
    "NoFragmentCyclesRule": ("...",),
    "UniqueVariableNamesRule": ("$",),
    "NoUndefinedVariablesRule": ("$",),
    "NoUnusedVariablesRule": ("$",),
    "KnownDirectivesRule": ("@",),
    "UniqueDirectivesPerLocationRule": ("@",),
    "DeferStreamDirectiveOnRootField": ("@",),
    "DeferStreamDirectiveOnValidOperationsRule": ("@",),
    "DeferStreamDirectiveLabel": ("@",),
    "StreamOnListsRule": ("@",),
    "KnownArgumentNamesRule": ("(",),
    "UniqueArgumentNamesRule": ("(",),
    "ValuesOfCorrectTypeRule": ("(",),
    "VariablesInAllowedPositionRule": ("$",),
    "UniqueInputFieldNamesRule": ("(",),
    "MaxIntrospectionDepthRule": ("__",),
}
_RULES_BY_MARKERS: dict[frozenset[str], tuple[type[ASTValidationRule], ...]] = {}


def with_incremental_directives(api_schema: GraphQLSchema) -> GraphQLSchema:
    """The schema that also knows `@defer` and `@stream`; remembered on the schema itself, as validation asks for it every time."""
    known: GraphQLSchema | None = api_schema.extensions.get("router.with_incremental_directives")
    if known is None:
        if api_schema.get_directive("defer") is not None:
            known = api_schema
        else:
            settings = api_schema.to_kwargs()
            settings["directives"] = (*settings["directives"], GraphQLDeferDirective, GraphQLStreamDirective)
            settings["assume_valid"] = True
            known = GraphQLSchema(**settings)
        api_schema.extensions["router.with_incremental_directives"] = known
    return known


@dataclass(frozen=True, slots=True)
class _Size:
    """What a selection set costs with its fragments inlined."""

    fields: int = 0
    depth: int = 0
    aliases: int = 0
    directives: int = 0
    own_fields: int = 0  # of the first level only
    repeats: int = 0


def check_limits(document: DocumentNode, limits: DocumentLimits) -> int:
    """Measures in one pass over the text, each fragment once, however often it is spread. Raises LimitExceededError.

    Gives the fields of the largest operation after inlining: the measure of how long validating and planning may take.
    """
    try:
        sizes = list(_sizes_of_operations(document))
    except RecursionError:  # a long chain of fragments
        raise LimitExceededError("DEPTH", limits.depth) from None
    for size in sizes:
        if size.depth > limits.depth:
            raise LimitExceededError("DEPTH", limits.depth, size.depth)
        if size.fields > limits.fields:
            raise LimitExceededError("FIELD", limits.fields, size.fields)
        if size.aliases > limits.aliases:
            raise LimitExceededError("ALIAS", limits.aliases, size.aliases)
        if size.own_fields > limits.root_fields:
            raise LimitExceededError("ROOT_FIELD", limits.root_fields, size.own_fields)
        if size.directives > limits.directives:
            raise LimitExceededError("DIRECTIVE", limits.directives, size.directives)
        if size.repeats > limits.repeats:
            raise LimitExceededError("REPEATED_FIELD", limits.repeats, size.repeats)
    return max((size.fields for size in sizes), default=0)


def _sizes_of_operations(document: DocumentNode) -> Iterator[_Size]:
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    measured: dict[str, _Size] = {}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            yield _measure(node.selection_set, fragments, measured)


def _measure(
    selection_set: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], measured: dict[str, _Size]
) -> _Size:
    fields = depth = aliases = directives = own_fields = repeats = 0
    seen: dict[str, int] = {}
    for node in selection_set.selections:
        directives += len(node.directives or ())
        if isinstance(node, FieldNode):
            own_fields += 1
            key = (node.alias or node.name).value
            seen[key] = seen.get(key, 0) + 1
            aliases += node.alias is not None
            inner = _measure(node.selection_set, fragments, measured) if node.selection_set else _Size()
            fields += 1
            depth = max(depth, inner.depth + 1)
        else:
            inner = (
                _measure_fragment(node.name.value, fragments, measured)
                if isinstance(node, FragmentSpreadNode)
                else _measure(node.selection_set, fragments, measured)  # type: ignore[attr-defined]
            )
            own_fields += inner.own_fields
            depth = max(depth, inner.depth)
        fields += inner.fields
        aliases += inner.aliases
        directives += inner.directives
        repeats = max(repeats, inner.repeats)
    return _Size(fields, depth, aliases, directives, own_fields, max(repeats, *seen.values()) if seen else repeats)


def _measure_fragment(name: str, fragments: dict[str, FragmentDefinitionNode], measured: dict[str, _Size]) -> _Size:
    if name not in measured:
        measured[name] = _Size()  # a cycle measures as nothing here; validation reports it
        if name in fragments:
            measured[name] = _measure(fragments[name].selection_set, fragments, measured)
    return measured[name]


def _locations(error: GraphQLError) -> list[dict[str, int]]:
    return [{"line": place.line, "column": place.column} for place in error.locations or ()]
