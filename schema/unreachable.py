"""Fields that cannot be reached, told by what keeps them from it: one wrong `@key` cuts off many fields and is one finding.

`satisfiability` finds the fields; `findings_of` puts those together that have a cause in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from schema.codes import Finding, quoted
from schema.reachability import Reason

#: So many fields are named in a message; all of them are in the finding's coordinates.
_NAMED_FIELDS = 10


@dataclass(frozen=True, slots=True)
class Unreachable:
    """`field` of the object type `type` cannot be had where the object comes from `origins`, as in the operation `witness`.

    `keys` are the resolvable ones of the type, by subgraph. `condition` tells with which override labels; None for always.
    """

    type: str
    field: str
    origins: frozenset[str]
    witness: str
    reasons: tuple[Reason, ...]
    keys: tuple[tuple[str, str], ...] = ()
    condition: str | None = None

    @property
    def coordinate(self) -> str:
        return f"{self.type}.{self.field}"


def finding_of(one: Unreachable) -> Finding:
    """SATISFIABILITY_ERROR for this field alone."""
    return _Cause([one]).finding()


def findings_of(found: Iterable[Unreachable | Finding]) -> Iterator[Finding]:
    """SATISFIABILITY_ERROR for each cause, in the order in which they are first met, between other findings.

    Fields of a type have a cause in common where the same keeps one from asking whoever resolves them, wherever the object
    comes from; and then, where keys are what is missing, if objects from the same subgraphs lack them. So where one of
    three subgraphs has another key than the others, one finding says that nothing leads there, and one that nothing leads
    away.
    """
    by_reasons: dict[object, _Cause | Finding] = {}
    for number, each in enumerate(found):
        if isinstance(each, Finding):
            by_reasons[number] = each
        else:
            _add(by_reasons, (each.type, each.reasons, each.condition), _Cause([each]))
    by_origins: dict[object, _Cause | Finding] = {}
    for number, cause in enumerate(by_reasons.values()):
        if isinstance(cause, Finding):
            by_origins[number] = cause
        else:
            first = cause.fields[0]
            alike = (first.type, cause.origins, first.condition) if cause.is_about_keys else number
            _add(by_origins, alike, cause)
    for cause in by_origins.values():
        yield cause if isinstance(cause, Finding) else cause.finding()


def _add(causes: dict[object, _Cause | Finding], key: object, cause: _Cause) -> None:
    known = causes.setdefault(key, cause)
    if isinstance(known, _Cause) and known is not cause:
        known.fields += cause.fields


@dataclass(slots=True)
class _Cause:
    """Of several `fields`, all are of one type and under one condition."""

    fields: list[Unreachable]

    @property
    def origins(self) -> frozenset[str]:
        return frozenset(origin for each in self.fields for origin in each.origins)

    @property
    def reasons(self) -> list[Reason]:
        return list(dict.fromkeys(reason for each in self.fields for reason in each.reasons))

    @property
    def is_about_keys(self) -> bool:
        return all(reason.is_about_keys for reason in self.reasons)

    def finding(self) -> Finding:
        owners = dict.fromkeys(reason.subgraph for reason in self.reasons if reason.subgraph is not None)
        # The lonely side is likely to be the one with the mistake, and a few places only are shown to people.
        concerned = sorted((sorted(self.origins), list(owners)), key=len)
        return Finding(
            "SATISFIABILITY_ERROR",
            "\n".join(self._lines()),
            tuple(dict.fromkeys(name for side in concerned for name in side)),
            tuple(dict.fromkeys(each.coordinate for each in self.fields)),
        )

    def _lines(self) -> Iterator[str]:
        first = self.fields[0]
        names = list(dict.fromkeys(each.field for each in self.fields))
        if len(names) == 1:
            yield f'Field "{first.coordinate}" cannot be resolved for an operation that is valid in the API:'
        else:
            yield (
                f'{len(names)} fields of "{first.type}" cannot be resolved for operations that are valid in the API: '
                f"{_listed(names)}. For example:"
            )
        yield first.witness
        yield f"  - the object comes from {_listed(sorted(first.origins))}{self._told_elsewhere(first)}"
        yield from (f"  - {reason.text}" for reason in self.reasons)
        if first.keys and any(reason.is_about_keys for reason in self.reasons):
            yield f'  - keys of "{first.type}" are {_told_keys(first.keys)}: one that both sides have leads from one to the other'
        if first.condition is not None:
            yield f"  - with the override labels {first.condition}"

    def _told_elsewhere(self, first: Unreachable) -> str:
        others = sorted(self.origins - first.origins)
        return f"; the same goes for objects from {_listed(others)}" if others else ""


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f'"{name}"' for name in names[:_NAMED_FIELDS])
    return shown if len(names) <= _NAMED_FIELDS else f"{shown} and {len(names) - _NAMED_FIELDS} more"


def _told_keys(keys: Sequence[tuple[str, str]]) -> str:
    """`"id" in subgraphs "a" and "b"; "sku" in subgraph "c"`."""
    subgraphs: dict[str, list[str]] = {}
    for subgraph, key in keys:
        subgraphs.setdefault(key, []).append(subgraph)
    return "; ".join(f'"{key}" in {quoted(names)}' for key, names in subgraphs.items())
