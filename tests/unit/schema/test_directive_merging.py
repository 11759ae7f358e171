"""What a directive says in the graph where subgraphs say different things: the strictest, or the most common."""

import pytest
from graphql import build_schema, graphql_sync

from schema import SubgraphSource, compose
from schema.contract import contract_of

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@shareable", "@tag", '
    '"@authenticated", "@requiresScopes", "@policy", "@cost", "@listSize", "@composeDirective"]) '
    '@link(url: "https://specs.example/%s/v1.%d", import: ["@cacheControl", "@owner"]) '
    '@composeDirective(name: "@cacheControl") @composeDirective(name: "@owner")\n'
    "directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION\n"
    "directive @owner(team: String%s) on FIELD_DEFINITION\n"
    "enum CacheControlScope { PUBLIC PRIVATE }\n"
)


def merged(*applied: str) -> str:
    """What stands on `Query.a` in the supergraph, where each subgraph applies one of these."""
    sources = [
        SubgraphSource(
            f"s{index}", LINK % ("x", 0, "") + f"type Query {{ a(n: Int, m: Int): [Int] @shareable {text} }}"
        )
        for index, text in enumerate(applied)
    ]
    composition = compose(sources)
    assert composition.errors == ()
    line = next(line for line in (composition.supergraph_sdl or "").splitlines() if line.startswith("  a("))
    return line.removeprefix("  a(n: Int, m: Int): [Int]").strip()


@pytest.mark.parametrize(
    ("applied", "expected"),
    [
        (["@cacheControl(maxAge: 60)", "@cacheControl(maxAge: 5)"], "@cacheControl(maxAge: 5)"),
        (["@cacheControl(maxAge: 0)", "@cacheControl(maxAge: 5)"], "@cacheControl(maxAge: 0)"),
        (["@cacheControl(scope: PUBLIC)", "@cacheControl(scope: PRIVATE)"], "@cacheControl(scope: PRIVATE)"),
        (
            ["@cacheControl(maxAge: 9, scope: PUBLIC)", "@cacheControl(maxAge: 60, scope: PRIVATE)"],
            "@cacheControl(maxAge: 9, scope: PRIVATE)",
        ),
        (["@cacheControl(inheritMaxAge: true)", "@cacheControl(maxAge: 5)"], "@cacheControl(maxAge: 5)"),
        (
            ["@cacheControl(inheritMaxAge: true)", "@cacheControl(scope: PRIVATE)"],
            "@cacheControl(inheritMaxAge: true, scope: PRIVATE)",
        ),
        (["@listSize(requireOneSlicingArgument: true)", "@listSize"], "@listSize"),
        (["@cost(weight: 2)", "@cost(weight: 7)", "@cost(weight: 3)"], "@cost(weight: 7)"),
        (
            ["@listSize(assumedSize: 2, slicingArguments: [])", '@listSize(assumedSize: 3, slicingArguments: ["n"])'],
            '@listSize(assumedSize: 3, slicingArguments: ["n"])',
        ),
        (
            [
                '@listSize(slicingArguments: ["n"], requireOneSlicingArgument: false)',
                '@listSize(slicingArguments: ["m"])',
            ],
            '@listSize(slicingArguments: ["n", "m"], requireOneSlicingArgument: false)',
        ),
        (
            ['@requiresScopes(scopes: [["a", "b"], ["c"]])', '@requiresScopes(scopes: [["c"], ["d"]])'],
            '@requiresScopes(scopes: [["a", "b", "d"], ["c"]])',
        ),
        (["@requiresScopes(scopes: [])", '@requiresScopes(scopes: [["c,d"]])'], '@requiresScopes(scopes: [["c,d"]])'),
        (['@policy(policies: [["a"]])', '@policy(policies: [["b"]])'], '@policy(policies: [["a", "b"]])'),
        (["@authenticated", ""], "@authenticated"),
        (['@tag(name: "x")', '@tag(name: "y") @tag(name: "x")'], '@tag(name: "x") @tag(name: "y")'),
        (['@deprecated(reason: "x")', "", '@deprecated(reason: "y")'], '@deprecated(reason: "x")'),
        (
            ['@deprecated(reason: "x")', '@deprecated(reason: "y")', '@deprecated(reason: "y")'],
            '@deprecated(reason: "y")',
        ),
        (['@owner(team: "x")', '@owner(team: "y")', '@owner(team: "y")'], '@owner(team: "y")'),
    ],
)
def test_a_directive_of_several_subgraphs(applied: list[str], expected: str) -> None:
    assert merged(*applied) == expected


def test_the_newest_version_of_a_composed_specification_is_linked_and_defined() -> None:
    older = SubgraphSource("a", LINK % ("x", 1, "") + 'type Query { a: Int @owner(team: "t") }')
    newer = SubgraphSource("b", LINK % ("x", 2, ", since: Int") + 'type Query { b: Int @owner(team: "t", since: 3) }')

    sdl = compose([older, newer]).supergraph_sdl or ""

    assert '@link(url: "https://specs.example/x/v1.2", import: ["@cacheControl", "@owner"])' in sdl
    assert "x/v1.1" not in sdl
    assert "directive @owner(team: String, since: Int) on FIELD_DEFINITION" in sdl


def test_a_renamed_and_a_prefixed_directive_keep_their_names_and_link() -> None:
    sdl = (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@composeDirective"]) '
        '@link(url: "https://specs.example/x/v1.0", as: "y", import: [{name: "@owner", as: "@team"}]) '
        '@composeDirective(name: "@team") @composeDirective(name: "@y__level") '
        "directive @team on FIELD_DEFINITION directive @y__level(of: y__Level) on FIELD_DEFINITION "
        "enum y__Level { LOW HIGH } type Query { a: Int @team @y__level(of: HIGH) }"
    )
    text = compose([SubgraphSource("a", sdl)]).supergraph_sdl or ""

    assert '@link(url: "https://specs.example/x/v1.0", as: "y", import: [{name: "@owner", as: "@team"}])' in text
    assert "  a: Int @team @y__level(of: HIGH)\n" in text
    assert "enum y__Level" in text


