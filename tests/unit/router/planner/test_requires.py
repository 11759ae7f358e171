"""`@requires`: what a field needs is fetched first and sent along with the key."""

from inline_snapshot import snapshot

from tests.testkit.plans import plan_text, planner_of

PRODUCTS = (
    'type Query { product: Product } type Product @key(fields: "id") '
    "{ id: ID! price(currency: String): Int size: Size } type Size { weight: Int }"
)


def test_a_required_field_is_fetched_before_the_field_that_needs_it() -> None:
    planner = planner_of(
        products=PRODUCTS,
        shipping='type Product @key(fields: "id") { id: ID! size: Size @external cost: Int '
        '@requires(fields: "size { weight }") } type Size { weight: Int @external }',
    )
    assert plan_text(planner, "{ product { cost } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "products") {  # Query fields of products
      {
        product {
          id
          size {
            weight
          }
        }
      }
    },
    Flatten(path: "product") {
      Fetch(service: "shipping") {  # Product.cost by key "id", which requires "size { weight }"
        {
          ... on Product {
            id
            size {
              weight
            }
          }
        } =>
        {
          ... on Product {
            cost
          }
        }
      },
    },
  },
}\
""")


def test_requirements_of_the_subgraph_that_starts_make_a_way_there_and_back() -> None:
    """Shipping answers the root field, asks products for the weight and needs a second turn for the cost."""
    planner = planner_of(
        products='type Product @key(fields: "id") { id: ID! weight: Int }',
        shipping='type Query { product: Product } type Product @key(fields: "id") '
        '{ id: ID! weight: Int @external cost: Int @requires(fields: "weight") }',
    )
    assert plan_text(planner, "{ product { cost } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "shipping") {  # Query fields of shipping
      {
        product {
          id
        }
      }
    },
    Flatten(path: "product") {
      Fetch(service: "products") {  # Product.weight by key "id"
        {
          ... on Product {
            id
          }
        } =>
        {
          ... on Product {
            weight
          }
        }
      },
    },
    Flatten(path: "product") {
      Fetch(service: "shipping") {  # Product.cost by key "id", which requires "weight"
        {
          ... on Product {
            id
            weight
          }
        } =>
        {
          ... on Product {
            cost
          }
        }
      },
    },
  },
}\
""")


def test_a_chain_of_requirements_is_a_sequence() -> None:
    planner = planner_of(
        a='type Query { t: T } type T @key(fields: "id") { id: ID! a: Int }',
        b='type T @key(fields: "id") { id: ID! a: Int @external b: Int @requires(fields: "a") }',
        c='type T @key(fields: "id") { id: ID! b: Int @external c: Int @requires(fields: "b") }',
    )
    assert plan_text(planner, "{ t { c } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "a") {  # Query fields of a
      {
        t {
          id
          a
        }
      }
    },
    Flatten(path: "t") {
      Fetch(service: "b") {  # T.b by key "id", which requires "a"
        {
          ... on T {
            id
            a
          }
        } =>
        {
          ... on T {
            b
          }
        }
      },
    },
    Flatten(path: "t") {
      Fetch(service: "c") {  # T.c by key "id", which requires "b"
        {
          ... on T {
            id
            b
          }
        } =>
        {
          ... on T {
            c
          }
        }
      },
    },
  },
}\
""")


def test_one_required_field_with_two_arguments_becomes_two_lookups_of_one_request() -> None:
    """A representation can hold one `price` only."""
    planner = planner_of(
        products=PRODUCTS,
        tax='type Product @key(fields: "id") { id: ID! price(currency: String): Int @external '
        'eu: Int @requires(fields: "price(currency: \\"EUR\\")") us: Int @requires(fields: "price(currency: \\"USD\\")") }',
    )
    assert plan_text(planner, "{ product { eu us } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "products") {  # Query fields of products
      {
        product {
          id
          price(currency: "EUR")
          __k0_price: price(currency: "USD")
        }
      }
    },
    BatchFetch(service: "tax") {  # Product.eu by key "id", which requires "price(currency: "EUR")"; Product.us by key "id", which requires "price(currency: "USD")"
      Flatten(path: "product") {
        {
          ... on Product {
            id
            price
          }
        } =>
        {
          ... on Product {
            eu
          }
        }
      },
      Flatten(path: "product") {
        {
          ... on Product {
            id
            __k0_price: price
          }
        } =>
        {
          ... on Product {
            us
          }
        }
      },
    },
  },
}\
""")
