import orjson

from router.server.multipart import FormerIncrementalParts, IncrementalParts


def bodies(framing: IncrementalParts, *payloads: dict[str, object]) -> list[object]:
    parts = [framing.part(orjson.dumps(each)) for each in payloads]
    return [orjson.loads(part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n---")) for part in parts]


def test_a_part_tells_its_length_and_ends_with_the_boundary() -> None:
    framing = IncrementalParts()
    assert framing.start + framing.part(b'{"data":{}}') == (
        b'\r\n---\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 11\r\n\r\n{"data":{}}\r\n---'
    )
    assert framing.end(None) == b"--\r\n"


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
