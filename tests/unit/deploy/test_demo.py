"""The demo front end as it is committed: its operations fit the graph, and what is served names nothing that is missing."""

from __future__ import annotations

import gzip
import re

from graphql import build_schema, parse, validate

from deploy.workbench import DEMO

OPERATIONS = DEMO.parent / "operations"
API = DEMO.parents[2] / "schema" / "fittracker" / "api.graphql"


def test_its_operations_fit_the_committed_graph() -> None:
    api = build_schema(API.read_text(encoding="utf-8"))
    documents = [file.read_text(encoding="utf-8") for file in sorted(OPERATIONS.glob("*.graphql"))]
    assert validate(api, parse("\n".join(documents))) == []


def test_what_is_built_names_only_files_that_are_there() -> None:
    page = (DEMO / "index.html").read_text(encoding="utf-8")
    script = gzip.decompress((DEMO / "app.js.gz").read_bytes()).decode()
    named = set(re.findall(r'(?:src|href)="([^":]+)"', page)) | set(re.findall(r'from"\./([^"]+)"', script))
    assert len(named) == 3
    assert {name for name in named if not (DEMO / f"{name}.gz").is_file()} == set()
