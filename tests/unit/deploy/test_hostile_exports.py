"""Files that nobody's app wrote: no reader fails on them, and none keeps more of them in memory than its bound.

`python -m pytest tests/unit/deploy/test_hostile_exports.py` changes each sample in the same ways each time.
"""

from __future__ import annotations

import io
import re
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile
from zoneinfo import ZoneInfo

import orjson
import pytest

from deploy.errors import FriendlyError
from deploy.personal_data.sources import apple_health, recordings, sheet
from deploy.personal_data.sources.archive import Archive
from deploy.personal_data.sources.formats import read_archive
from deploy.personal_data.sources.reading import Person, Reading
from tests.unit.deploy.test_recordings import checksum, fit_file

SAMPLES = Path(__file__).with_name("app_exports")
BERLIN = Person(ZoneInfo("Europe/Berlin"), 4, is_metric=True)
ODD = [
    b"NaN", b"Infinity", b"1e999", b"9" * 400, b"", b"\x00", b"\xff\xfe", b"9999-12-31T23:59:59Z", b"2026-02-30",
    b'"', b",", b"<", b">", b"\n", b"[]", b"null", b"\\ud800", b"\xed\xa0\x80", b"180.0001", b"UTF-9",
]  # fmt: skip
NUMBER = re.compile(rb"[-+]?\d[\d.:TZ+-]*")
MUTATIONS = 60  # of each sample


def samples() -> dict[str, bytes]:
    found = {str(file.relative_to(SAMPLES)): file.read_bytes() for file in sorted(SAMPLES.rglob("*")) if file.is_file()}
    whole = io.BytesIO()
    with ZipFile(whole, "w", ZIP_DEFLATED) as packed:
        for name, content in found.items():
            packed.writestr(name, content)
    return found | {"run.fit": fit_file(), "export.zip": whole.getvalue()}


