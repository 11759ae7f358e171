from router.server.multipart import FormerIncrementalParts, IncrementalParts


def test_a_part_tells_its_length_and_ends_with_the_boundary() -> None:
    framing = IncrementalParts()
    assert framing.start + framing.part(b'{"data":{}}') == (
        b'\r\n---\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 11\r\n\r\n{"data":{}}\r\n---'
    )
    assert framing.end(None) == b"--\r\n"


def test_the_former_format_differs_in_its_name_alone() -> None:
    """What its parts say is the pipeline's."""
    former = FormerIncrementalParts()
    assert former.part(b'{"data":{}}') == IncrementalParts().part(b'{"data":{}}')
    assert b"deferSpec=20220824" in former.content_type
