"""Which files of other apps are read, and all of an archive as one stream of records."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.personal_data.sources import google_fit, myfitnesspal
from deploy.personal_data.sources.apple_health import APPLE_HEALTH
from deploy.personal_data.sources.archive import Archive, DamagedFileError
from deploy.personal_data.sources.hevy import HEVY
from deploy.personal_data.sources.reading import Format, Found, Person, Reading, Source
from deploy.personal_data.sources.recordings import RECORDINGS
from deploy.personal_data.sources.strava import STRAVA
from deploy.personal_data.sources.strong import STRONG

FORMATS: tuple[Format, ...] = (
    STRONG,
    HEVY,
    myfitnesspal.MEALS,
    myfitnesspal.EXERCISE,
    myfitnesspal.MEASUREMENTS,
    google_fit.SESSIONS,
    google_fit.DAYS,
    STRAVA,
    APPLE_HEALTH,
    RECORDINGS,
)


def format_of(name: str, head: bytes) -> Format | None:
    """By the file's name and first bytes; None for what nobody reads."""
    return next((each for each in FORMATS if each.fits(name, head)), None)


def read_archive(archive: Archive, person: Person, reading: Reading) -> Iterator[Found]:
    """The records of all files that have a format, file by file. The others are named in `reading.unread`; what is damaged
    is told as skipped, and stops no other file.
    """
    for name in archive.names:
        if name in reading.taken:
            continue
        try:
            form = format_of(name, archive.head(name))
            if form is None:
                reading.unread.append(name)
                continue
            with archive.open(name) as file:
                yield from form.read(Source(name, file, person, reading, archive))
        except DamagedFileError as error:
            reading.skip(name, str(error))
