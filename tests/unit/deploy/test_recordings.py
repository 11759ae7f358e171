"""What recordings in GPX, TCX and FIT come to. The samples are ours; the FIT file is written here."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deploy.personal_data.sources import recording as numbers
from deploy.personal_data.sources.archive import Archive
from deploy.personal_data.sources.formats import read_archive
from deploy.personal_data.sources.reading import Person, Reading
from deploy.personal_data.sources.recording import (
    Line,
    Point,
    climb,
    fastest,
    great_circle,
    line_of,
    smoothed,
    track_of,
)

SAMPLES = Path(__file__).with_name("app_exports") / "recordings"
BERLIN = Person(ZoneInfo("Europe/Berlin"), 0, is_metric=True)
FIT_EPOCH = 631_065_600


def workouts(path: Path) -> tuple[list[dict[str, Any]], Reading]:
    reading = Reading()
    found = [each.record for each in read_archive(Archive(path), BERLIN, reading) if each.listing == "workouts"]
    return found, reading


def line(*points: tuple[float, float]) -> Line:
    """Of (seconds, metres)."""
    return line_of([Point(at, metres=metres) for at, metres in points])


def test_a_run_with_a_pause_has_splits_and_fastest_stretches_with_the_pause_in_them() -> None:
    (run,), reading = workouts(SAMPLES / "lap.tcx")
    assert (run["name"], run["startedAt"], run["endedAt"]) == (
        "Running",
        "2026-04-01T06:00:00Z",
        "2026-04-01T06:15:00Z",
    )
    assert (run["caloriesBurned"]["kcal"], run["activeMinutes"]) == (100.0, 9.0)
    assert run["exercises"][0]["exercise"]["name"] == "Running, general"
    assert run["exercises"][0]["sets"][0]["distanceM"] == 2000.0
    assert run["track"] == {
        "distanceM": 2000.0,
        "movingSeconds": 540.0,
        "ascentM": 10.0,
        "descentM": 10.0,
        "meanHeartRate": 140,
        "maxHeartRate": 170,
        "kmSplits": [
            {"distanceM": 1000.0, "seconds": 300.0, "riseM": 10.0, "meanHeartRate": 120},
            {"distanceM": 1000.0, "seconds": 600.0, "riseM": -10.0, "meanHeartRate": 150},
        ],
        "mileSplits": [
            {"distanceM": 1609.34, "seconds": 806.2, "riseM": 0.0, "meanHeartRate": 139},
            {"distanceM": 390.66, "seconds": 93.8, "riseM": 0.0, "meanHeartRate": 170},
        ],
        "bests": [
            {"distance": "M400", "seconds": 96.0},
            {"distance": "KM1", "seconds": 240.0},
            {"distance": "MILE1", "seconds": 782.8},
        ],
        "series": {
            "seconds": [0, 300, 660, 900],
            "distanceM": [0.0, 1000.0, 1000.0, 2000.0],
            "altitudeM": [100.0, 110.0, 108.0, 100.0],
            "heartRate": [120, 150, None, 170],
            "cadence": None,
            "power": None,
        },
        # None holds for more than half a minute, and the last holds for nothing.
        "heartRateTimes": {"beatsPerMinute": [120, 150], "seconds": [30.0, 30.0]},
    }
    assert reading.reasons == []


def test_positions_are_great_circles_without_breaks_and_without_leaps_of_the_receiver() -> None:
    (run,), _ = workouts(SAMPLES / "loop.gpx")
    assert (run["name"], run["exercises"][0]["exercise"]["name"]) == ("Along the equator", "Running, general")
    assert run["track"]["distanceM"] == 2223.9
    assert run["track"]["movingSeconds"] == 540.0
    assert (run["track"]["meanHeartRate"], run["track"]["maxHeartRate"]) == (136, 140)
    assert run["endedAt"] == "2026-04-02T06:14:00Z"


def test_a_degree_of_a_meridian_is_111_kilometres() -> None:
    assert great_circle((10.0, 20.0), (11.0, 20.0)) == pytest.approx(111_195.08, abs=0.01)
    assert great_circle((60.0, 0.0), (60.0, 1.0)) == pytest.approx(55_595.5, abs=5)


def fit_file(*, damaged: bool = False) -> bytes:
    """A run of three records, ten seconds and thirty metres apart, and its session."""

    def definition(kind: int, message: int, *fields: tuple[int, int, int]) -> bytes:
        return struct.pack("<BBBHB", 0x40 | kind, 0, 0, message, len(fields)) + b"".join(map(bytes, fields))

    body = definition(0, 0, (0, 1, 0x00)) + struct.pack("<BB", 0, 4)
    body += definition(1, 20, (253, 4, 0x86), (5, 4, 0x86), (2, 2, 0x84), (3, 1, 0x02), (4, 1, 0x02), (7, 2, 0x84))
    start = 1_775_200_000 - FIT_EPOCH
    for number in range(3):
        altitude = (100 + 10 * number + 500) * 5
        body += struct.pack("<BIIHBBH", 1, start + 10 * number, 3000 * number, altitude, 140 + number, 80, 250 + number)
    body += definition(2, 18, (253, 4, 0x86), (5, 1, 0x00), (11, 2, 0x84)) + struct.pack("<BIBH", 2, start + 20, 1, 12)
    header = struct.pack("<BBHI4s", 14, 0x20, 2132, len(body), b".FIT")
    header += struct.pack("<H", checksum(header))
    return header + body + struct.pack("<H", checksum(header + body) ^ damaged)


def checksum(content: bytes) -> int:
    """FIT's: CRC-16 with the polynomial 0xA001."""
    found = 0
    for byte in content:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (0xA001 if found & 1 else 0)
    return found


