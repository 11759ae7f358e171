"""Moves by key: the shortest way, chains of keys, compound and nested keys."""

from inline_snapshot import snapshot

from tests.testkit.plans import plan_text, planner_of

USERS = 'type Query { me: User } type User @key(fields: "id") { id: ID! name: String }'
ORDERS = 'type User @key(fields: "id") { id: ID! orders: [Order!]! } type Order { total: Int }'


def test_fields_of_one_subgraph_are_one_fetch() -> None:
    assert plan_text(planner_of(users=USERS, orders=ORDERS), "{ me { name } }") == snapshot("""\
QueryPlan {
  Fetch(service: "users") {  # Query fields of users
    {
      me {
        name
      }
    }
  },
}\
""")


def test_another_subgraphs_field_costs_one_more_fetch_by_key() -> None:
    assert plan_text(planner_of(users=USERS, orders=ORDERS), "{ me { name orders { total } } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "users") {  # Query fields of users
      {
        me {
          name
          id
        }
      }
    },
    Flatten(path: "me") {
      Fetch(service: "orders") {  # User.orders by key "id"
        {
          ... on User {
            id
          }
        } =>
        {
          ... on User {
            orders {
              total
            }
          }
        }
      },
    },
  },
}\
""")


def test_a_key_that_only_a_third_subgraph_knows_is_fetched_first() -> None:
    """A knows the id, c wants the sku, b translates."""
    planner = planner_of(
        a='type Query { product: Product } type Product @key(fields: "id") { id: ID! }',
        b='type Product @key(fields: "id") @key(fields: "sku") { id: ID! sku: ID! }',
        c='type Product @key(fields: "sku") { sku: ID! price: Int }',
    )
    assert plan_text(planner, "{ product { price } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "a") {  # Query fields of a
      {
        product {
          id
        }
      }
    },
    Flatten(path: "product") {
      Fetch(service: "b") {  # Product.sku by key "id"
        {
          ... on Product {
            id
          }
        } =>
        {
          ... on Product {
            sku
          }
        }
      },
    },
    Flatten(path: "product") {
      Fetch(service: "c") {  # Product.price by key "sku"
        {
          ... on Product {
            sku
          }
        } =>
        {
          ... on Product {
            price
          }
        }
      },
    },
  },
}\
""")


def test_nested_compound_keys_are_selected_as_they_are_written() -> None:
    planner = planner_of(
        a='type Query { seat: Seat } type Seat @key(fields: "row plane { code }") { row: Int plane: Plane } '
        "type Plane { code: ID! }",
        b='type Seat @key(fields: "row plane { code }") { row: Int plane: Plane @shareable free: Boolean } '
        "type Plane { code: ID! }",
    )
    assert plan_text(planner, "{ seat { free } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "a") {  # Query fields of a
      {
        seat {
          row
          plane {
            code
          }
        }
      }
    },
    Flatten(path: "seat") {
      Fetch(service: "b") {  # Seat.free by key "row plane { code }"
        {
          ... on Seat {
            row
            plane {
              code
            }
          }
        } =>
        {
          ... on Seat {
            free
          }
        }
      },
    },
  },
}\
""")


def test_a_taken_response_key_does_not_disturb_the_key() -> None:
    """The client calls something else `id`, so the key travels under an internal name."""
    operation = "{ me { id: name orders { total } } }"
    assert plan_text(planner_of(users=USERS, orders=ORDERS), operation) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "users") {  # Query fields of users
      {
        me {
          id: name
          __k0_id: id
        }
      }
    },
    Flatten(path: "me") {
      Fetch(service: "orders") {  # User.orders by key "id"
        {
          ... on User {
            __k0_id: id
          }
        } =>
        {
          ... on User {
            orders {
              total
            }
          }
        }
      },
    },
  },
}\
""")


def test_the_cheaper_of_two_subgraphs_answers_all_it_can() -> None:
    """Both b and c have x, but y is only in c: one fetch is enough."""
    planner = planner_of(
        a='type Query { t: T } type T @key(fields: "id") { id: ID! }',
        b='type T @key(fields: "id") { id: ID! x: Int @shareable }',
        c='type T @key(fields: "id") { id: ID! x: Int @shareable y: Int }',
    )
    assert plan_text(planner, "{ t { x y } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "a") {  # Query fields of a
      {
        t {
          id
        }
      }
    },
    Flatten(path: "t") {
      Fetch(service: "c") {  # T.x by key "id"; T.y by key "id"
        {
          ... on T {
            id
          }
        } =>
        {
          ... on T {
            x
            y
          }
        }
      },
    },
  },
}\
""")


def test_a_key_that_is_not_resolvable_is_no_way_in() -> None:
    """B only refers to T; x comes from a, where the entity lives."""
    planner = planner_of(
        a='type T @key(fields: "id") { id: ID! x: Int } type Query { one: T }',
        b='type Query { two: T } type T @key(fields: "id", resolvable: false) { id: ID! }',
    )
    assert plan_text(planner, "{ two { x } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "b") {  # Query fields of b
      {
        two {
          id
        }
      }
    },
    Flatten(path: "two") {
      Fetch(service: "a") {  # T.x by key "id"
        {
          ... on T {
            id
          }
        } =>
        {
          ... on T {
            x
          }
        }
      },
    },
  },
}\
""")
