"""The bill of materials: a CycloneDX 1.5 document of what `requirements.lock` pins, with licences where it is installed.

`fittracker sbom` prints it. Format: https://cyclonedx.org/docs/1.5/json/
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

import orjson

from deploy.errors import FriendlyError
from deploy.locked_packages import LockedPackage

NAME = "fittracker-pro"


def bill_of_materials(packages: Sequence[LockedPackage]) -> bytes:
    """The document. Raises FriendlyError where what is installed is not what is locked: it would tell of something else."""
    locked: defaultdict[str, list[str]] = defaultdict(list)  # more than one where Pythons differ
    for package in packages:
        locked[package.name].append(package.version)
    differing = [
        f"{name} is {found.version}, locked {' or '.join(versions)}"
        for name, versions in locked.items()
        if (found := _installed(name)) is not None and found.version not in versions
    ]
    if differing:
        raise FriendlyError(f"what is installed is not what is locked: {'; '.join(differing)}", "run `make setup`")
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "component": {"type": "application", "bom-ref": NAME, "name": NAME},
        },
        "components": [_component(package) for package in packages],
        "dependencies": [{"ref": NAME, "dependsOn": [package.purl for package in packages]}],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _component(package: LockedPackage) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        # of each file that may be installed: a wheel for each platform, and the source
        "hashes": [{"alg": "SHA-256", "content": each} for each in package.hashes],
    }
    if licence := _licence(package):
        component["licenses"] = [licence]
    return component


def _licence(package: LockedPackage) -> dict[str, Any] | None:
    """What the installed package says of itself."""
    found = _installed(package.name)
    if found is None or found.version != package.version:
        return None
    if expressions := found.metadata.get_all("License-Expression"):
        return {"expression": expressions[0]}
    classifiers = [each for each in found.metadata.get_all("Classifier") or () if each.startswith("License ::")]
    told = [classifiers[0].rpartition(" :: ")[2]] if classifiers else found.metadata.get_all("License") or [""]
    text = str(told[0]).partition("\n")[0].strip()
    return {"license": {"name": text}} if text else None


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:  # of another platform or Python
        return None
