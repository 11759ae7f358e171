"""Composition: subgraphs in, supergraph out, or every error at once.

Called by `python -m schema compose`, by the platform on start and on change, and by tests.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from graphql import DocumentNode, GraphQLError, parse, print_schema, validate_schema

from router.errors import SupergraphError
from router.supergraph import Supergraph, read_supergraph
from schema.codes import Finding
from schema.locations import located
from schema.merge import Findings, merge_subgraphs
from schema.result_rules import check_result
from schema.satisfiability import check_satisfiability
from schema.subgraph import Subgraph, SubgraphInvalidError, SubgraphSource, read_subgraph
from schema.supergraph_printer import print_supergraph
from schema.upgrade import check_bases, upgrade_all
from schema.validation import validate_federation, validate_graphql


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
    for subgraph in subgraphs:
        findings.errors += validate_graphql(subgraph) or (
            validate_federation(subgraph) if subgraph.is_federation_2 else ()
        )
    if findings.errors:
        return _failed(findings, documents)
    # What a subgraph of federation 1 means depends on the others, so these have to be valid before.
    findings.errors += check_bases([each for each in subgraphs if not each.is_federation_2], subgraphs)
    findings.errors += _upgrade(subgraphs)
    if findings.errors:
        return _failed(findings, documents)
    findings.errors += check_bases([each for each in subgraphs if each.is_federation_2], subgraphs)
    merged = merge_subgraphs(subgraphs, findings)
    if not getattr(merged.types.get("Query"), "fields", None):
        findings.error("NO_QUERIES", "No queries found in any subgraph: give one a `type Query` with a field.")
    if findings.errors:
        return _failed(findings, documents)
    sdl = print_supergraph(merged)
    supergraph = _check_result(sdl, findings)
    if supergraph is None or findings.errors:
        return _failed(findings, documents)
    findings.add(check_satisfiability(supergraph))
    if findings.errors:
        return _failed(findings, documents)
    hints = located(findings.hints, documents)
    return Composition(sdl, print_schema(supergraph.api_schema) + "\n", hints=hints)


def _upgrade(subgraphs: list[Subgraph]) -> list[Finding]:
    """A subgraph of federation 1 is judged as it is written, but where nothing of a type is left, only that is told."""
    old = [subgraph for subgraph in subgraphs if not subgraph.is_federation_2]
    found = {subgraph.name: validate_federation(subgraph) for subgraph in old}
    emptied = list(upgrade_all(subgraphs))
    without_emptied = found.keys() - {name for finding in emptied for name in finding.subgraphs}
    return emptied + [finding for name in sorted(without_emptied) for finding in found[name]]


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


def _check_result(sdl: str, findings: Findings) -> Supergraph | None:
    try:
        document = parse(sdl, no_location=True)
    except GraphQLError as error:
        findings.error("INVALID_GRAPHQL", f"The subgraphs together are not valid GraphQL: {error.message}")
        return None
    findings.errors += check_result(document)
    if findings.errors:
        return None
    try:
        supergraph = read_supergraph(sdl, document)
        problems: list[GraphQLError] = list(validate_schema(supergraph.api_schema))
    except SupergraphError as error:
        findings.error("INVALID_GRAPHQL", error.message)
        return None
    lacks_fields = any(_code_of(problem.message) == "INTERFACE_FIELD_NO_IMPLEM" for problem in problems)
    for problem in problems:
        if lacks_fields and "because it is implemented by" in problem.message:
            continue  # follows from the same: one subgraph does not know what an interface implements in another
        findings.error(_code_of(problem.message), problem.message, (), _coordinates_in(problem.message, supergraph))
    return supergraph


def _coordinates_in(message: str, supergraph: Supergraph) -> tuple[str, ...]:
    """GraphQL names types and fields in its messages as schema coordinates."""
    names = re.findall(r"[A-Za-z]\w*(?:\.\w+)?", message)
    return tuple(name for name in dict.fromkeys(names) if name.partition(".")[0] in supergraph.api_schema.type_map)


def _code_of(message: str) -> str:
    """GraphQL's own complaint about the merged schema under the code that federation gives it."""
    if "Interface field " in message and "argument" not in message and "does not provide it" in message:
        return "INTERFACE_FIELD_NO_IMPLEM"
    return "INVALID_GRAPHQL"


def _failed(findings: Findings, documents: Mapping[str, DocumentNode]) -> Composition:
    return Composition(None, None, located(findings.errors, documents), located(findings.hints, documents))
