"""Composition: subgraphs in, supergraph out, or all errors of the first step that finds any.

Read, validate, upgrade, merge, print, check the result, check that all of it can be reached.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from graphql import GraphQLError, print_schema, validate_schema

from router.errors import SupergraphError
from router.supergraph import Supergraph, parse_sdl, read_supergraph
from schema.codes import Finding
from schema.graphql_wording import coordinates_in, lacks_interface_field, lacks_interface_of_interface
from schema.locations import located
from schema.merge import Findings, MergedSchema, merge_subgraphs
from schema.result_rules import check_result
from schema.satisfiability import check_satisfiability
from schema.subgraph import Subgraph, SubgraphSource
from schema.subgraph_reader import SubgraphInvalidError, read_subgraph
from schema.supergraph_printer import print_supergraph
from schema.upgrade import check_bases, upgrade_all
from schema.validation import check_composed_directives, validate_federation, validate_graphql


@dataclass(frozen=True, slots=True)
class Composition:
    """`supergraph_sdl` and `api_sdl` are None where there are errors; hints never stop a composition."""

    supergraph_sdl: str | None
    api_sdl: str | None
    errors: tuple[Finding, ...] = ()
    hints: tuple[Finding, ...] = ()


def compose(sources: Sequence[SubgraphSource]) -> Composition:
    """Compose subgraphs; the order in which they are given does not matter."""
    with _without_garbage_collection():
        return _compose(sources)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """The trees of all subgraphs live to the end: searching them for garbage again and again took half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _compose(sources: Sequence[SubgraphSource]) -> Composition:
    findings = Findings()
    subgraphs = _read_all(sources, findings)
    documents = {subgraph.name: subgraph.document for subgraph in subgraphs}
    supergraph = _supergraph_of(subgraphs, findings)
    errors, hints = located(findings.errors, documents), located(findings.hints, documents)
    if supergraph is None or errors:
        return Composition(None, None, errors, hints)
    return Composition(supergraph.sdl, print_schema(supergraph.api_schema) + "\n", hints=hints)


def _supergraph_of(subgraphs: list[Subgraph], findings: Findings) -> Supergraph | None:
    """One step after the other; what a step finds ends the composition, for the next one relies on it."""
    _validate(subgraphs, findings)
    if findings.errors:
        return None
    _upgrade(subgraphs, findings)
    if findings.errors:
        return None
    merged = _merge(subgraphs, findings)
    if findings.errors:
        return None
    supergraph = _check_result(print_supergraph(merged), merged, findings)
    if supergraph is not None and not findings.errors:
        findings.add(check_satisfiability(supergraph))
    return supergraph


# -- the steps -----------------------------------------------------------------------------------------------------------


def _read_all(sources: Sequence[SubgraphSource], findings: Findings) -> list[Subgraph]:
    subgraphs = []
    for source in sorted(sources, key=lambda each: each.name):
        try:
            subgraphs.append(read_subgraph(source))
        except SubgraphInvalidError as error:
            findings.errors += error.findings
    for name in sorted({source.name for source in sources}):
        if sum(source.name == name for source in sources) > 1:
            findings.error("INVALID_SUBGRAPH_NAME", f'Two subgraphs are called "{name}".', (name,))
        if not name or name.startswith("__") or name == "_":
            findings.error("INVALID_SUBGRAPH_NAME", f'"{name}" cannot be the name of a subgraph.', (name,))
    return subgraphs


def _validate(subgraphs: Sequence[Subgraph], findings: Findings) -> None:
    """Each by itself. Federation's own rules are for what is valid GraphQL; for federation 1, see `_upgrade`."""
    for subgraph in subgraphs:
        invalid = validate_graphql(subgraph)
        findings.errors += invalid
        if not invalid and subgraph.is_federation_2:
            findings.errors += validate_federation(subgraph)


def _upgrade(subgraphs: list[Subgraph], findings: Findings) -> None:
    """What a subgraph of federation 1 means depends on the others, so these have to be valid before.

    It is judged as it is written, but where nothing of a type is left, only that is told.
    """
    old = [subgraph for subgraph in subgraphs if not subgraph.is_federation_2]
    findings.add(check_bases(old, subgraphs))
    found = {subgraph.name: validate_federation(subgraph) for subgraph in old}
    emptied = list(upgrade_all(subgraphs))
    findings.add(emptied)
    for name in sorted(found.keys() - {name for finding in emptied for name in finding.subgraphs}):
        findings.add(found[name])


def _merge(subgraphs: list[Subgraph], findings: Findings) -> MergedSchema:
    findings.add(check_bases([each for each in subgraphs if each.is_federation_2], subgraphs))
    merged = merge_subgraphs(subgraphs, findings)
    query = merged.types.get("Query")
    if query is None or not query.fields:
        findings.error("NO_QUERIES", "No queries found in any subgraph: give one a `type Query` with a field.")
    return merged


def _check_result(sdl: str, merged: MergedSchema, findings: Findings) -> Supergraph | None:
    """What is printed, read as the router reads it; None where it cannot be."""
    try:
        document = parse_sdl(sdl)
    except GraphQLError as error:
        findings.error("INVALID_GRAPHQL", f"The subgraphs together are not valid GraphQL: {error.message}")
        return None
    findings.add(check_result(document))
    if findings.errors:
        return None
    try:
        supergraph = read_supergraph(sdl, document)
        problems: list[GraphQLError] = list(validate_schema(supergraph.api_schema))
        problems += check_composed_directives(document, merged.directive_definitions)
    except SupergraphError as error:
        findings.error("INVALID_GRAPHQL", error.message)
        return None
    findings.add(_told(problems, supergraph))
    return supergraph


def _told(problems: Sequence[GraphQLError], supergraph: Supergraph) -> Iterator[Finding]:
    """GraphQL's own complaints about the merged graph, under the codes that federation gives them."""
    lacks_fields = any(lacks_interface_field(problem.message) for problem in problems)
    for problem in problems:
        message = problem.message
        if lacks_fields and lacks_interface_of_interface(message):
            continue  # follows from the same: one subgraph does not know what an interface implements in another
        code = "INTERFACE_FIELD_NO_IMPLEM" if lacks_interface_field(message) else "INVALID_GRAPHQL"
        # GraphQL names types and fields in its messages as schema coordinates.
        known = supergraph.api_schema.type_map
        coordinates = tuple(name for name in coordinates_in(message) if name.partition(".")[0] in known)
        yield Finding(code, message, (), coordinates)
