"""Prints a merged schema as a join-spec v0.5 supergraph that any federation router loads, in a stable order.

Types come by name, fields and values in the order in which subgraphs have them, so that a diff of two supergraphs shows
changes only.
"""

from __future__ import annotations

from collections.abc import Iterable

from schema.graph_names import graph_names
from schema.merge import FieldJoin, MergedDirective, MergedField, MergedInputValue, MergedSchema, MergedType, TypeJoin
from schema.subgraph import Kind

# What the join, link and other specifications define; a supergraph has to carry these texts.
_JOIN_DEFINITIONS = """\
directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION

directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE

directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String, contextArguments: [join__ContextArgument!]) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION

directive @join__graph(name: String!, url: String!) on ENUM_VALUE

directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE

directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR

directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION

directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
"""
_JOIN_TYPES = """\
input join__ContextArgument {
  name: String!
  type: String!
  context: String!
  selection: join__FieldValue!
}

scalar join__DirectiveArguments

scalar join__FieldSet

scalar join__FieldValue

%s

scalar link__Import

enum link__Purpose {
  \"\"\"
  `SECURITY` features provide metadata necessary to securely resolve fields.
  \"\"\"
  SECURITY

  \"\"\"
  `EXECUTION` features provide metadata necessary for operation execution.
  \"\"\"
  EXECUTION
}
"""
#: directive -> (link, definitions)
SPECIFICATIONS: dict[str, tuple[str, str]] = {
    "tag": (
        '@link(url: "https://specs.apollo.dev/tag/v0.3")',
        (
            "directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION"
            " | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA"
        ),
    ),
    "inaccessible": (
        '@link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)',
        (
            "directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR"
            " | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION"
        ),
    ),
    "authenticated": (
        '@link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)',
        "directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
    ),
    "requiresScopes": (
        '@link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)',
        (
            "directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE"
            " | SCALAR | ENUM\n\nscalar requiresScopes__Scope"
        ),
    ),
    "policy": (
        '@link(url: "https://specs.apollo.dev/policy/v0.1", for: SECURITY)',
        (
            "directive @policy(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"
            "\n\nscalar policy__Policy"
        ),
    ),
    "connect": ('@link(url: "https://specs.apollo.dev/connect/v0.3", for: EXECUTION)', ""),
    "cacheTag": ('@link(url: "https://specs.apollo.dev/cacheTag/v0.1", for: EXECUTION)', ""),
    "context": (
        '@link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)',
        (
            "directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION\n\n"
            "directive @context__fromContext(field: context__ContextFieldValue) on ARGUMENT_DEFINITION\n\n"
            "scalar context__ContextFieldValue"
        ),
    ),
    "cost": (
        '@link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost", "@listSize"])',
        (
            "directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION"
            " | OBJECT | SCALAR\n\ndirective @listSize(assumedSize: Int, slicingArguments: [String!],"
            " sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION"
        ),
    ),
}


def print_supergraph(schema: MergedSchema) -> str:
    """The supergraph's SDL."""
    return _Printer(schema).print()


