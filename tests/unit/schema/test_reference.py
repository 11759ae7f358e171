"""The Markdown reference says of each part of a schema what its description says, and links types to where they are told of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import build_schema, is_introspection_type, is_specified_scalar_type

from schema.__main__ import main
from schema.reference import reference_of

SDL = '''
type Query {
  """A dish of the card."""
  dish("Its number | on the card." number: Int!, size: Size = LARGE): Dish
  dishes(like: DishInput): [Eaten!]! @deprecated(reason: "Ask for a dish.")
}
"""What is cooked."""
type Dish implements Named { "As on the card." name: String! price("In which." currency: String = "EUR"): Money }
"""What has a name."""
interface Named { name: String! }
union Eaten = Dish
input DishInput { "At least." price: Money = "1.00" }
enum Size { "For children." SMALL LARGE }
"""An amount."""
scalar Money @specifiedBy(url: "https://money.example")
'''
SHIPPED = Path(__file__).parents[3] / "schema" / "fittracker"


def test_each_part_stands_with_its_description_type_and_default() -> None:
    text = reference_of(build_schema(SDL), "The card")
    for line in (
        "# The card",
        "### Query.dish",
        "A dish of the card. Gives [Dish](#dish).",
        "| `number` | `Int!` |  | Its number \\| on the card. |",
        "| `size` | [Size](#size) | `= LARGE` |  |",
        "**Deprecated:** Ask for a dish.",
        "Gives \\[[Eaten](#eaten)!\\]!.",
        "Is [Named](#named).",
        '| `price` | [Money](#money) | <br>`currency`: `String` `= "EUR"` In which. |',
        "One of [Dish](#dish).",
        '| `price` | [Money](#money) | `= "1.00"` | At least. |',
        "| `SMALL` | For children. |",
        "Specified by <https://money.example>.",
    ):
        assert line in text.splitlines(), line


def test_every_link_of_the_shipped_reference_leads_to_one_heading() -> None:
    text = (SHIPPED / "api-reference.md").read_text(encoding="utf-8")
    anchors = [heading.lower().replace(".", "") for heading in re.findall(r"^### (.+)$", text, re.MULTILINE)]
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\(#([^)]+)\)", text)) <= set(anchors)
    own = {
        name.lower()
        for name, type_ in build_schema((SHIPPED / "api.graphql").read_text(encoding="utf-8")).type_map.items()
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    }
    assert own - {"query", "mutation", "subscription"} <= set(anchors)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "card.graphql"
    file.write_text(SDL, encoding="utf-8")
    assert main(["reference", str(file), "--title", "The card"]) == 0
    assert capsys.readouterr().out == reference_of(build_schema(SDL), "The card")
