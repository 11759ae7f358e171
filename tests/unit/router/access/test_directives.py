import pytest
from graphql import parse

from router.access.directives import DirectiveUse, uses_of


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ('@link(url: "https://specs.apollo.dev/authenticated/v0.1")', "authenticated"),
        ('@link(url: "https://specs.apollo.dev/authenticated/v0.1", as: "login")', "login"),
        ('@link(url: "https://x.dev/spec/v1", import: [{name: "@authenticated", as: "@login"}])', "login"),
        ('@link(url: "https://specs.apollo.dev/federation/v2.5")', "federation__authenticated"),
        ('@link(url: "https://specs.apollo.dev/federation/v2.5", as: "fed")', "fed__authenticated"),
        ('@core(feature: "https://specs.apollo.dev/core/v0.2")', "authenticated"),
        ('@core(feature: "https://specs.apollo.dev/authenticated/v0.1", as: "login")', "login"),
        (
            '@at(url: "https://specs.apollo.dev/link/v1.0", as: "at") @at(url: "https://x.dev/spec/v1.0", as: "x")',
            "x__authenticated",
        ),
    ],
)
def test_a_directive_is_found_under_the_name_its_link_gives_it(link: str, name: str) -> None:
    document = parse(f"schema {link} {{ query: Q }} type Q @{name} {{ a: Int @{name} b: Int }} enum E @{name} {{ X }}")
    assert list(uses_of(document, "authenticated")) == [
        DirectiveUse("Q", None, {}),
        DirectiveUse("Q", "a", {}),
        DirectiveUse("E", None, {}),
    ]


def test_arguments_are_plain_values() -> None:
    document = parse('type Q { a: Int @requiresScopes(scopes: [["a", "b"], ["c"]]) }')
    assert list(uses_of(document, "requiresScopes")) == [DirectiveUse("Q", "a", {"scopes": [["a", "b"], ["c"]]})]
