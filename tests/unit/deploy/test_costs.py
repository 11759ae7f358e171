"""What FitTracker's own operations cost, and that what would flood it costs too much; by the production file."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from graphql import parse

from deploy.stack import PRODUCTION_ROUTER
from router.access.demand import DemandControl, TooExpensiveError
from router.operation import VariableCoercion, normalize, parse_and_validate
from router.settings import DemandControl as Settings
from router.supergraph.api_schema import build_api_schema

ROOT = Path(__file__).parents[3]
DASHBOARD = ROOT / "benchmarks" / "fittracker" / "dashboard.graphql"
SAMPLES = sorted((ROOT / "deploy" / "workbench" / "operations").glob("*.graphql"))

NESTED = "{me{meals{nodes{user{meals{nodes{user{meals{nodes{user{meals{nodes{id}}}}}}}}}}}}}"
MANY_SEARCHES = "{" + " ".join(f'a{n}: foods(search: "chicken") {{ nodes {{ id }} }}' for n in range(400)) + "}"
LONG_SEARCHES = (
    "query ($words: String!) {"
    + " ".join(f"a{n}: exercises(search: $words, first: 100) {{ nodes {{ id name }} }}" for n in range(40))
    + "}"
)
GUESSES = (
    "mutation {"
    + " ".join(f'a{n}: login(input: {{email: "a@b.c", password: "{n}"}}) {{ accessToken }}' for n in range(20))
    + "}"
)


@cache
def supergraph() -> str:
    return (ROOT / "schema" / "fittracker" / "supergraph.graphql").read_text(encoding="utf-8")


def cost(operation: str, variables: dict[str, Any]) -> float:
    """By the shipped budget: raises TooExpensiveError beyond it."""
    settings = Settings.model_validate(yaml.safe_load(PRODUCTION_ROUTER.read_text(encoding="utf-8"))["demand_control"])
    assert settings.enabled
    assert settings.mode == "enforce"
    schema = build_api_schema(parse(supergraph()))
    control = DemandControl(supergraph(), schema, settings)
    prepared = normalize(parse_and_validate(operation, schema), None, schema, lift_literals=True)
    values = VariableCoercion.of(prepared, schema).coerce(variables)
    control.check(prepared, values)
    return control.cost_of(prepared, values)


def test_the_dashboard_fits_ten_times_into_the_budget() -> None:
    assert cost(DASHBOARD.read_text(encoding="utf-8"), {"date": "2026-01-31", "from": "2026-01-01"}) == 435


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_every_shipped_sample_fits_forty_times(file: Path) -> None:
    variables = file.with_suffix(".json")
    given = json.loads(variables.read_text(encoding="utf-8")) if variables.exists() else {}
    assert cost(file.read_text(encoding="utf-8"), given) <= 125


def test_a_page_of_fifty_meals_with_all_their_foods_fits() -> None:
    assert (
        cost("{ me { meals(first: 50) { nodes { slot items { grams food { name portions { label } } } } } } }", {})
        < 5_000
    )


@pytest.mark.parametrize(
    ("operation", "variables"),
    [(NESTED, {}), (MANY_SEARCHES, {}), (LONG_SEARCHES, {"words": "x" * 500_000}), (GUESSES, {})],
    ids=["nested-connections", "400-aliases", "40-long-searches", "20-logins"],
)
def test_what_would_flood_the_subgraphs_is_refused(operation: str, variables: dict[str, Any]) -> None:
    with pytest.raises(TooExpensiveError):
        cost(operation, variables)