def test_fit_has_records_and_a_session_and_is_refused_where_it_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "run.fit.gz").write_bytes(gzip.compress(fit_file()))
    (tmp_path / "damaged.fit").write_bytes(fit_file(damaged=True))
    (tmp_path / "short.fit").write_bytes(fit_file()[:60])
    (run,), reading = workouts(tmp_path)
    assert (run["startedAt"], run["caloriesBurned"]["kcal"]) == ("2026-04-03T07:06:40Z", 12)
    assert run["exercises"][0]["exercise"]["name"] == "Running, general"
    assert (run["track"]["distanceM"], run["track"]["movingSeconds"], run["track"]["meanHeartRate"]) == (
        60.0,
        20.0,
        140,
    )
    series = run["track"]["series"]
    assert (series["heartRate"], series["cadence"], series["power"]) == ([140, 141, 142], [80] * 3, [250, 251, 252])
    assert [reason.partition(": is no FIT file")[0] for reason in reading.reasons] == ["damaged.fit", "short.fit"]


def test_cadence_and_power_are_read_as_each_format_has_them(tmp_path: Path) -> None:
    """GPX with Garmin's and Strava's extensions, TCX with those of bicycles and of runs; FIT is in the test above."""
    gpx = """<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1" xmlns:t="http://www.garmin.com/xmlschemas/TrackPointExtension/v1">
      <trk><type>cycling</type><trkseg>{}</trkseg></trk></gpx>"""
    point = """<trkpt lat="0" lon="{0}"><ele>5</ele><time>2026-04-02T06:00:0{1}Z</time><extensions><power>{2}</power>
      <t:TrackPointExtension><t:hr>{3}</t:hr><t:cad>{4}</t:cad></t:TrackPointExtension></extensions></trkpt>"""
    points = point.format("0", 0, 210, 140, 88) + point.format("0.0001", 1, 9999, 141, 90)
    (tmp_path / "ride.gpx").write_text(gpx.format(points))
    tcx = (SAMPLES / "lap.tcx").read_text()
    of_a_run = "<Extensions><TPX><Speed>3</Speed><RunCadence>84</RunCadence><Watts>301</Watts></TPX></Extensions>"
    tcx = tcx.replace("<HeartRateBpm><Value>170", of_a_run + "<HeartRateBpm><Value>170")
    (tmp_path / "run.tcx").write_text(
        tcx.replace("<HeartRateBpm><Value>120", "<Cadence>80</Cadence><HeartRateBpm><Value>120")
    )
    series = {run["exercises"][0]["exercise"]["name"][:7]: run["track"]["series"] for run in workouts(tmp_path)[0]}
    ride, run = series["Bicycli"], series["Running"]
    assert (ride["power"], ride["cadence"], ride["heartRate"]) == ([210, None], [88, 90], [140, 141])
    assert (run["power"], run["cadence"]) == ([None, None, None, 301], [80, None, None, 84])


