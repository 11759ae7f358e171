"""Tests of the rooms on the distribution that is installed: `pytest -p tests.testkit.installed_rooms ...` in its environment.

The distribution `fittracker-router` has the rooms as `fittracker_router.router` and `.schema`. With this plugin the names that
tests import, `router` and `schema`, mean those, and not the folders of the checkout that the tests are read from.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

from deploy.standalone.build import PACKAGE, ROOMS


def _take_their_places() -> None:
    package = importlib.import_module(PACKAGE)
    for found in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        name = found.name.removeprefix(f"{PACKAGE}.")
        if name.partition(".")[0] in ROOMS and not name.endswith("__main__"):
            sys.modules[name] = importlib.import_module(found.name)


_take_their_places()
