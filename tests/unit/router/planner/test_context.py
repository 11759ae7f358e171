"""`@fromContext`: an argument filled from an object further up."""

from router.query_plan import ContextVariable, EntityFetch, Sequence
from router.selection_set import Field, SelectionSet
from tests.testkit.plans import plan, planner_of


def test_the_context_is_fetched_where_it_is_set_and_travels_as_a_variable() -> None:
    """Even a field of the subgraph that started needs a fetch of its own: its argument is known only afterwards."""
    planner = planner_of(
        a='type Query { shops: [Shop] } type Shop @key(fields: "id") @context(name: "shop") '
        "{ id: ID! currency: String articles: [Article] } "
        'type Article @key(fields: "id") '
        '{ id: ID! price(in: String @fromContext(field: "$shop { currency }")): Int }'
    )

    node = plan(planner, "{ shops { articles { price } } }").node

    assert isinstance(node, Sequence)
    entities = node.nodes[1]
    assert isinstance(entities, EntityFetch)
    (lookup,) = entities.lookups
    assert lookup.paths == (("shops", "@", "articles", "@"),)
    assert lookup.contexts == (
        ContextVariable("__c0_in", ("shops", "@"), SelectionSet((Field("currency", "currency"),))),
    )
    assert entities.variables == (("__c0_in", "String"),)
