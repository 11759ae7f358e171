"""Builds the wheel `fittracker-router`: router and composer for any graph, in one package that nobody else has.

`python -m deploy.standalone.build FOLDER` writes it. In the repository the rooms are the top-level packages `router` and
`schema`, names that other distributions have too; in the wheel they are `fittracker_router.router` and `.schema`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
PACKAGE = "fittracker_router"
ROOMS = ("router", "schema")

#: Of the project's dependencies, those that the two rooms import, and what Strawberry's ASGI application needs.
DEPENDENCIES = (
    "graphql-core", "starlette", "uvicorn", "httptools", "uvloop", "websockets", "aiohttp", "dnspython", "orjson",
    "msgspec", "multipart", "brotli", "backports-zstd", "redis", "aiokafka", "pyjwt", "cryptography", "opentelemetry-api",
    "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "prometheus-client", "structlog", "pydantic", "pyyaml",
    "limits", "watchfiles",
)  # fmt: skip

_NAME = re.compile(r"[A-Za-z0-9-]+")
_IMPORT = re.compile(rf"^(\s*)(from|import) ({'|'.join(ROOMS)})(?=[. ])", re.MULTILINE)


def build(folder: Path) -> Path:
    """Writes the wheel into the folder. Raises CalledProcessError where hatchling refuses it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with TemporaryDirectory() as place:
        staged = Path(place)
        _stage(staged / PACKAGE)
        shutil.copy(ROOT / "LICENSE", staged)
        shutil.copy(ROOT / "deploy" / "docs" / "router-alone.md", staged / "README.md")
        (staged / "pyproject.toml").write_text(_metadata(project), encoding="utf-8")
        before = set(folder.glob("*.whl"))
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.absolute())]
        subprocess.run(command, cwd=staged, check=True, capture_output=True)
    wheels = set(folder.glob(f"{PACKAGE}-*.whl"))
    return next(iter(wheels - before or wheels))


def _stage(package: Path) -> None:
    unwanted = shutil.ignore_patterns("__pycache__", "node_modules", "fittracker", "build.mjs", "package*.json")
    for room in ROOMS:
        shutil.copytree(ROOT / room, package / room, ignore=unwanted)
    shutil.copy(Path(__file__).with_name("command.py"), package)
    (package / "__init__.py").write_text('"""A Federation 2 router and composer."""\n', encoding="utf-8")
    (package / "py.typed").touch()
    for file in package.rglob("*.py"):
        file.write_text(renamed(file.read_text(encoding="utf-8")), encoding="utf-8")


def renamed(source: str) -> str:
    """A module with its imports of the rooms made imports of the package."""
    return _IMPORT.sub(rf"\1\2 {PACKAGE}.\3", source)


def _metadata(project: dict[str, object]) -> str:
    declared = project["dependencies"]
    assert isinstance(declared, list)
    by_name = {match[0].lower(): each for each in declared if (match := _NAME.match(each))}
    dependencies = "\n".join(f"  {_quoted(by_name[name])}," for name in DEPENDENCIES)
    return f"""\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "fittracker-router"
version = "{project["version"]}"
description = "A Federation 2 GraphQL router and composer in pure Python"
readme = "README.md"
license = "MIT"
license-files = ["LICENSE"]
requires-python = "{project["requires-python"]}"
classifiers = ["Typing :: Typed"]
dependencies = [
{dependencies}
]

[project.optional-dependencies]
strawberry = [{_quoted(by_name["strawberry-graphql"])}]

[project.scripts]
fittracker-router = "{PACKAGE}.command:run"
fittracker-compose = "{PACKAGE}.schema.__main__:main"

[tool.hatch.build.targets.wheel]
packages = ["{PACKAGE}"]
"""


def _quoted(text: str) -> str:
    """As a string of TOML."""
    return json.dumps(text)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    print(build(Path(sys.argv[1])))
