"""Can every field of the API be reached? Walks the API from its roots over the router's own query graph.

It starts with `{ me }` and every subgraph that resolves it, and goes on from each place with all ways of being there
(`Option`) at once: `{ me { orders } }` is fine where one of them leads to `User.orders`, by a key or directly. A field
that none leads to is told with the operation walked so far, its witness; so is one that subgraphs share without ever
being able to return the same object type.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_required_argument,
)

from router.query_graph import QueryGraph
from router.supergraph import Supergraph
from schema.codes import Finding
from schema.override_combinations import describe, label_combinations
from schema.reachability import Option, Reachability, Reason
from schema.unreachable import Unreachable, finding_of, findings_of

_Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


@dataclass(frozen=True, slots=True)
class _Step:
    """One field of a path; `condition` is the object type that it is asked of, where the place is abstract."""

    field: str
    definition: GraphQLField
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """A type of the API where an operation can be, in any of `options`."""

    type: _Composite
    options: frozenset[Option]
    path: tuple[_Step, ...]
    operation: str
    #: what types on the way here set by `@context`
    contexts: frozenset[str] = frozenset()


def check_satisfiability(supergraph: Supergraph) -> Iterator[Finding]:
    """SATISFIABILITY_ERROR for what keeps operations from fields of the API, and *_RUNTIME_TYPES_*."""
    combinations = label_combinations(supergraph)
    found: dict[object, tuple[_Found, list[frozenset[str]]]] = {}
    for labels in combinations:
        seen: set[object] = set()
        for each in _Walk(supergraph, QueryGraph(supergraph, labels)).findings():
            if each.key not in seen:
                seen.add(each.key)
                found.setdefault(each.key, (each, []))[1].append(labels)
    yield from findings_of(
        _under_condition(each.what, describe(failing, combinations, supergraph.override_labels))
        for each, failing in found.values()
    )


def _under_condition(what: Finding | Unreachable, labels: str | None) -> Finding | Unreachable:
    if labels is None:
        return what
    if isinstance(what, Unreachable):
        return replace(what, condition=labels)
    return replace(what, message=f"{what.message}\n  - with the override labels {labels}")


@dataclass(frozen=True, slots=True)
class _Found:
    """What is found at a field of the API."""

    coordinate: str
    what: Finding | Unreachable

    @property
    def key(self) -> object:
        """The same for what is found there once more, on another way."""
        if isinstance(self.what, Unreachable):
            return self.coordinate, self.what.origins
        return self.what.code, self.coordinate, self.what.subgraphs

    @property
    def finding(self) -> Finding:
        return finding_of(self.what) if isinstance(self.what, Unreachable) else self.what


class _Walk:
    """Breadth first, so that the witness of a failure is a shortest one."""

    def __init__(self, supergraph: Supergraph, graph: QueryGraph) -> None:
        self.api = supergraph.api_schema
        self.graph = graph
        self.reachability = Reachability(graph)
        self.roots = supergraph.root_types
        types = [view_type for view in supergraph.views.values() for view_type in view.values()]
        self.sets_contexts = any(view_type.contexts for view_type in types)
        self._contexts: dict[str, frozenset[str]] = {}
        self._fields_by_type: dict[str, list[tuple[str, GraphQLField, _Composite | None]]] = {}

    def findings(self) -> Iterator[_Found]:
        queue: deque[_Place] = deque()
        for operation, name in self.roots.items():
            root = self.api.type_map.get(name)
            if isinstance(root, GraphQLObjectType):
                place = _Place(root, self.reachability.roots(name), (), operation)
                if operation == "mutation":
                    yield from self._mutation_fields(place, root, queue)
                else:
                    queue.append(place)
        yield from self._below(queue)

    def _below(self, queue: deque[_Place]) -> Iterator[_Found]:
        seen: set[tuple[str, frozenset[Option], frozenset[str]]] = set()
        while queue:
            place = queue.popleft()
            for name, options, condition in self._objects(place):
                contexts = place.contexts | self._contexts_of(name)
                if (name, options, contexts) not in seen:
                    seen.add((name, options, contexts))
                    yield from self._fields(replace(place, contexts=contexts), name, options, condition, queue)

    def _mutation_fields(self, place: _Place, root: GraphQLObjectType, queue: deque[_Place]) -> Iterator[_Found]:
        """A mutation field that several subgraphs share is called in one of them only, so one has to be enough."""
        for field_name, field in root.fields.items():
            path = (_Step(field_name, field),)
            after = self.reachability.after_field(place.options, root.name, field_name)
            target = get_named_type(field.type)
            if not after:
                yield self._unreachable(place, root.name, field_name, place.options, path)
            elif isinstance(target, _Composite) and len(after) == 1:
                queue.append(_Place(target, after, path, place.operation))
            elif isinstance(target, _Composite):
                alone = [
                    [
                        each.finding
                        for each in self._below(deque((_Place(target, frozenset((option,)), path, place.operation),)))
                    ]
                    for option in sorted(after, key=lambda option: option.subgraph)
                ]
                if all(any(finding.code == "SATISFIABILITY_ERROR" for finding in each) for each in alone):
                    coordinate = f"{root.name}.{field_name}"
                    yield _Found(coordinate, self._not_by_one(coordinate, alone))

    def _objects(self, place: _Place) -> Iterator[tuple[str, frozenset[Option], str | None]]:
        """The object types that can be at a place, each with the options under which it is."""
        if isinstance(place.type, GraphQLObjectType):
            yield place.type.name, place.options, None
            return
        for possible in self.api.get_possible_types(place.type):
            options = self.reachability.narrow(place.options, possible.name)
            if options:
                yield possible.name, options, possible.name

    def _fields(
        self, place: _Place, name: str, options: frozenset[Option], condition: str | None, queue: deque[_Place]
    ) -> Iterator[_Found]:
        around = self.reachability.around(options, name)
        for field_name, field, target in self._fields_of(name):
            lacks_context = self._lacks_context(name, field_name, place.contexts)
            if target is None and not lacks_context and self.reachability.is_at_hand(around, field_name):
                continue  # as nearly every leaf is
            path = (*place.path, _Step(field_name, field, condition))
            after = self.reachability.after_field(options, name, field_name)
            if not after or lacks_context:
                yield self._unreachable(place, name, field_name, options, path)
            elif target is not None:
                if not isinstance(target, GraphQLObjectType):
                    # Of an interface that nothing implements, nobody can ask what it is.
                    is_implemented = bool(self.api.get_possible_types(target))
                    if is_implemented and not any(self.reachability.knows_object_type(option) for option in after):
                        coordinate = f"{name}.{field_name}"
                        yield _Found(coordinate, self._nameless(place, coordinate, target, after, path))
                    yield from self._compare_runtime_types(f"{name}.{field_name}", target.name, after, place, path)
                queue.append(_Place(target, after, path, place.operation, place.contexts))

    def _fields_of(self, name: str) -> list[tuple[str, GraphQLField, _Composite | None]]:
        """The fields of an object type, with the types of those that have something beneath them."""
        known = self._fields_by_type.get(name)
        if known is None:
            object_type = self.api.type_map[name]
            assert isinstance(object_type, GraphQLObjectType)
            named = (
                (field_name, field, get_named_type(field.type)) for field_name, field in object_type.fields.items()
            )
            known = self._fields_by_type[name] = [
                (field_name, field, target if isinstance(target, _Composite) else None)
                for field_name, field, target in named
            ]
        return known

    def _contexts_of(self, name: str) -> frozenset[str]:
        known = self._contexts.get(name)
        if known is None:
            known = self._contexts[name] = self.graph.contexts_of(name) if self.sets_contexts else frozenset()
        return known

    def _lacks_context(self, name: str, field: str, contexts: frozenset[str]) -> bool:
        """Whether everyone who resolves the field fills an argument from a context that nothing on the way here sets."""
        if not self.sets_contexts:
            return False
        edges = [self.graph.field(subgraph, name, field) for subgraph in self.graph.subgraphs_resolving(name, field)]
        return bool(edges) and all(
            edge is not None and any(argument.context not in contexts for argument in edge.context_arguments)
            for edge in edges
        )

    def _compare_runtime_types(
        self, coordinate: str, type_name: str, options: frozenset[Option], place: _Place, path: tuple[_Step, ...]
    ) -> Iterator[_Found]:
        """Subgraphs that share a field of abstract type answer alike, so they have to have types in common."""
        # One alone that returns an interface or union sees its objects; whoever declares the object has narrowed it.
        abstract = {option.subgraph for option in options if self.reachability.is_abstract(option)}
        if len(abstract) < 2:
            return
        types: dict[str, set[str]] = {}
        for option in options:
            types.setdefault(option.subgraph, set()).update(self.reachability.possible_types(option))
        if all(each == next(iter(types.values())) for each in types.values()):
            return
        said = "; ".join(
            f'in subgraph "{subgraph}" {", ".join(sorted(each)) or "none"}' for subgraph, each in sorted(types.items())
        )
        subgraphs = tuple(sorted(types))
        if not set.intersection(*types.values()):
            witness = print_witness(place.operation, path)
            yield _Found(
                coordinate,
                Finding(
                    "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
                    f'Subgraphs share "{coordinate}", but no object type of "{type_name}" is known to all of them: '
                    f"{said}. The answer would depend on who is asked:\n{witness}",
                    subgraphs,
                    (coordinate,),
                ),
            )
        else:
            yield _Found(
                coordinate,
                Finding(
                    "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN",
                    f'Subgraphs share "{coordinate}", but not all object types of "{type_name}": {said}. Make sure that '
                    f"they return the same objects.",
                    subgraphs,
                    (coordinate,),
                ),
            )

    def _nameless(
        self,
        place: _Place,
        coordinate: str,
        target: _Composite,
        options: frozenset[Option],
        path: tuple[_Step, ...],
    ) -> Finding:
        interface_objects = tuple(sorted({option.subgraph for option in options}))
        witness = print_witness(place.operation, path)
        return Finding(
            "SATISFIABILITY_ERROR",
            f'Nobody can tell which object "{coordinate}" returns: "{target.name}" is an @interfaceObject in subgraph '
            f'"{interface_objects[0]}", and no subgraph with the interface itself can be reached by a @key of it:\n{witness}',
            interface_objects,
            (coordinate,),
        )

    def _not_by_one(self, coordinate: str, alone: list[list[Finding]]) -> Finding:
        firsts = [next(finding for finding in each if finding.code == "SATISFIABILITY_ERROR") for each in alone]
        return Finding(
            "SATISFIABILITY_ERROR",
            f'Mutation field "{coordinate}" is shared, but it is called in one subgraph only and none of them leads to all '
            "that can be selected below it:\n" + "\n".join(finding.message for finding in firsts),
            tuple(sorted({subgraph for finding in firsts for subgraph in finding.subgraphs})),
            (coordinate,),
        )

    def _unreachable(
        self, place: _Place, name: str, field: str, options: frozenset[Option], path: tuple[_Step, ...]
    ) -> _Found:
        if self._lacks_context(name, field, place.contexts):
            reasons = [Reason("an argument is filled from a @context that no type on this way sets")]
        else:
            reasons = list(self.reachability.reasons(options, name, field))
        origins = frozenset(option.subgraph for option in options)
        witness = print_witness(place.operation, path)
        keys = self.reachability.keys(name)
        return _Found(f"{name}.{field}", Unreachable(name, field, origins, witness, tuple(reasons), keys))


def print_witness(operation: str, path: tuple[_Step, ...]) -> str:
    """The operation that follows a path, with variables for mandatory arguments."""
    variables: dict[str, str] = {}
    lines: list[str] = []
    depth = 1
    for step in path:
        if step.condition is not None:
            lines.append("  " * depth + f"... on {step.condition} {{")
            depth += 1
        arguments = []
        for name, argument in step.definition.args.items():
            if is_required_argument(argument):
                variable = name if name not in variables else f"{name}{len(variables)}"
                variables[variable] = str(argument.type)
                arguments.append(f"{name}: ${variable}")
        text = f"{step.field}({', '.join(arguments)})" if arguments else step.field
        lines.append("  " * depth + text + " {")
        depth += 1
    depth -= 1
    if _is_composite(get_named_type(path[-1].definition.type)):
        lines.append("  " * (depth + 1) + "__typename")
        lines.append("  " * depth + "}")
    else:
        lines[-1] = lines[-1].removesuffix(" {")
    lines += ["  " * level + "}" for level in range(depth - 1, 0, -1)]
    declared = f"({', '.join(f'${name}: {type_text}' for name, type_text in variables.items())})" if variables else ""
    return f"{operation}{declared} {{\n" + "\n".join(lines) + "\n}"


def _is_composite(named: GraphQLNamedType) -> bool:
    return isinstance(named, _Composite)
