"""Interfaces, unions and interface objects."""

from inline_snapshot import snapshot

from tests.testkit.plans import plan_text, planner_of

MEDIA = (
    'type Query { media: [Media] } interface Media @key(fields: "id") { id: ID! } '
    'type Book implements Media @key(fields: "id") { id: ID! title: String } '
    'type Film implements Media @key(fields: "id") { id: ID! length: Int }'
)
REVIEWS = 'type Query { best: Media } type Media @key(fields: "id") @interfaceObject { id: ID! stars: Int }'


def test_an_interface_field_stays_one_field_where_all_objects_have_it() -> None:
    planner = planner_of(
        a="type Query { n: N } interface N { x: Int } type A implements N { x: Int } type B implements N { x: Int }"
    )
    assert plan_text(planner, "{ n { x } }") == snapshot("""\
QueryPlan {
  Fetch(service: "a") {  # Query fields of a
    {
      n {
        __typename
        x
      }
    }
  },
}\
""")


def test_an_interface_field_is_asked_of_each_type_where_one_gets_it_elsewhere() -> None:
    planner = planner_of(
        a='type Query { n: N } interface N { id: ID! x: Int } type A implements N @key(fields: "id") { id: ID! x: Int } '
        'type B implements N @key(fields: "id") { id: ID! x: Int @external }',
        b='type B @key(fields: "id") { id: ID! x: Int }',
    )
    assert plan_text(planner, "{ n { x } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "a") {  # Query fields of a
      {
        n {
          __typename
          ... on A {
            x
          }
          ... on B {
            id
          }
        }
      }
    },
    Flatten(path: "n") {
      Fetch(service: "b") {  # B.x by key "id"
        {
          ... on B {
            id
          }
        } =>
        {
          ... on B {
            x
          }
        }
      },
    },
  },
}\
""")


def test_an_interface_object_adds_a_field_to_every_implementation() -> None:
    planner = planner_of(media=MEDIA, reviews=REVIEWS)
    assert plan_text(planner, "{ media { id stars ... on Book { title } } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "media") {  # Query fields of media
      {
        media {
          __typename
          id
          ... on Book {
            title
          }
        }
      }
    },
    Flatten(path: "media.@") {
      Fetch(service: "reviews") {  # Media.stars by key "id"
        {
          ... on Media {
            id
          }
        } =>
        {
          ... on Media {
            stars
          }
        }
      },
    },
  },
}\
""")


def test_what_an_interface_object_really_is_is_asked_where_it_is_known() -> None:
    planner = planner_of(media=MEDIA, reviews=REVIEWS)
    assert plan_text(planner, "{ best { stars __typename ... on Film { length } } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "reviews") {  # Query fields of reviews
      {
        best {
          stars
          id
        }
      }
    },
    Flatten(path: "best") {
      Fetch(service: "media") {  # Media.__typename by key "id"; Media as Film by key "id"
        {
          ... on Media {
            id
          }
        } =>
        {
          ... on Media {
            __typename
            ... on Film {
              length
            }
          }
        }
      },
    },
  },
}\
""")


def test_fields_of_one_name_and_two_types_get_an_alias() -> None:
    """A subgraph refuses `size: Int` and `size: Int!` under one response key, although the graph as a whole does not."""
    planner = planner_of(
        a="type Query { u: U } union U = A | B type A { size: Int! @shareable } type B { size: Int }",
        b="type Query { a: A } type A { size: Int @shareable }",
    )
    assert plan_text(planner, "{ u { ... on A { size } ... on B { size } } }") == snapshot("""\
QueryPlan {
  Fetch(service: "a") {  # Query fields of a
    {
      u {
        __typename
        ... on A {
          size
        }
        ... on B {
          __c0_size: size
        }
      }
    }
  },
}\
""")


def test_what_is_below_an_interface_field_is_had_by_the_keys_of_the_types() -> None:
    planner = planner_of(
        a="type Query { n: N } interface N { v: V } type V @shareable { x: Int } "
        'type A implements N @key(fields: "id") { id: ID! v: V @shareable }',
        b='type V @shareable { y: Int } type A @key(fields: "id") { id: ID! v: V @shareable }',
    )
    assert plan_text(planner, "{ n { v { x y } } }") == snapshot("""\
QueryPlan {
  Sequence {
    Fetch(service: "a") {  # Query fields of a
      {
        n {
          __typename
          v {
            x
          }
          ... on A {
            id
          }
        }
      }
    },
    Flatten(path: "n") {
      Fetch(service: "b") {  # A.v by key "id"
        {
          ... on A {
            id
          }
        } =>
        {
          ... on A {
            v {
              y
            }
          }
        }
      },
    },
  },
}\
""")
