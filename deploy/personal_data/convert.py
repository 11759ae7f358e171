"""From what another app exported to a folder of the shape that our own export has."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import orjson

from deploy.errors import FriendlyError
from deploy.personal_data.listings import LISTINGS
from deploy.personal_data.sources.archive import Archive
from deploy.personal_data.sources.formats import read_archive
from deploy.personal_data.sources.reading import Person, Reading


def convert(archive: Archive, person: Person, to: Path, reading: Reading) -> None:
    """Writes each record as it is read into `to`, an empty folder, which then has every file of an export but its manifest.

    Raises FriendlyError where the archive has no file that a reader is for.
    """
    with ExitStack() as files:
        lines = {listing.name: files.enter_context((to / f"{listing.name}.jsonl").open("wb")) for listing in LISTINGS}
        for found in read_archive(archive, person, reading):
            lines[found.listing].write(orjson.dumps(found.record, option=orjson.OPT_APPEND_NEWLINE))
    if len(reading.unread) == len(archive.names):
        raise FriendlyError(
            "no file in it is one that can be read",
            "exports of Strong, Hevy, MyFitnessPal, Apple Health, Google Fit and Strava can, and folders of `fittracker export`",
        )
