import pytest

from router.server.header_values import Element, HeaderFields, elements

LINES = [(b"accept", b"a"), (b"x", b"1"), (b"cookie", b"a=1"), (b"x", b"2"), (b"cookie", b"b=2")]


def test_lines_of_one_name_are_one_list() -> None:
    fields = HeaderFields(LINES)
    assert fields.text(b"x") == "1, 2"
    assert fields.text(b"cookie") == "a=1; b=2"
    assert fields.text(b"accept") == "a"
    assert fields.text(b"missing") == ""
    assert list(fields) == [b"accept", b"x", b"cookie"]


def test_a_header_that_is_no_list_may_be_sent_twice_alike_and_fits_nothing_otherwise() -> None:
    json, other = (b"content-type", b"application/json"), (b"content-type", b"x")
    assert HeaderFields([json]).single(b"content-type") == "application/json"
    assert HeaderFields([json, json]).single(b"content-type") == "application/json"
    assert HeaderFields([json, other]).single(b"content-type") == "application/json, x"
    assert HeaderFields([*LINES, json]).single(b"missing") == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", []),
        (" ,, ", []),
        ("GZIP", [Element("gzip")]),
        ("a;Q=0.5, b", [Element("a", (("q", "0.5"),)), Element("b")]),
        ('a;x="1,2;q=0" ; q=1', [Element("a", (("x", "1,2;q=0"), ("q", "1")))]),
        (r'a;x="\"," , b', [Element("a", (("x", '",'),)), Element("b")]),
        ('"open, b', [Element('"open'), Element("b")]),
    ],
)
def test_commas_and_semicolons_in_quotes_separate_nothing(value: str, expected: list[Element]) -> None:
    assert list(elements(value)) == expected


@pytest.mark.parametrize(("quality", "weight"), [("0.5", 0.5), ("2", 1), ("-1", 0), ("nan", 0), ("inf", 0), ("x", 0)])
def test_a_quality_is_a_number_from_0_to_1(quality: str, weight: float) -> None:
    assert [each.quality for each in elements(f"a;q={quality}")] == [weight]
