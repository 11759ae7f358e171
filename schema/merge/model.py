"""What merging produces and the printer prints: one definition per type, with what each subgraph says of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schema.codes import Finding, Level
from schema.subgraph import Kind, Subgraph


@dataclass(frozen=True, slots=True)
class ContextJoin:
    """One of `@join__field(contextArguments:)`: the argument `name` is filled with `selection` of the context."""

    context: str
    name: str
    type: str
    selection: str


@dataclass(frozen=True, slots=True)
class FieldJoin:
    """`@join__field`; `subgraph` None stands for a field that only interface objects resolve."""

    subgraph: str | None = None
    type: str | None = None
    requires: str | None = None
    provides: str | None = None
    external: bool = False
    override: str | None = None
    override_label: str | None = None
    used_overridden: bool = False
    context_arguments: tuple[ContextJoin, ...] = ()

    def is_plain(self) -> bool:
        """Whether it says no more than none: an override shows in what it does to the other subgraph."""
        texts = self.type, self.requires, self.provides, self.override_label
        return texts == _NOTHING and not (self.external or self.used_overridden or self.context_arguments)


_NOTHING = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class TypeJoin:
    """`@join__type`"""

    subgraph: str
    key: str | None = None
    extension: bool = False
    resolvable: bool = True
    is_interface_object: bool = False


@dataclass(slots=True)
class MergedInputValue:
    name: str
    type: str
    description: str | None = None
    default: str | None = None
    directives: list[str] = field(default_factory=list)
    joins: list[FieldJoin] = field(default_factory=list)


@dataclass(slots=True)
class MergedField:
    name: str
    type: str
    description: str | None = None
    arguments: list[MergedInputValue] = field(default_factory=list)
    directives: list[str] = field(default_factory=list)
    joins: list[FieldJoin] = field(default_factory=list)


@dataclass(slots=True)
class MergedValue:
    name: str
    subgraphs: list[str]
    description: str | None = None
    directives: list[str] = field(default_factory=list)


@dataclass(slots=True)
class MergedDirective:
    """A directive for operations."""

    name: str
    description: str | None
    arguments: list[MergedInputValue]
    repeatable: bool
    locations: list[str]


@dataclass(slots=True)
class MergedType:
    name: str
    kind: Kind
    description: str | None = None
    joins: list[TypeJoin] = field(default_factory=list)
    directives: list[str] = field(default_factory=list)
    implements: list[tuple[str, str]] = field(default_factory=list)  # (subgraph, interface)
    members: list[tuple[str, str]] = field(default_factory=list)  # (subgraph, member)
    fields: dict[str, MergedField] = field(default_factory=dict)
    input_fields: dict[str, MergedInputValue] = field(default_factory=dict)
    values: list[MergedValue] = field(default_factory=list)


@dataclass(slots=True)
class MergedSchema:
    types: dict[str, MergedType] = field(default_factory=dict)
    #: printed definitions of composed directives, by name
    directive_definitions: dict[str, str] = field(default_factory=dict)
    executable_directives: dict[str, MergedDirective] = field(default_factory=dict)
    #: names of federation's own directives that are applied somewhere
    used_directives: set[str] = field(default_factory=set)
    #: printed links of the specifications whose directives are composed
    composed_links: list[str] = field(default_factory=list)
    #: printed directives of the schema itself, links aside
    directives: list[str] = field(default_factory=list)
    description: str | None = None
    subgraphs: list[Subgraph] = field(default_factory=list)


@dataclass(slots=True)
class Findings:
    """Collected while merging; composition goes on after an error so that one run shows them all."""

    errors: list[Finding] = field(default_factory=list)
    hints: list[Finding] = field(default_factory=list)

    def add(self, found: Iterable[Finding]) -> None:
        """Each where its code belongs."""
        for finding in found:
            (self.hints if finding.level is Level.HINT else self.errors).append(finding)

    def error(
        self, code: str, message: str, subgraphs: tuple[str, ...] = (), coordinates: tuple[str, ...] = ()
    ) -> None:
        self.errors.append(Finding(code, message, subgraphs, coordinates))

    def hint(self, code: str, message: str, subgraphs: tuple[str, ...] = (), coordinates: tuple[str, ...] = ()) -> None:
        self.hints.append(Finding(code, message, subgraphs, coordinates))