def test_a_directive_of_federation_linked_by_itself_and_renamed_is_carried() -> None:
    sdl = (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3") '
        '@link(url: "https://specs.apollo.dev/inaccessible/v0.2", import: [{name: "@inaccessible", as: "@hidden"}]) '
        "type Query { a: Int b: Int @hidden }"
    )

    assert compose([SubgraphSource("a", sdl)]).api_sdl == "type Query {\n  a: Int\n}\n"


def test_directives_for_operations_keep_what_all_subgraphs_say_of_them() -> None:
    first = '"one" directive @live(often: Int, since: Int = 1, of: String) on FIELD | QUERY type Query { a: Int }'
    second = "directive @live(often: Int!, since: Int) on FIELD | MUTATION type Query { b: Int }"

    sdl = compose([SubgraphSource("a", LINK % ("x", 0, "") + first), SubgraphSource("b", second)]).supergraph_sdl or ""

    assert '"""one"""\ndirective @live(often: Int!, since: Int) on FIELD\n' in sdl


def test_the_most_common_description_is_used() -> None:
    texts = ['"""x"""', '"""y"""', '"""y"""', ""]
    sources = [
        SubgraphSource(
            f"s{index}", LINK % ("x", 0, "") + f"{text} type Query {{ {text} a({text} n: Int): Int @shareable }}"
        )
        for index, text in enumerate(texts)
    ]

    assert compose(sources).api_sdl == '"""y"""\ntype Query {\n  """y"""\n  a(\n    """y"""\n    n: Int\n  ): Int\n}\n'


def test_a_composed_directive_is_of_those_subgraphs_that_compose_it() -> None:
    link = (
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective"]) '
        '@link(url: "https://x.dev/foo/v1.0", import: ["@foo"])'
    )
    definition = " directive @foo(n: Int) on FIELD_DEFINITION | FIELD "
    composition = compose(
        [
            SubgraphSource("a", link + ' @composeDirective(name: "@foo")' + definition + "type Query { a: Int @foo }"),
            SubgraphSource("b", link + definition + "type Query { b: Int @foo }"),
        ]
    )

    sdl = composition.supergraph_sdl or ""
    assert sdl.count("directive @foo") == 1
    assert "directive @foo(n: Int) on FIELD_DEFINITION | FIELD\n" in sdl
    assert "  a: Int @join__field(graph: A) @foo\n" in sdl
    assert "  b: Int @join__field(graph: B)\n" in sdl


def test_a_composed_directive_is_defined_though_nobody_uses_it() -> None:
    composition = compose(
        [
            SubgraphSource(
                "a",
                'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective"]) '
                '@link(url: "https://x.dev/foo/v1.0", import: ["@foo"]) @composeDirective(name: "@foo") '
                "directive @foo on FIELD_DEFINITION type Query { a: Int }",
            )
        ]
    )

    assert "directive @foo on FIELD_DEFINITION\n" in (composition.supergraph_sdl or "")


def test_a_default_value_written_out_is_no_difference() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@shareable"]) '
    composition = compose(
        [
            SubgraphSource("a", link + "type Query { n: Int @shareable @deprecated }"),
            SubgraphSource("b", link + 'type Query { n: Int @shareable @deprecated(reason: "No longer supported") }'),
        ]
    )

    assert composition.hints == ()


DAY, OTHER_DAY = "https://scalars.example/day", "https://scalars.example/another-day"


@pytest.mark.parametrize(
    ("said", "expected", "hints"),
    [
        ([DAY, DAY], DAY, []),
        ([None, DAY], DAY, []),
        ([None, None], None, []),
        ([DAY, OTHER_DAY, OTHER_DAY], OTHER_DAY, ["INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS"]),
        ([DAY, OTHER_DAY], DAY, ["INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS"]),
    ],
)
def test_clients_read_where_a_scalar_is_specified(
    said: list[str | None], expected: str | None, hints: list[str]
) -> None:
    """Introspection of the API schema is what clients see; the contract variant of it says the same."""
    composition = compose(_with_days(said))
    assert composition.errors == ()
    assert [hint.code for hint in composition.hints] == hints
    assert _specification(composition.api_sdl) == expected
    assert _specification(contract_of(composition, exclude=["none"]).api_sdl) == expected


def test_a_scalar_may_say_it_in_an_extension() -> None:
    sources = [
        SubgraphSource("a", "type Query { a: Day } scalar Day"),
        SubgraphSource("b", f'type Query {{ b: Day }} scalar Day extend scalar Day @specifiedBy(url: "{DAY}")'),
    ]
    assert _specification(compose(sources).api_sdl) == DAY


def _with_days(said: list[str | None]) -> list[SubgraphSource]:
    """A subgraph for each, whose scalar Day is specified there."""
    sources = []
    for index, url in enumerate(said):
        specified = f'@specifiedBy(url: "{url}")' if url else ""
        sdl = LINK % ("x", 0, "") + f"type Query {{ day{index}: Day }} scalar Day {specified}"
        sources.append(SubgraphSource(f"s{index}", sdl))
    return sources


def _specification(api_sdl: str | None) -> str | None:
    """What `specifiedByURL` of the scalar Day answers."""
    answer = graphql_sync(build_schema(api_sdl or ""), '{ __type(name: "Day") { specifiedByURL } }')
    assert answer.data is not None, answer.errors
    url: str | None = answer.data["__type"]["specifiedByURL"]
    return url