class _Printer:
    def __init__(self, schema: MergedSchema) -> None:
        self.schema = schema
        self.graphs = graph_names(schema.subgraphs)

    def print(self) -> str:
        blocks = [self._schema(), _JOIN_DEFINITIONS.strip()]
        used = {("cost" if name == "listSize" else name) for name in self.schema.used_directives}
        blocks += [definition for name, (_, definition) in SPECIFICATIONS.items() if name in used and definition]
        definitions = self.schema.directive_definitions | {
            name: self._directive(directive) for name, directive in self.schema.executable_directives.items()
        }
        blocks += [text for _, text in sorted(definitions.items())]
        blocks.append((_JOIN_TYPES % self._graph_enum()).strip())
        blocks += [self._type(merged) for _, merged in sorted(self.schema.types.items())]
        return "\n\n".join(blocks) + "\n"

    def _schema(self) -> str:
        links = [
            '@link(url: "https://specs.apollo.dev/link/v1.0")',
            '@link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)',
        ]
        used = {("cost" if name == "listSize" else name) for name in self.schema.used_directives}
        links += [link for name, (link, _) in SPECIFICATIONS.items() if name in used]
        links += [*self.schema.composed_links, *self.schema.directives]
        roots = [
            f"  {kind.lower()}: {kind}" for kind in ("Query", "Mutation", "Subscription") if kind in self.schema.types
        ]
        header = f"{_description(self.schema.description)}schema\n"
        return header + "".join(f"  {link}\n" for link in links) + "{\n" + "\n".join(roots) + "\n}"

    def _graph_enum(self) -> str:
        values = [
            f"  {self.graphs[subgraph.name]} @join__graph(name: {_string(subgraph.name)}, url: {_string(subgraph.url)})"
            for subgraph in sorted(self.schema.subgraphs, key=lambda each: self.graphs[each.name])
        ]
        return "enum join__Graph {\n" + "\n".join(values) + "\n}"

    def _directive(self, directive: MergedDirective) -> str:
        repeatable = " repeatable" if directive.repeatable else ""
        arguments = self._arguments(directive.arguments)
        text = f"directive @{directive.name}{arguments}{repeatable} on {' | '.join(directive.locations)}"
        return _description(directive.description) + text

    # -- types -------------------------------------------------------------------------------------------------

    def _type(self, merged: MergedType) -> str:
        keyword = {Kind.OBJECT: "type", Kind.INPUT: "input"}.get(merged.kind, merged.kind.value)
        interfaces = sorted({interface for _, interface in merged.implements})
        header = f"{keyword} {merged.name}" + (f" implements {' & '.join(interfaces)}" if interfaces else "")
        directives = [
            f'@join__implements(graph: {self.graphs[subgraph]}, interface: "{interface}")'
            for subgraph, interface in sorted(merged.implements, key=lambda item: (self.graphs[item[0]], item[1]))
        ]
        directives += [self._type_join(join) for join in merged.joins]
        directives += [
            f'@join__unionMember(graph: {self.graphs[subgraph]}, member: "{member}")'
            for subgraph, member in merged.members
        ]
        directives += merged.directives
        lines = "".join(f"\n  {directive}" for directive in directives)
        return _description(merged.description) + header + lines + self._body(merged)

    def _body(self, merged: MergedType) -> str:
        if merged.kind is Kind.UNION:
            return "\n = " + " | ".join(dict.fromkeys(member for _, member in merged.members))
        if merged.kind is Kind.SCALAR:
            return ""
        if merged.kind is Kind.ENUM:
            lines = [
                _description(value.description, "  ")
                + f"  {value.name}"
                + "".join(f" @join__enumValue(graph: {self.graphs[name]})" for name in value.subgraphs)
                + "".join(f" {directive}" for directive in value.directives)
                for value in merged.values
            ]
        elif merged.kind is Kind.INPUT:
            lines = [self._input_value(value) for value in merged.input_fields.values()]
        else:
            lines = [self._field(field) for field in merged.fields.values()]
        return "\n{\n" + "\n".join(lines) + "\n}"

    def _field(self, field: MergedField) -> str:
        return _description(field.description, "  ") + self._with_directives(
            f"  {field.name}{self._arguments(field.arguments)}: {field.type}", field.joins, field.directives
        )

    def _arguments(self, arguments: list[MergedInputValue]) -> str:
        return f"({', '.join(map(self._argument, arguments))})" if arguments else ""

    def _argument(self, argument: MergedInputValue) -> str:
        default = f" = {argument.default}" if argument.default is not None else ""
        described = f"{_block(argument.description, '')} " if argument.description else ""
        return self._with_directives(f"{described}{argument.name}: {argument.type}{default}", (), argument.directives)

    def _input_value(self, value: MergedInputValue) -> str:
        default = f" = {value.default}" if value.default is not None else ""
        return _description(value.description, "  ") + self._with_directives(
            f"  {value.name}: {value.type}{default}", value.joins, value.directives
        )

    def _with_directives(self, text: str, joins: Iterable[FieldJoin], directives: Iterable[str]) -> str:
        return " ".join([text, *(self._field_join(join) for join in joins), *directives])

    # -- joins -------------------------------------------------------------------------------------------------

    def _type_join(self, join: TypeJoin) -> str:
        arguments = [f"graph: {self.graphs[join.subgraph]}"]
        if join.key is not None:
            arguments.append(f"key: {_string(join.key)}")
        if join.extension:
            arguments.append("extension: true")
        if not join.resolvable:
            arguments.append("resolvable: false")
        if join.is_interface_object:
            arguments.append("isInterfaceObject: true")
        return f"@join__type({', '.join(arguments)})"

    def _field_join(self, join: FieldJoin) -> str:
        arguments = [f"graph: {self.graphs[join.subgraph]}"] if join.subgraph is not None else []
        for name, text in (
            ("requires", join.requires),
            ("provides", join.provides),
            ("type", join.type),
            ("override", join.override),
            ("overrideLabel", join.override_label),
        ):
            if text is not None:
                arguments.append(f"{name}: {_string(text)}")
        if join.external:
            arguments.append("external: true")
        if join.used_overridden:
            arguments.append("usedOverridden: true")
        if join.context_arguments:
            contexts = ", ".join(
                f'{{context: "{each.context}", name: "{each.name}", type: "{each.type}", selection: '
                f"{_string(each.selection)}}}"
                for each in join.context_arguments
            )
            arguments.append(f"contextArguments: [{contexts}]")
        return f"@join__field({', '.join(arguments)})" if arguments else "@join__field"


def _string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _description(text: str | None, indent: str = "") -> str:
    return f"{indent}{_block(text, indent)}\n" if text else ""


def _block(text: str, indent: str) -> str:
    safe = text.replace('"""', '\\"""')
    if "\n" not in safe and len(safe) < 70 and not safe.endswith(('"', "\\")):
        return f'"""{safe}"""'
    lines = "".join(f"{indent}{line}\n" if line else "\n" for line in safe.split("\n"))
    return f'"""\n{lines}{indent}"""'
