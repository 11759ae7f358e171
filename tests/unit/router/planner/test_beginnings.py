"""Root fields of several subgraphs: in which an operation begins, and where no way is looked for."""

from collections.abc import Iterator

from inline_snapshot import snapshot

from router.operation import normalize, parse_and_validate
from router.planner import QueryPlanner
from router.planner.beginnings import outdone
from router.planner.places import RootTarget
from router.planner.weighed import choices_as_text
from router.query_plan import EntityFetch, Fetch, Sequence
from router.selection_set import Field
from tests.testkit.plans import plan, plan_text, planner_of

#: The viewer begins in each; `target` requires what users know.
VIEWER = {
    "users": 'type Query { me: User @shareable } type User @key(fields: "id") { id: ID! email: String weight: Int }',
    "workouts": 'type Query { me: User @shareable } type User @key(fields: "id") { id: ID! workouts: [Workout] } '
    'type Workout { minutes: Int exercise: Exercise } type Exercise @key(fields: "id") { id: ID! }',
    "foods": 'type Query { me: User @shareable } type User @key(fields: "id") { id: ID! weight: Int @external '
    'target: Int @requires(fields: "weight") } type Exercise @key(fields: "id") { id: ID! name: String }',
}


def outdone_by(planner: QueryPlanner, operation: str) -> dict[str, str]:
    """Of the operation's one field: which subgraphs are not worth beginning in, and for which other."""
    api_schema = planner.supergraph.api_schema
    (field,) = normalize(parse_and_validate(operation, api_schema), None, api_schema).selections.items
    assert isinstance(field, Field)
    graph = planner.graph()
    targets = [RootTarget(name, "Query") for name in graph.subgraphs_resolving("Query", field.name)]
    return {target.subgraph: other.subgraph for target, other in outdone(graph, field, targets).items()}


def test_who_has_all_of_it_outdoes_who_lacks_some() -> None:
    assert outdone_by(planner_of(**VIEWER), "{ me { id email } }") == {"workouts": "users", "foods": "users"}


def test_who_alone_leads_to_it_outdoes_the_others_although_others_are_asked_then() -> None:
    planner = planner_of(**VIEWER)
    assert outdone_by(planner, "{ me { workouts { exercise { name } } } }") == {
        "users": "workouts",
        "foods": "workouts",
    }


def test_none_is_outdone_where_each_lacks_what_another_has_or_all_have_the_same() -> None:
    planner = planner_of(**VIEWER)
    assert outdone_by(planner, "{ me { email workouts { minutes } } }") == {}
    assert outdone_by(planner, "{ me { id } }") == {}
    assert outdone_by(planner, "{ me { id @skip(if: true) } }") == {}


def test_who_has_to_be_told_what_others_know_outdoes_nobody() -> None:
    assert outdone_by(planner_of(**VIEWER), "{ me { target } }") == {}
    assert [*levels_of(planner_of(**VIEWER), "{ me { target } }")] == ["users", "foods"]


def test_a_field_that_two_lead_to_is_outdone_by_whoever_has_it_whole_and_by_nobody_else() -> None:
    """The key that one of them lacks is looked for from each."""
    both = 'type Query { me: User @shareable } type User @key(fields: "id") { id: ID! friend: User @shareable %s }'
    planner = planner_of(a=both % "a: Int", b=both % "b: Int", c=VIEWER["users"])
    assert outdone_by(planner, "{ me { friend { id } } }") == {"c": "a"}
    assert outdone_by(planner, "{ me { friend { a } } }") == {"b": "a", "c": "a"}
    assert outdone_by(planner, "{ me { friend { email } } }") == {}


def test_what_stands_in_an_interface_or_is_provided_there_is_not_known_to_take_a_fetch() -> None:
    planner = planner_of(
        a="type Query { pet: Pet @shareable } interface Pet { name: String } "
        "type Cat implements Pet { name: String @shareable }",
        b="type Query { pet: Pet @shareable } interface Pet { id: ID } "
        "type Cat implements Pet { id: ID name: String @shareable }",
        c='type Query { own: Own @shareable @provides(fields: "x") } type Own @key(fields: "id") { id: ID! x: Int @external }',
        d='type Query { own: Own @shareable } type Own @key(fields: "id") { id: ID! x: Int @shareable }',
    )
    assert outdone_by(planner, "{ pet { name } }") == {}
    assert outdone_by(planner, "{ own { x } }") == {}


def test_nothing_is_searched_where_another_outdoes_it_and_the_choices_say_so() -> None:
    text = choices_of(planner_of(**VIEWER), "{ me { email } }")
    assert "users would be asked as well, and answers it without workouts" in text
    assert "User in workouts" not in text


def test_the_whole_is_searched_only_where_it_can_be_as_shallow_as_its_parts() -> None:
    """Workouts say the exercise and foods its name, two levels; from users it would be three."""
    text = choices_of(planner_of(**VIEWER), "{ me { email workouts { exercise { name } } } }")
    assert "users: all of it takes longer from there than its parts from several" in text
    assert "foods: all of it takes longer from there than its parts from several" in text
    assert "User in users: { email workouts" not in text
    assert "User in workouts: { email workouts" in text


def choices_of(planner: QueryPlanner, operation: str) -> str:
    api_schema = planner.supergraph.api_schema
    text = choices_as_text(planner.graph(), normalize(parse_and_validate(operation, api_schema), None, api_schema))
    assert text is not None
    return text


def levels_of(planner: QueryPlanner, operation: str) -> Iterator[str]:
    """The subgraphs of a plan whose requests wait for one another."""
    node = plan(planner, operation).node
    for each in node.nodes if isinstance(node, Sequence) else (node,):
        assert isinstance(each, Fetch | EntityFetch)
        yield each.subgraph


TEAMS = {
    "a": 'type Query { team: Team @shareable } type Team @key(fields: "id") { id: ID! x: Int } '
    'type Item @key(fields: "id") { id: ID! z: Int }',
    "b": 'type Query { team: Team @shareable } type Team @key(fields: "id") { id: ID! y: Item } '
    'type Item @key(fields: "id") { id: ID! }',
}


def test_what_travels_with_a_later_request_anyway_is_no_reason_to_begin_in_one_more_subgraph() -> None:
    """Both ways have three fetches, two of them one after the other; of the one that begins in b two travel as one."""
    assert [*levels_of(planner_of(**TEAMS), "{ team { x y { z } } }")] == ["b", "a"]


def test_what_cannot_travel_with_a_later_request_is_asked_at_the_beginning() -> None:
    """A request that is made on a condition stays alone."""
    assert plan_text(planner_of(**TEAMS), "query ($v: Boolean!) { team { x y @include(if: $v) { z } } }") == snapshot("""\
QueryPlan {
  Parallel {
    Fetch(service: "a") {  # Query fields of a
      {
        team {
          x
        }
      }
    },
    Sequence {
      Fetch(service: "b") {  # Query fields of b
        {
          team {
            y @include(if: $v) {
              id
            }
          }
        }
      },
      Condition(if: $v) {
        Flatten(path: "team.y") {
          Fetch(service: "a") {  # Item.z by key "id"
            {
              ... on Item {
                id
              }
            } =>
            {
              ... on Item {
                z
              }
            }
          },
        },
      },
    },
  },
}\
""")
