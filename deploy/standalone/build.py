"""Builds the wheel `fittracker-router`: router and composer for any graph, in one package that nobody else has.

`python -m deploy.standalone.build FOLDER` writes it, for any platform; with `--compiled` one for this platform and this Python,
in which the modules that pyproject.toml names are machine code too (decision 0269); that needs a C compiler and Python's headers.
In the repository the rooms are the top-level packages `router` and `schema`, names that other distributions have too; in the
wheel they are `fittracker_router.router` and `.schema`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = "fittracker_router"
ROOMS = ("router", "schema")
#: Of this package.
MODULES = ("__main__.py", "command.py")

#: Of the project's dependencies, those that the two rooms import, and what Strawberry's ASGI application needs.
DEPENDENCIES = (
    "graphql-core", "starlette", "uvicorn", "httptools", "uvloop", "websockets", "aiohttp", "dnspython", "orjson",
    "msgspec", "multipart", "brotli", "backports-zstd", "redis", "aiokafka", "pyjwt", "cryptography", "opentelemetry-api",
    "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "prometheus-client", "structlog", "pydantic", "pyyaml",
    "limits", "watchfiles",
)  # fmt: skip

_NAME = re.compile(r"[A-Za-z0-9-]+")
_IMPORT = re.compile(rf"^(\s*)(from|import) ({'|'.join(ROOMS)})(?=[. ])", re.MULTILINE)
_OWN_IMPORT = re.compile(r"^(\s*)from deploy\.standalone(?=\.)", re.MULTILINE)


class NothingToCompileWithError(Exception):
    """What compiling needs is not on this machine; a sentence that says what."""


def build(folder: Path, *, compiled: bool = False) -> Path:
    """Writes the wheel into the folder. Raises NothingToCompileWithError, and CalledProcessError, whose `output` tells why, where
    hatchling refuses the package or mypyc a module.
    """
    if compiled:
        check_compiler()
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    with TemporaryDirectory() as place:
        staged = Path(place)
        _stage(staged / PACKAGE)
        shutil.copy(ROOT / "LICENSE", staged)
        shutil.copy(ROOT / "deploy" / "docs" / "router-alone.md", staged / "README.md")
        (staged / "pyproject.toml").write_text(_metadata(configuration), encoding="utf-8")
        before = set(folder.glob("*.whl"))
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.absolute())]
        environment = {**os.environ, "HATCH_BUILD_HOOKS_ENABLE": "1"} if compiled else None
        subprocess.run(
            command,
            cwd=staged,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    wheels = set(folder.glob(f"{PACKAGE}-*.whl"))
    return next(iter(wheels - before or wheels))


def check_compiler() -> None:
    """Raises NothingToCompileWithError unless the compiler that this Python was built with, or $CC, and its headers are here."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        raise NothingToCompileWithError(f"compiling needs a C compiler, and {compiler} is not here")
    if not (headers := Path(sysconfig.get_path("include"))).joinpath("Python.h").is_file():
        raise NothingToCompileWithError(f"compiling needs Python's headers, and Python.h is not in {headers}")


def _stage(package: Path) -> None:
    unwanted = shutil.ignore_patterns("__pycache__", "node_modules", "fittracker", "build.mjs", "package*.json")
    for room in ROOMS:
        shutil.copytree(ROOT / room, package / room, ignore=unwanted)
    for module in MODULES:
        shutil.copy(Path(__file__).with_name(module), package)
    (package / "__init__.py").write_text('"""A Federation 2 router and composer."""\n', encoding="utf-8")
    (package / "py.typed").touch()
    for file in package.rglob("*.py"):
        file.write_text(renamed(file.read_text(encoding="utf-8")), encoding="utf-8")


def renamed(source: str) -> str:
    """A module with its imports of the rooms made imports of the package."""
    return _OWN_IMPORT.sub(rf"\1from {PACKAGE}", _IMPORT.sub(rf"\1\2 {PACKAGE}.\3", source))


def _metadata(configuration: dict[str, Any]) -> str:
    project, hook = (
        configuration["project"],
        configuration["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"],
    )
    declared: list[str] = project["dependencies"]
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
fittracker-router = "{PACKAGE}.__main__:run"
fittracker-compose = "{PACKAGE}.schema.__main__:main"

[tool.hatch.build.targets.wheel]
packages = ["{PACKAGE}"]

[tool.hatch.build.targets.wheel.hooks.mypyc]
enable-by-default = false
include = {json.dumps([f"{PACKAGE}/{each}" for each in hook["include"]])}
exclude = {json.dumps([f"{PACKAGE}/{each}" if "/" in each else each for each in hook["exclude"]])}
mypy-args = {json.dumps(hook["mypy-args"])}
options = {{ opt_level = {_quoted(hook["options"]["opt_level"])} }}
"""


def _quoted(text: str) -> str:
    """As a string of TOML."""
    return json.dumps(text)


def main() -> int:
    """The exit code: 1 where the wheel cannot be built; the reason goes to standard error."""
    parser = argparse.ArgumentParser(prog="python -m deploy.standalone.build", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--compiled", action="store_true", help="some modules as machine code, for this platform and Python"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        print(build(options.folder, compiled=options.compiled))
    except NothingToCompileWithError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"{error.output}error: the wheel cannot be built", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
