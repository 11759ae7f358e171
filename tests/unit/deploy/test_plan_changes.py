"""`fittracker plan --against`: which recorded operations a schema change plans differently."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from deploy.plan import print_plan_changes
from schema import SubgraphSource, compose
from schema.verbs import VerbError

PRODUCTS = 'type Query { products: [Product!]! } type Product @key(fields: "id") { id: ID! name: String! '
PRICES = 'type Product @key(fields: "id") { id: ID! price: Int! }'


def supergraph(file: Path, products: str, prices: str = PRICES) -> Path:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"]) '
    composition = compose([SubgraphSource("products", link + products), SubgraphSource("prices", link + prices)])
    assert composition.supergraph_sdl is not None, composition.errors
    file.write_text(composition.supergraph_sdl)
    return file


def test_operations_whose_plans_differ_are_shown_and_lost_ones_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = supergraph(tmp_path / "old.graphql", PRODUCTS + "gone: Int }")
    new = supergraph(
        tmp_path / "new.graphql", PRODUCTS + "price: Int! @shareable }", PRICES.replace("Int!", "Int! @shareable")
    )
    recorded = tmp_path / "operations.jsonl"
    rows = [
        {"query": "query Prices { products { price } }", "operationName": "Prices", "count": 3},
        {"query": "query Prices { products { price } }", "operationName": "Prices", "count": 4},
        {"query": "query Names { products { name } }", "operationName": "Names"},
    ]
    recorded.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    assert print_plan_changes(old, new, recorded, [])
    told = capsys.readouterr().out
    assert "Prices: 2 fetches before, 1 after" in told
    assert "Names" not in told
    assert told.endswith("2 operations, 1 planned differently, 0 no longer possible\n")

    rows.append({"query": "query Gone { products { gone } }", "operationName": "Gone"})
    recorded.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    assert not print_plan_changes(old, new, recorded, [])
    told = capsys.readouterr().out
    assert "+refused: Cannot query field 'gone' on type 'Product'." in told
    assert told.endswith("3 operations, 2 planned differently, 1 no longer possible\n")


def test_records_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    old = supergraph(tmp_path / "old.graphql", PRODUCTS + "}")
    broken = tmp_path / "broken.jsonl"
    broken.write_text("no JSON\n")
    with pytest.raises(VerbError, match=r"broken\.jsonl:1"):
        print_plan_changes(old, old, broken, [])
