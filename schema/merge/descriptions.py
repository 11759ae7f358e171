"""Merging descriptions: the one that most subgraphs give, and a hint where they differ."""

from __future__ import annotations

from collections.abc import Mapping

from schema.codes import quoted
from schema.merge.model import Findings
from schema.subgraph import Element


def common_description(elements: Mapping[str, Element], coordinate: str, findings: Findings) -> str | None:
    """The text most subgraphs use; of equally common ones the first."""
    texts = {subgraph: element.description for subgraph, element in elements.items() if element.description}
    return choose_description(texts, coordinate, findings)


def choose_description(texts: Mapping[str, str], coordinate: str, findings: Findings) -> str | None:
    """As `common_description`, of the texts themselves by subgraph."""
    if not texts:
        return None
    given = list(texts.values())
    chosen = max(given, key=given.count)
    if others := [subgraph for subgraph, text in texts.items() if text != chosen]:
        same = [subgraph for subgraph, text in texts.items() if text == chosen]
        findings.hint(
            "INCONSISTENT_DESCRIPTION",
            f'"{coordinate}" is described in different words: those of {quoted(same)} are used, not those of '
            f"{quoted(others)}.",
            tuple(texts),
            (coordinate,),
        )
    return chosen
