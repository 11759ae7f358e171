"""Mutations, subscriptions, conditions, and what the router answers alone."""

from inline_snapshot import snapshot

from tests.testkit.plans import plan, plan_text, planner_of

A = 'type Query { t: T } type Mutation { one: T two: Int } type T @key(fields: "id") { id: ID! a: Int }'
B = 'type Mutation { three: Int } type Subscription { changed: T } type T @key(fields: "id") { id: ID! b: Int }'


def test_mutation_fields_run_in_order_and_neighbours_travel_together() -> None:
    assert plan_text(planner_of(a=A, b=B), "mutation { two three again: two also: two }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "a") {  # Mutation fields of a
      {
        two
      }
    },
    Fetch(service: "b") {  # Mutation fields of b
      {
        three
      }
    },
    Fetch(service: "a") {  # Mutation fields of a
      {
        again: two
        also: two
      }
    },
  },
}\
""")


def test_a_mutations_own_fetches_come_before_the_next_mutation() -> None:
    assert plan_text(planner_of(a=A, b=B), "mutation { one { b } two }") == snapshot("""\
QueryPlan {
  Sequence {
    Sequence {
      Fetch(service: "a") {  # Mutation fields of a
        {
          one {
            id
          }
        }
      },
      Flatten(path: "one") {
        Fetch(service: "b") {  # T.b by key "id"
          {
            ... on T {
              id
            }
          } =>
          {
            ... on T {
              b
            }
          }
        },
      },
    },
    Fetch(service: "a") {  # Mutation fields of a
      {
        two
      }
    },
  },
}\
""")


def test_every_event_of_a_subscription_is_completed_by_the_rest_of_the_plan() -> None:
    assert plan_text(planner_of(a=A, b=B), "subscription { changed { b a } }") == snapshot("""\
QueryPlan {
  Subscription {
    Primary {
      Fetch(service: "b") {  # Subscription fields of b
        {
          changed {
            b
            id
          }
        }
      },
    },
    Rest {
      Flatten(path: "changed") {
        Fetch(service: "a") {  # T.a by key "id"
          {
            ... on T {
              id
            }
          } =>
          {
            ... on T {
              a
            }
          }
        },
      },
    },
  },
}\
""")


def test_a_fetch_that_only_serves_skipped_fields_is_not_sent() -> None:
    assert plan_text(planner_of(a=A, b=B), "query($x: Boolean!) { t { a b @include(if: $x) } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "a") {  # Query fields of a
      {
        t {
          a
          id @include(if: $x)
        }
      }
    },
    Condition(if: $x) {
      Flatten(path: "t") {
        Fetch(service: "b") {  # T.b by key "id"
          {
            ... on T {
              id
            }
          } =>
          {
            ... on T {
              b @include(if: $x)
            }
          }
        },
      },
    },
  },
}\
""")


def test_introspection_needs_no_subgraph() -> None:
    assert plan(planner_of(a=A, b=B), "{ __typename __schema { queryType { name } } }").node is None


def test_variables_go_only_where_they_are_used() -> None:
    planner = planner_of(
        a='type Query { t(x: Int): T } type T @key(fields: "id") { id: ID! }',
        b='type T @key(fields: "id") { id: ID! b(y: Int): Int }',
    )
    operation = "query($x: Int, $y: Int) { t(x: $x) { b(y: $y) } }"
    assert plan_text(planner, operation) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "a") {  # Query fields of a
      {
        t(x: $x) {
          id
        }
      }
    },
    Flatten(path: "t") {
      Fetch(service: "b") {  # T.b by key "id"
        {
          ... on T {
            id
          }
        } =>
        {
          ... on T {
            b(y: $y)
          }
        }
      },
    },
  },
}\
""")


def test_lookups_of_one_subgraph_at_different_places_are_one_request() -> None:
    planner = planner_of(
        a='type Query { t: T other: T } type T @key(fields: "id") { id: ID! }',
        b='type T @key(fields: "id") { id: ID! b: Int c: Int }',
    )
    assert plan_text(planner, "{ t { b } other { b } third: t { c } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "a") {  # Query fields of a
      {
        t {
          id
        }
        other {
          id
        }
        third: t {
          id
        }
      }
    },
    BatchFetch(service: "b") {  # T.b by key "id"; T.c by key "id"
      Flatten(paths: ["t", "other"]) {
        {
          ... on T {
            id
          }
        } =>
        {
          ... on T {
            b
          }
        }
      },
      Flatten(path: "third") {
        {
          ... on T {
            id
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


def test_a_shared_mutation_field_is_called_in_the_one_subgraph_that_answers_all_of_it() -> None:
    planner = planner_of(
        a="type Query { q: Int } type Mutation { f: F @shareable } type F { x: Int @shareable }",
        b="type Mutation { f: F @shareable } type F { x: Int @shareable y: Int }",
    )
    assert plan_text(planner, "mutation { f { x y } }") == snapshot("""\
QueryPlan {
  Fetch(service: "b") {  # Mutation fields of b
    {
      f {
        x
        y
      }
    }
  },
}\
""")


def test_a_root_below_the_root_is_asked_anew() -> None:
    planner = planner_of(
        a="type Query { a: Int } type Mutation { pay: Payment } type Payment { amount: Int query: Query }",
        b="type Query { b: Int }",
    )
    assert plan_text(planner, "mutation { pay { amount query { a b } } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "a") {  # Mutation fields of a
      {
        pay {
          amount
          query {
            a
          }
        }
      }
    },
    Flatten(path: "pay.query") {
      Fetch(service: "b") {  # Query fields of b
        {
          b
        }
      },
    },
  },
}\
""")
