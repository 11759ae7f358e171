"""Labels that cannot change a plan do not split the plan cache."""

from __future__ import annotations

from router.loaded_graph import GraphOptions, LoadedGraph
from router.operation import normalize, parse_and_validate
from router.planner import OverrideLabels
from router.planner.plan import MAX_GRAPHS
from tests.testkit.plans import plan, planner_of

OLD = """type Query { bill: Bill shop: Shop }
  type Bill @key(fields: "id") { id: ID! amount: Int payer: String code: ID }
  type Shop { open: Boolean }"""
NEW = """type Bill @key(fields: "id") {
    id: ID!
    amount: Int @override(from: "old", label: "new-billing")
    payer: String @override(from: "old", label: "percent(20)")
    code: ID @override(from: "old", label: "coded")
  }"""
TAX = 'type Bill @key(fields: "id") { id: ID! code: ID @external tax: Int @requires(fields: "code") }'
EVERY_LABEL = frozenset({"new-billing", "percent(20)", "coded"})


def deciding(operation: str) -> frozenset[str]:
    supergraph = planner_of(old=OLD, new=NEW, tax=TAX).supergraph
    document = parse_and_validate(operation, supergraph.api_schema)
    return OverrideLabels(supergraph).deciding(normalize(document, None, supergraph.api_schema))


def test_labels_of_the_operations_own_fields_decide_and_those_of_required_fields_always() -> None:
    assert deciding("{ bill { total: amount } }") == {"new-billing", "coded"}
    assert deciding("{ bill { ... on Bill { payer amount } } }") == EVERY_LABEL
    assert deciding("{ shop { open } }") == {"coded"}


def test_labels_that_do_not_decide_change_no_plan() -> None:
    planner = planner_of(old=OLD, new=NEW, tax=TAX)
    for operation in ("{ bill { amount } }", "{ bill { tax } }", "{ shop { open } }", "{ bill { payer } }"):
        own = deciding(operation)
        assert plan(planner, operation, labels=own) == plan(planner, operation, labels=EVERY_LABEL)


async def test_requests_that_differ_in_other_labels_share_a_plan() -> None:
    sdl = planner_of(old=OLD, new=NEW, tax=TAX).supergraph.sdl
    graph = LoadedGraph.from_sdl(sdl, GraphOptions())
    shop = await graph.prepare("{ shop { open } }", None)
    bill = await graph.prepare("{ bill { payer } }", None)

    async def planned(prepared: object, *labels: str) -> object:
        return await graph.plan(prepared, prepared.plannable, frozenset(labels))  # type: ignore[arg-type,attr-defined]

    assert await planned(shop) is await planned(shop, "new-billing") is await planned(shop, "percent(20)")
    assert await planned(bill) is await planned(bill, "new-billing")
    assert await planned(bill) is not await planned(bill, "percent(20)")


def test_the_planner_keeps_a_bounded_number_of_graphs() -> None:
    fields = "".join(f'f{n}: Int @override(from: "old", label: "l{n}") ' for n in range(8))
    old = 'type Query { bill: Bill } type Bill @key(fields: "id") { id: ID! ' + "".join(f"f{n}: Int " for n in range(8))
    planner = planner_of(old=old + "}", new=f'type Bill @key(fields: "id") {{ id: ID! {fields} }}')
    for number in range(2 * MAX_GRAPHS):
        graph = planner.graph(f"l{bit}" for bit in range(8) if number >> bit & 1)
    assert len(planner._graphs) == MAX_GRAPHS
    assert planner.graph(graph.active_labels) is graph