def test_a_long_recording_keeps_a_thousand_points_and_every_second_of_its_heart() -> None:
    """Four hours of intervals: 100 beats for five minutes, then 180; what is kept has each of the two, not their mean."""
    points = [
        Point(float(second), metres=3.0 * second, heart_rate=180 if second // 300 % 2 else 100, power=second % 2 * 400)
        for second in range(14_400)
    ]
    track = track_of(line_of(points))
    series = track["series"]
    assert len(series["seconds"]) == 1000
    assert (series["seconds"][-1], series["distanceM"][-1]) == (14_399, 43_197.0)
    assert {100, 180} < set(series["heartRate"])
    assert all(170 <= watts <= 230 for watts in series["power"])
    assert track["heartRateTimes"] == {"beatsPerMinute": [100, 180], "seconds": [7200.0, 7199.0]}


def test_entities_and_what_is_no_recording_are_skipped_and_stop_nothing(tmp_path: Path) -> None:
    for sample in SAMPLES.iterdir():
        (tmp_path / sample.name).write_bytes(sample.read_bytes())
    (tmp_path / "cut.gpx").write_text((SAMPLES / "loop.gpx").read_text()[:-20])
    (tmp_path / "empty.gpx").write_text('<gpx version="1.1"></gpx>')
    found, reading = workouts(tmp_path)
    assert len(found) == 2
    told = {reason.partition(":")[0]: reason for reason in reading.reasons}
    assert sorted(told) == ["bomb.gpx", "cut.gpx", "empty.gpx"]
    assert "defines entities" in told["bomb.gpx"]
    assert told["empty.gpx"] == "empty.gpx: has fewer than two points with a time"


def test_more_points_than_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "MOST_POINTS", 2)
    found, reading = workouts(SAMPLES / "lap.tcx")
    assert (found, reading.reasons) == ([], ["lap.tcx: has more than 2 points"])


def test_the_fastest_stretch_begins_or_ends_between_points() -> None:
    # 1 km in 100 s, at a pace of 3 m/s before and after: a stretch of 1,300 m takes 100 s more, wherever it lies.
    paced = line((0, 0), (100, 300), (200, 1300), (300, 1600))
    assert fastest(paced, 1000) == pytest.approx(100)
    assert fastest(paced, 1300) == pytest.approx(200)
    assert fastest(paced, 500) == pytest.approx(50)
    assert fastest(paced, 1600) == pytest.approx(300)
    assert fastest(paced, 1601) is None


def test_a_recording_at_rest_climbs_nothing_though_its_altitude_drifts() -> None:
    drifting = [(float(second), 100 + (2.5 if second % 7 < 3 else -2.5)) for second in range(600)]
    assert climb(smoothed(drifting)) == (0.0, 0.0)
    hill = [(float(second), min(second, 600 - second) / 6) for second in range(601)]
    up, down = climb(smoothed(hill))
    assert up == pytest.approx(50, abs=LEAST)
    assert down == pytest.approx(50, abs=LEAST)


#: What the smoothing takes off a summit, and what is left below the least climb.
LEAST = 5


def test_a_long_recording_is_worked_out_in_time_that_grows_with_its_points() -> None:
    """Five hours of a point each second; what were quadratic in it would not end within the test's limit of time."""
    ride = [
        Point(float(second), metres=2.5 * second, altitude=second % 500, heart_rate=120) for second in range(18_000)
    ]
    track = track_of(line_of(ride))
    assert track["distanceM"] == 2.5 * 17_999
    assert len(track["kmSplits"]) == 45
    assert track["bests"][-1] == {"distance": "MARATHON", "seconds": 16878.0}
