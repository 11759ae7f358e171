import orjson

from router.server.incremental import FormerIncrementalParts, IncrementalParts


def bodies(framing: IncrementalParts, *payloads: dict[str, object]) -> list[object]:
    return [orjson.loads(framing.part(orjson.dumps(each)).partition(b"\r\n\r\n")[2]) for each in payloads]


def test_a_part_tells_its_length() -> None:
    assert IncrementalParts().part(b'{"data":{}}') == (
        b"\r\n---\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 11\r\n\r\n" + b'{"data":{}}'
    )
    assert IncrementalParts().end(None) == b"\r\n-----\r\n"


def test_ids_become_paths_and_labels_in_the_former_format() -> None:
    assert bodies(
        FormerIncrementalParts(),
        {
            "data": {"a": {}},
            "pending": [{"id": "0", "path": ["a"], "label": "l"}, {"id": "1", "path": []}],
            "hasNext": True,
        },
        {
            "incremental": [{"id": "0", "data": {"b": 1}, "subPath": ["c", 0], "errors": [{"message": "m"}]}],
            "completed": [{"id": "0"}],
            "hasNext": True,
        },
        {"completed": [{"id": "1", "errors": [{"message": "gone"}]}], "hasNext": False},
    ) == [
        {"data": {"a": {}}, "hasNext": True},
        {
            "incremental": [
                {"data": {"b": 1}, "errors": [{"message": "m"}], "path": ["a", "c", 0], "label": "l"},
            ],
            "hasNext": True,
        },
        {"incremental": [{"data": None, "errors": [{"message": "gone"}], "path": []}], "hasNext": False},
    ]


def test_items_tell_where_they_begin_in_the_former_format() -> None:
    assert bodies(
        FormerIncrementalParts(),
        {"data": {"a": [1, 2]}, "pending": [{"id": "0", "path": ["a"]}], "hasNext": True},
        {"incremental": [{"id": "0", "items": [3, 4]}], "completed": [{"id": "0"}], "hasNext": False},
    ) == [
        {"data": {"a": [1, 2]}, "hasNext": True},
        {"incremental": [{"items": [3, 4], "path": ["a", 2]}], "hasNext": False},
    ]


def test_items_that_came_to_nothing_are_null_items_in_the_former_format() -> None:
    assert bodies(
        FormerIncrementalParts(),
        {"data": {"a": [1]}, "pending": [{"id": "0", "path": ["a"]}], "hasNext": True},
        {"completed": [{"id": "0", "errors": [{"message": "gone"}]}], "hasNext": False},
    )[1] == {"incremental": [{"items": None, "errors": [{"message": "gone"}], "path": ["a", 1]}], "hasNext": False}
