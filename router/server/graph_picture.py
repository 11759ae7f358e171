"""The supergraph as data for a picture: which subgraphs there are, their root fields, and who adds what to which entity.

`console` serves it; the page draws it. Drawn from the graph in use, so it is never out of date.
"""

from __future__ import annotations

from typing import Any

from router.supergraph import SubgraphField, SubgraphType, Supergraph, TypeKind, print_field_set

MOST_ENTITIES = 300
ROOTS = ("query", "mutation", "subscription")


def graph_picture(supergraph: Supergraph) -> dict[str, Any]:
    """`subgraphs` with counts of their types and root fields; `entities` with what each subgraph has of them."""
    roots = {supergraph.root_types.get(kind): kind for kind in ROOTS}
    subgraphs = [
        {
            "name": name,
            "types": sum(1 for each in view.values() if each.kind is TypeKind.OBJECT and each.name not in roots),
            "roots": {
                kind: sorted(_own(view[type_name]))
                for type_name, kind in roots.items()
                if type_name is not None and type_name in view
            },
        }
        for name, view in supergraph.views.items()
    ]
    names = sorted({each.name for view in supergraph.views.values() for each in view.values() if each.keys})
    return {
        "subgraphs": subgraphs,
        "entities": [_entity(supergraph, name) for name in names[:MOST_ENTITIES]],
        "entitiesLeftOut": max(0, len(names) - MOST_ENTITIES),
    }


def _entity(supergraph: Supergraph, name: str) -> dict[str, Any]:
    """The subgraph that resolves most of the entity's fields comes first: it is shown as the owner."""
    parts: list[dict[str, Any]] = []
    for subgraph, view in supergraph.views.items():
        found = view.get(name)
        if found is None:
            continue
        keys = [key.text for key in found.keys]
        key_fields = {item for key in found.keys for item in key.text.split()}
        own = {field_name: each for field_name, each in _own(found).items() if field_name not in key_fields}
        parts.append(
            {
                "subgraph": subgraph,
                "keys": keys,
                "fields": sorted(own),
                "requires": {
                    field_name: print_field_set(each.requires)
                    for field_name, each in own.items()
                    if each.requires is not None
                },
                "isReference": not own or not any(key.resolvable for key in found.keys),
            }
        )
    parts.sort(key=lambda part: (part["isReference"], -len(part["fields"])))
    api_type = supergraph.api_schema.type_map.get(name)
    return {"name": name, "description": getattr(api_type, "description", None), "parts": parts}


def _own(type_: SubgraphType) -> dict[str, SubgraphField]:
    """The fields that the subgraph resolves itself."""
    return {
        name: each
        for name, each in type_.fields.items()
        if not each.external and not each.used_overridden and not name.startswith("_")
    }
