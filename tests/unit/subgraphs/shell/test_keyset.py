"""Pages: their arguments, their cursors, which fit one list, and the connection in both directions."""

import base64
from datetime import UTC, datetime

import orjson
import pytest

from subgraphs.shell.errors import ValidationError
from subgraphs.shell.keyset import BigInteger, KeysetList, Page, SortOrder, encode_cursor
from subgraphs.shell.pagination import Connection, connect

WEIGHTS = KeysetList("User.weights", "ada", (datetime, str))
NUMBERS = KeysetList("Numbers", "", (int,))


def page_of(rows: range, **arguments: int | str) -> Connection[int]:
    """As a query would: rows beyond the cursor in the page's direction."""
    page = NUMBERS.page(**arguments)  # type: ignore[arg-type]
    ordered = rows[::-1] if page.backward else rows
    if page.after is not None:
        (key,) = page.after
        ordered = [row for row in ordered if (row < key if page.backward else row > key)]  # type: ignore[assignment]
    return connect(list(ordered)[: page.limit], page, lambda row: row, lambda row: (row,))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_both_directions_show_the_same_list(size: int) -> None:
    rows = range(7)
    forward: list[int] = []
    page = page_of(rows, first=size)
    forward += page.nodes()
    while page.page_info.has_next_page:
        page = page_of(rows, first=size, after=page.page_info.ends[-1]())
        assert page.page_info.has_previous_page
        forward += page.nodes()

    backward: list[int] = []
    page = page_of(rows, last=size)
    backward = page.nodes() + backward
    while page.page_info.has_previous_page:
        page = page_of(rows, last=size, before=page.page_info.ends[0]())
        assert page.page_info.has_next_page
        backward = page.nodes() + backward

    assert forward == backward == list(rows)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"first": 0}, "first"),
        ({"first": -1}, "first"),
        ({"first": 101}, "first"),
        ({"last": 0}, "last"),
        ({"first": 2, "last": 2}, "last"),
        ({"after": encode_cursor(NUMBERS.tag, (1,)), "before": encode_cursor(NUMBERS.tag, (3,))}, "last"),
        ({"after": "nonsense"}, "after"),
        ({"before": ""}, "before"),
        ({"after": "x" * 9000}, "after"),
        ({"after": "ü"}, "after"),
    ],
)
def test_impossible_arguments_name_what_is_wrong(arguments: dict[str, int | str], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        NUMBERS.page(**arguments)  # type: ignore[arg-type]
    assert [name for name, _ in refusal.value.violations] == [field]


@pytest.mark.parametrize(
    "other", [KeysetList("User.weights", "eve", (datetime, str)), KeysetList("User.meals", "ada", ())]
)
def test_a_cursor_of_another_list_or_person_is_refused(other: KeysetList) -> None:
    keys = (datetime(2026, 3, 1, tzinfo=UTC), "id")
    assert WEIGHTS.page(after=encode_cursor(WEIGHTS.tag, keys)).after == keys
    with pytest.raises(ValidationError, match="after: is not a cursor of this list"):
        WEIGHTS.page(after=encode_cursor(other.tag, keys))


@pytest.mark.parametrize(
    "keys",
    [
        [],
        ["2026-03-01T00:00:00Z"],
        ["2026-03-01T00:00:00Z", "id", "more"],
        ["2026-03-01T00:00:00", "id"],
        ["never", "id"],
        [5, "id"],
        ["2026-03-01T00:00:00Z", 5],
        ["2026-03-01T00:00:00Z", "\0"],
        ["2026-03-01T00:00:00Z", None],
        ["0001-01-01T00:00:00+14:00", "id"],
        ["9999-12-31T23:59:59-14:00", "id"],
    ],
)
def test_a_forged_cursor_brings_nothing_to_the_database(keys: list[object]) -> None:
    forged = base64.urlsafe_b64encode(orjson.dumps([2, WEIGHTS.tag, *keys])).decode().rstrip("=")
    with pytest.raises(ValidationError):
        WEIGHTS.page(after=forged)


@pytest.mark.parametrize(("kind", "most"), [(int, 2**31 - 1), (BigInteger, 2**63 - 1)])
def test_an_integer_in_a_cursor_fits_its_column(kind: type, most: int) -> None:
    numbers = KeysetList("Numbers", "", (kind,))
    assert numbers.page(after=encode_cursor(numbers.tag, (-most,))).after == (-most,)
    for beyond in (most + 1, -most - 1):
        with pytest.raises(ValidationError):
            numbers.page(after=encode_cursor(numbers.tag, (beyond,)))


def test_the_same_page_of_several_peoples_lists_is_one_key() -> None:
    keys = (datetime(2026, 3, 1, tzinfo=UTC), "id")
    assert Page(5, keys, list_tag="ada") == Page(5, keys, list_tag="eve")
    assert hash(Page(5, keys, list_tag="ada")) == hash(Page(5, keys, list_tag="eve"))


def test_a_backward_page_is_read_from_the_other_end() -> None:
    order = SortOrder(("at", "id"), descending=True)
    forward, backward = Page(5, ("a", "b")), Page(5, ("a", "b"), backward=True)
    assert (order.beyond(forward.shape), order.order_by(forward.shape)) == (
        "(at, id) < (:key_0, :key_1)",
        "at DESC, id DESC",
    )
    assert (order.beyond(backward.shape), order.order_by(backward.shape)) == (
        "(at, id) > (:key_0, :key_1)",
        "at ASC, id ASC",
    )
    assert order.beyond(Page(5).shape) == "TRUE"
    assert forward.keys == {"key_0": "a", "key_1": "b"}
