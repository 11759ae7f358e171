"""The clock that a person set a moment ago is preferred, the newest of several, and for a while only."""

from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import WeekStart
from subgraphs.shell.recent_clocks import MOST_REMEMBERED, REMEMBER_SECONDS, RecentClocks

VIEWER = Viewer("ann", "Ann", frozenset({"USER"}), "s", expires_at=1e12)


async def set_clock(clocks: RecentClocks, version: int, time_zone: str, user_id: str = "ann") -> None:
    await clocks.announce(user_id, version, time_zone=time_zone, day_start_hour=4, week_start=WeekStart.SUNDAY)


async def test_the_viewer_has_the_clock_that_was_set_since_the_token_was_issued() -> None:
    clocks = RecentClocks()
    assert clocks.on(VIEWER) is VIEWER
    await set_clock(clocks, 2, "Asia/Tokyo")
    viewer = clocks.on(VIEWER)
    assert (viewer.time_zone, viewer.day_start_hour, viewer.week_start) == ("Asia/Tokyo", 4, WeekStart.SUNDAY)
    assert (viewer.clock_is_recent, viewer.id, viewer.session_id) == (True, "ann", "s")


async def test_an_older_version_that_comes_late_changes_nothing() -> None:
    clocks = RecentClocks()
    await set_clock(clocks, 3, "Asia/Tokyo")
    await set_clock(clocks, 2, "Europe/Berlin")
    assert clocks.on(VIEWER).time_zone == "Asia/Tokyo"


async def test_what_was_set_long_ago_is_left_to_the_events() -> None:
    now = [0.0]
    clocks = RecentClocks(seconds=lambda: now[0])
    await set_clock(clocks, 2, "Asia/Tokyo")
    now[0] = REMEMBER_SECONDS + 1
    assert clocks.on(VIEWER) is VIEWER


async def test_only_so_many_are_remembered() -> None:
    clocks = RecentClocks()
    for number in range(MOST_REMEMBERED + 1):
        await set_clock(clocks, 1, "Asia/Tokyo", f"person-{number}" if number else "ann")
    assert clocks.on(VIEWER) is VIEWER