def mutated(content: bytes, rng: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        start = rng.randrange(len(changed))
        end = min(len(changed), start + rng.choice((1, 2, 4, 8, 40)))
        numbers = list(NUMBER.finditer(changed))
        match rng.randrange(5):
            case 0:
                changed[start] = rng.randrange(256)
            case 1:
                changed[start:end] = rng.choice(ODD)
            case 2:
                del changed[start:end]
            case 3:
                changed[start:start] = changed[start:end] * 3
            case _ if numbers:
                number = rng.choice(numbers)
                changed[number.start() : number.end()] = rng.choice(ODD)
        if not changed:
            return content
    return bytes(changed)


def as_fit(content: bytes) -> bytes:
    """With the length and the checksum that it would have as a FIT file, so that its reader looks further."""
    body = content[14:-2]
    header = content[:4] + struct.pack("<I", len(body)) + content[8:12]
    whole = header + struct.pack("<H", checksum(header)) + body
    return whole + struct.pack("<H", checksum(whole))


@pytest.mark.parametrize("name", list(samples()))
def test_no_change_of_a_sample_makes_a_reader_fail(name: str, tmp_path: Path) -> None:
    content = samples()[name]
    file = tmp_path / Path(name).name
    for number in range(MUTATIONS):
        changed = mutated(content, Random(f"{name}/{number}"))
        file.write_bytes(as_fit(changed) if name.endswith(".fit") and len(changed) > 16 else changed)
        try:
            for each in read_archive(Archive(file), BERLIN, Reading()):
                orjson.dumps(each.record)
        except FriendlyError:
            continue
        except Exception as error:
            raise AssertionError(f"change {number} of {name}: {error!r}") from error


class Endless(io.RawIOBase):
    """What an archive of a few kilobytes may unpack to: a beginning, and then the same for ever, up to a bound of the test."""

    def __init__(self, beginning: bytes, then: bytes, size: int = 64 * 1024**2) -> None:
        super().__init__()
        self._ready = beginning
        self._then = then * (1 + 65_536 // len(then))
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._ready:
            self._ready = self._then[: len(self._then)] if self.left > 0 else b""
        found, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        self.left -= len(found)
        buffer[: len(found)] = found
        return len(found)


APPLE, GPX, TCX = (
    b"<HealthData>",
    b"<gpx><trk><trkseg>",
    b"<TrainingCenterDatabase><Activities><Activity Sport='Running'>",
)
ELEMENT = b"<wpt><name>x</name></wpt>"


def bombs() -> Iterator[Any]:
    for form, name, beginning in (
        (apple_health.APPLE_HEALTH, "export.xml", APPLE),
        (recordings.RECORDINGS, "a.gpx", GPX),
        (recordings.RECORDINGS, "a.tcx", TCX),
    ):
        yield pytest.param(form, name, beginning, b"<a>", id=f"{name}: elements within elements")
        yield pytest.param(form, name, beginning, b"x", id=f"{name}: text without an end")
        yield pytest.param(form, name, beginning + b"<a b='", b"x", id=f"{name}: an attribute without an end")
        yield pytest.param(form, name, beginning, ELEMENT, id=f"{name}: elements that nobody looks at")
    for name, beginning in (("a.gpx", GPX + b"<trkpt>"), ("a.tcx", TCX + b"<Trackpoint>")):
        yield pytest.param(recordings.RECORDINGS, name, beginning, b"<a/>", id=f"{name}: a point without an end")


@pytest.mark.parametrize(("form", "name", "beginning", "then"), list(bombs()))
def test_xml_that_does_not_end_fills_no_memory(form: Any, name: str, beginning: bytes, then: bytes) -> None:
    size = 1024**2 if then == ELEMENT else 64 * 1024**2
    source: Any = io.BufferedReader(Endless(beginning, then, size))
    reading = Reading()
    tracemalloc.start()
    try:
        assert list(form.read(apple_health.Source(name, source, BERLIN, reading))) == []
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reading.reasons
    assert most < (4 if then == ELEMENT else 12) * 1024**2


def test_what_may_ask_for_all_memory_is_not_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    with ZipFile(archive, "w", ZIP_LZMA) as packed:
        packed.write(SAMPLES / "strong" / "strong.csv", "strong.csv")
    reading = Reading()
    assert list(read_archive(Archive(archive), BERLIN, reading)) == []
    assert "is packed as no app packs" in reading.reasons[0]


def test_a_line_without_an_end_is_told_and_stops_no_other_file(tmp_path: Path) -> None:
    header = (SAMPLES / "strong" / "strong.csv").read_bytes().split(b"\n", 1)[0]
    archive = tmp_path / "export.zip"
    with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
        packed.writestr("a.csv", header + b"," * (2 * sheet.LONGEST_LINE))
        packed.writestr("b.csv", header + b"\n" + b'"' + b";" * (2 * sheet.LONGEST_LINE))
        packed.write(SAMPLES / "hevy" / "workouts.csv", "c.csv")
    reading = Reading()
    found = [each.listing for each in read_archive(Archive(archive), BERLIN, reading)]
    assert "workouts" in found
    expected = f"has a line of more than {sheet.LONGEST_LINE:,} characters"
    assert reading.reasons[:2] == [f"a.csv: {expected}", f"b.csv: {expected}"]


def test_a_recording_of_two_points_and_of_years_between_them_fills_no_memory() -> None:
    points = (
        b"<Trackpoint><Time>%d-01-01T00:00:00Z</Time><DistanceMeters>%d</DistanceMeters></Trackpoint>" % each
        for each in ((2020, 0), (2021, 200_000_000))
    )
    content = (
        TCX + b"<Lap><Track>" + b"".join(points) + b"</Track></Lap></Activity></Activities></TrainingCenterDatabase>"
    )
    reading = Reading()
    tracemalloc.start()
    try:
        found = recordings.RECORDINGS.read(apple_health.Source("a.tcx", io.BytesIO(content), BERLIN, reading))
        assert list(found) == []
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reading.reasons == ["a.tcx: lasts longer than a day"]
    assert most < 1024**2
