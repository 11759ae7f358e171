import pytest
from graphql import build_schema, parse

from router.cache_policy import CacheHints, CachePolicy, Scope
from router.operation import normalize
from router.response_cache import CacheQuestion

SDL = """
directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean)
  on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
enum CacheControlScope { PUBLIC PRIVATE }
type Query {
  food: Food  foodFor: Food @cacheControl(maxAge: 5)  me: User  plain: String  number: Int @cacheControl(maxAge: 9)
  thing: Thing  named: Named
}
type Mutation { food: Food }
type Food @cacheControl(maxAge: 100) { name: String  price: Int @cacheControl(maxAge: 10)  maker: Maker
  box: Box @cacheControl(inheritMaxAge: true)  notes: String @cacheControl(scope: PRIVATE) }
type Maker { name: String }
type Box { size: Int }
type User @cacheControl(maxAge: 50, scope: PRIVATE) { name: String }
union Thing = Food | User
interface Named { name: String }
type Cat implements Named @cacheControl(maxAge: 30) { name: String }
type Dog implements Named @cacheControl(maxAge: 20) { name: String @cacheControl(maxAge: 7) }
"""
SCHEMA = build_schema(SDL)
HINTS = CacheHints.from_sdl(SDL, SCHEMA)


@pytest.mark.parametrize(
    ("operation", "policy"),
    [
        ("{ food { name } }", CachePolicy(100)),
        ("{ food { price } }", CachePolicy(10)),
        ("{ foodFor { name } }", CachePolicy(5)),
        ("{ food { maker { name } } }", CachePolicy(0)),
        ("{ food { box { size } } }", CachePolicy(100)),
        ("{ food { notes } }", CachePolicy(100, Scope.PRIVATE)),
        ("{ me { name } }", CachePolicy(50, Scope.PRIVATE)),
        ("{ food { name } me { name } }", CachePolicy(50, Scope.PRIVATE)),
        ("{ plain }", CachePolicy(0)),
        ("{ number }", CachePolicy(9)),
        ("{ food { name } plain }", CachePolicy(0)),
        ("{ thing { ... on Food { name } } }", CachePolicy(50, Scope.PRIVATE)),
        ("{ named { name } }", CachePolicy(7)),
        ("{ __typename }", CachePolicy(0)),
        ("mutation { food { name } }", CachePolicy(0)),
    ],
)
def test_an_answer_is_as_young_and_as_private_as_its_strictest_field(operation: str, policy: CachePolicy) -> None:
    assert HINTS.policy_of(normalize(parse(operation), None, SCHEMA), 0) == policy


@pytest.mark.parametrize(
    ("header", "policy"),
    [
        ("", CachePolicy(60)),
        ("max-age=10", CachePolicy(10)),
        ("max-age=100, public", CachePolicy(60)),
        ("no-store", CachePolicy(0)),
        ("private, max-age=30", CachePolicy(30, Scope.PRIVATE)),
        ("max-age=nonsense", CachePolicy(0)),
    ],
)
def test_a_subgraphs_own_header_can_only_narrow(header: str, policy: CachePolicy) -> None:
    assert CachePolicy(60).narrowed_by(header) == policy


OWNED = """
directive @join__type(graph: G!) repeatable on OBJECT
directive @join__field(graph: G, external: Boolean) repeatable on FIELD_DEFINITION
directive @cacheControl(maxAge: Int, scope: CacheControlScope) on FIELD_DEFINITION | OBJECT
enum CacheControlScope { PUBLIC PRIVATE }
enum G { CATALOG DIARY }
type Query @join__type(graph: CATALOG) @join__type(graph: DIARY) { food: Food @join__field(graph: CATALOG) }
type Food @join__type(graph: CATALOG) @join__type(graph: DIARY) @cacheControl(maxAge: 60) {
  id: ID
  name: String @join__field(graph: CATALOG) @join__field(graph: DIARY, external: true)
  timesEaten: Int @join__field(graph: DIARY)
  popularity: Int @join__field(graph: DIARY) @cacheControl(maxAge: 10, scope: PUBLIC)
}
"""


@pytest.mark.parametrize(
    ("operation", "policy"),
    [
        ("{ food { id name } }", CachePolicy(60)),
        ("{ food { timesEaten } }", CachePolicy(60, Scope.PRIVATE)),
        ("{ food { popularity } }", CachePolicy(10)),
    ],
)
def test_a_type_hint_does_not_make_another_subgraphs_field_public(operation: str, policy: CachePolicy) -> None:
    schema = build_schema(OWNED)
    hints = CacheHints.from_sdl(OWNED, schema)
    assert hints.policy_of(normalize(parse(operation), None, schema), 0) == policy


def test_every_part_of_the_question_is_in_the_key() -> None:
    def key(scope: Scope = Scope.PUBLIC, **changes: object) -> str:
        parts: dict[str, object] = {
            "graph_digest": "g",
            "document": "{ a }",
            "operation_name": None,
            "variables": {"x": 1},
            "viewer": "ann",
            "private_to": "ann, who may read",
            "varying": (),
        }
        return CacheQuestion(**{**parts, **changes}).key("p", scope)  # type: ignore[arg-type]

    keys = [
        key(),
        key(Scope.PRIVATE),
        key(Scope.PRIVATE, private_to="ann, who may write"),
        key(graph_digest="h"),
        key(document="{ b }"),
        key(operation_name="A"),
        key(variables={"x": 2}),
        key(varying=(("accept-language", "de"),)),
    ]
    assert len(set(keys)) == len(keys)
    assert key(viewer="ben", private_to="ben") == key()
    assert key(variables={"b": 1, "a": 2}) == key(variables={"a": 2, "b": 1})
