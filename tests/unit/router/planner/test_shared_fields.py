"""`@shareable`, `@provides` and `@override`: the same field in several subgraphs."""

from inline_snapshot import snapshot

from tests.testkit.plans import plan_text, planner_of


def test_a_shared_root_field_is_asked_of_both_at_once() -> None:
    """Although there is a key, asking both in parallel is faster than one after the other."""
    planner = planner_of(
        a='type Query { product: Product @shareable } type Product @key(fields: "id") { id: ID! name: String }',
        b='type Query { product: Product @shareable } type Product @key(fields: "id") { id: ID! price: Int }',
    )
    assert plan_text(planner, "{ product { name price } }") == snapshot("""\
QueryPlan {
  Parallel {
    Fetch(service: "a") {  # Query fields of a
      {
        product {
          name
        }
      }
    },
    Fetch(service: "b") {  # Query fields of b
      {
        product {
          price
        }
      }
    },
  },
}\
""")


def test_a_shared_root_field_is_asked_of_both_for_what_stands_deeper_in_it() -> None:
    planner = planner_of(
        a="type Query { shelf: Shelf @shareable } type Shelf @shareable { room: Int top: Book } "
        'type Book @key(fields: "id") { id: ID! name: String }',
        b="type Query { shelf: Shelf @shareable } type Shelf @shareable { room: Int top: Book } "
        'type Book @key(fields: "id") { id: ID! price: Int }',
    )
    assert plan_text(planner, "{ shelf { room top { id name price } } }") == snapshot("""\
QueryPlan {
  Parallel {
    Fetch(service: "a") {  # Query fields of a
      {
        shelf {
          room
          top {
            id
            name
          }
        }
      }
    },
    Fetch(service: "b") {  # Query fields of b
      {
        shelf {
          top {
            price
          }
        }
      }
    },
  },
}\
""")


def test_a_value_type_without_key_is_put_together_from_its_sharers() -> None:
    planner = planner_of(
        a="type Query { v: V @shareable } type V { x: Int }",
        b="type Query { v: V @shareable } type V { y: Int }",
    )
    assert plan_text(planner, "{ v { x y } }") == snapshot("""\
QueryPlan {
  Parallel {
    Fetch(service: "a") {  # Query fields of a
      {
        v {
          x
        }
      }
    },
    Fetch(service: "b") {  # Query fields of b
      {
        v {
          y
        }
      }
    },
  },
}\
""")


def test_what_a_field_provides_is_not_fetched_again() -> None:
    planner = planner_of(
        users='type User @key(fields: "id") { id: ID! name: String @shareable mail: String }',
        meals='type Query { meal: Meal } type Meal { cook: User @provides(fields: "name") eater: User } '
        'type User @key(fields: "id") { id: ID! name: String @external }',
    )
    assert plan_text(planner, "{ meal { cook { name } eater { name } } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "meals") {  # Query fields of meals
      {
        meal {
          cook {
            name
          }
          eater {
            id
          }
        }
      }
    },
    Flatten(path: "meal.eater") {
      Fetch(service: "users") {  # User.name by key "id"
        {
          ... on User {
            id
          }
        } =>
        {
          ... on User {
            name
          }
        }
      },
    },
  },
}\
""")


def test_an_overridden_field_comes_from_its_new_subgraph() -> None:
    planner = planner_of(
        old='type Query { t: T } type T @key(fields: "id") { id: ID! x: Int }',
        new='type T @key(fields: "id") { id: ID! x: Int @override(from: "old") }',
    )
    assert plan_text(planner, "{ t { x } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "old") {  # Query fields of old
      {
        t {
          id
        }
      }
    },
    Flatten(path: "t") {
      Fetch(service: "new") {  # T.x by key "id"
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


def test_a_label_decides_who_answers_during_a_migration() -> None:
    planner = planner_of(
        old='type Query { t: T } type T @key(fields: "id") { id: ID! x: Int }',
        new='type T @key(fields: "id") { id: ID! x: Int @override(from: "old", label: "percent(5)") }',
    )
    assert plan_text(planner, "{ t { x } }") == snapshot("""\
QueryPlan {
  Fetch(service: "old") {  # Query fields of old
    {
      t {
        x
      }
    }
  },
}\
""")
    assert plan_text(planner, "{ t { x } }", labels=["percent(5)"]) == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "old") {  # Query fields of old
      {
        t {
          id
        }
      }
    },
    Flatten(path: "t") {
      Fetch(service: "new") {  # T.x by key "id"
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


def test_a_union_of_a_shared_field_holds_only_members_that_all_sharers_know() -> None:
    """B could have answered `media` as well, and would never say Song."""
    planner = planner_of(
        a="type Query { media: Media @shareable } union Media = Book | Song type Book @shareable { title: String } "
        "type Song { length: Int }",
        b="type Query { media: Media @shareable } union Media = Book type Book @shareable { title: String }",
    )
    assert plan_text(planner, "{ media { ... on Book { title } ... on Song { length } } }") == snapshot("""\
QueryPlan {
  Fetch(service: "a") {  # Query fields of a
    {
      media {
        __typename
        ... on Book {
          title
        }
      }
    }
  },
}\
""")
