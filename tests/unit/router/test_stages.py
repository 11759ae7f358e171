"""Every stage of planning can be printed, and says what the pipeline really plans and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import deploy.cli
from router.__main__ import main
from router.errors import DocumentInvalidError
from router.stages import PlanStyle, Stage, StageQuestion, show
from schema import SubgraphSource, compose

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable", "@override"])'
)
SDLS = {
    "products": LINK
    + ' type Query { products: [Product!]! product(id: ID!): Product } type Product @key(fields: "id") { id: ID! '
    + "name: String! maker: String @shareable }",
    "reviews": LINK + ' type Product @key(fields: "id") { id: ID! stars: Float! maker: String @shareable }',
    "makers": LINK + ' type Product @key(fields: "id") { id: ID! @shareable origin: String @shareable }',
    "origins": LINK + ' type Product @key(fields: "id") { id: ID! @shareable origin: String @shareable stock: Int }',
}


@pytest.fixture(scope="module")
def supergraph() -> str:
    composition = compose([SubgraphSource(name, sdl, url=f"http://{name}") for name, sdl in SDLS.items()])
    assert composition.supergraph_sdl is not None, composition.errors
    return composition.supergraph_sdl


def ask(supergraph: str, stage: Stage, operation: str) -> str:
    return show(stage, StageQuestion(supergraph, operation))


def test_normalize_prints_what_is_planned(supergraph: str) -> None:
    text = """
        query Ask($v: Boolean!) { __schema { queryType { name } } product(id: 7) { ...F name @skip(if: true) } }
        fragment F on Product { id stars @include(if: $v) }
    """
    printed = ask(supergraph, Stage.NORMALIZE, text)

    assert "query Ask($v: Boolean!, $_0: ID!) {" in printed
    assert "product(id: $_0)" in printed
    assert "stars @include(if: $v)" in printed
    assert '# $_0 is "7"' in printed
    assert "# __schema and __type are answered by the router" in printed
    assert "name @skip" not in printed


def test_choices_tell_what_was_taken_and_what_the_others_would_have_cost(supergraph: str) -> None:
    printed = ask(supergraph, Stage.CHOICES, "{ products { name origin stock } }")

    assert "Product in products: { name origin stock }\n    is answered 1 deep, by 1 fetch, with weight 6" in printed
    assert (
        '    origin\n      - a fetch from makers by key "id": it would be 1 deep, by 2 fetches, with weight 7'
        in printed
    )
    assert '      + a fetch from origins by key "id"' in printed
    assert "here: name" in printed


def test_choices_tell_why_a_way_cannot_be_taken() -> None:
    sdls = {
        "a": LINK + ' type Query { t: T } type T @key(fields: "x") { x: ID! }',
        "b": LINK + ' type T @key(fields: "x") @key(fields: "y") { x: ID! y: ID! }',
        "c": LINK + ' type T @key(fields: "y") { y: ID! m: Int }',
    }
    composition = compose([SubgraphSource(name, sdl, url=f"http://{name}") for name, sdl in sdls.items()])
    assert composition.supergraph_sdl is not None
    printed = ask(composition.supergraph_sdl, Stage.CHOICES, "{ t { m } }")

    lines = [line.strip() for line in printed.splitlines()]
    found = lines.index("T in a, without c: { y }")

    assert lines[found + 1 : found + 5] == [
        "is answered 1 deep, by 1 fetch, with weight 3",
        "y",
        '+ a fetch from b by key "x"',
        "x c: its key, or what it requires, is what is being looked for",
    ]


def test_the_fetch_graph_tells_what_waits_for_what(supergraph: str) -> None:
    printed = ask(supergraph, Stage.FETCH_GRAPH, "{ products { name stars } }")

    assert printed.splitlines() == [
        "1. products, level 0, first",
        "   asks Query {products{name id}}",
        "2. reviews at products.@, level 1, after 1",
        "   of Product {id}",
        "   asks {...on Product{stars}}",
        '   for Product.stars by key "id"',
    ]


def test_an_operation_that_the_router_refuses_has_no_later_stage(supergraph: str) -> None:
    with pytest.raises(DocumentInvalidError):
        ask(supergraph, Stage.PLAN, "{ nothing }")


@pytest.fixture
def files(supergraph: str, tmp_path: Path) -> tuple[Path, Path]:
    graph, operations = tmp_path / "supergraph.graphql", tmp_path / "operations.graphql"
    graph.write_text(supergraph)
    operations.write_text("query A { products { stars } } query B { products { name origin } }")
    return graph, operations


def test_the_command_knows_every_stage_and_style() -> None:
    assert [each.value for each in deploy.cli.PlanStage] == [each.value for each in Stage]
    assert [each.value for each in deploy.cli.PlanFormat] == [each.value for each in PlanStyle]


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("style", list(PlanStyle))
def test_both_command_lines_print_the_same(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], stage: Stage, style: PlanStyle
) -> None:
    graph, operations = map(str, files)
    options = ["--operation-name", "B", "--label", "on", "--format", style.value]
    assert main([stage.value, graph, operations, *options]) == 0
    told = CliRunner().invoke(
        deploy.cli.app, ["plan", "--supergraph", graph, operations, "--stage", stage.value, *options]
    )

    assert told.exit_code == 0, told.output
    assert told.output == capsys.readouterr().out
    assert told.output.strip()


def test_both_command_lines_read_standard_input(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, operations = files
    with operations.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert main(["plan-json", str(graph), "--operation-name", "A"]) == 0
    options = ["plan", "--supergraph", str(graph), "--operation-name", "A", "--format", "json"]
    told = CliRunner().invoke(deploy.cli.app, options, input=operations.read_text())

    assert told.output == capsys.readouterr().out


def test_what_cannot_be_read_or_planned_is_an_exit_status_and_a_sentence(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    graph, operations = files
    assert main(["plan", str(graph), str(operations), "--operation-name", "C"]) == 1
    assert "C" in capsys.readouterr().err
    assert main(["plan", str(graph.with_name("absent.graphql")), str(operations)]) == 1
    assert "absent.graphql" in capsys.readouterr().err
