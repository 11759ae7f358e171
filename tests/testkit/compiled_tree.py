"""The tests of the router with its compiled modules: `python -m tests.testkit.compiled_tree [PYTEST'S ARGUMENTS]`.

Copies what git knows of this work tree into a folder, compiles there what pyproject.toml names for a compiled wheel
(decision 0269), and runs pytest in it, so that the tests import machine code where they usually import Python. `--into FOLDER`
makes the folder and runs nothing. Needs a C compiler and Python's headers; takes some minutes. Ends with pytest's status.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
TESTS = ("tests/unit/router", "tests/unit/schema", "tests/conformance", "tests/integration/router")
_IS_PYTHON = (
    "import importlib, sys; print(*(m for m in sys.argv[1:] if importlib.import_module(m).__file__.endswith('.py')))"
)


class NotCompiledError(Exception):
    """Modules, told by their names, are still read as Python."""


def compile_into(tree: Path) -> int:
    """Makes the folder a copy of this work tree with so many compiled modules. Raises CalledProcessError where one cannot be
    compiled, and NotCompiledError where one is there and not imported.
    """
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for file in filter(None, listed.split("\0")):
        if (ROOT / file).is_file():
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, tree / file)
    hooks = {**os.environ, "HATCH_BUILD_HOOKS_ENABLE": "1"}
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "--hooks-only"]
    subprocess.run(build, cwd=tree, env=hooks, check=True, stdout=subprocess.DEVNULL)
    modules = named_modules(tree)
    ask = [sys.executable, "-c", _IS_PYTHON, *modules]
    told = subprocess.run(ask, cwd=tree, env=environment_of(tree), capture_output=True, check=True).stdout.decode()
    if told.strip():
        raise NotCompiledError(told.strip())
    return len(modules)


def environment_of(tree: Path) -> dict[str, str]:
    """In which Python imports the tree's modules before those of this work tree."""
    return {**os.environ, "PYTHONPATH": str(tree)}


def named_modules(tree: Path) -> list[str]:
    """Those that pyproject.toml has compiled, as they are imported."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    hook = build["targets"]["wheel"]["hooks"]["mypyc"]
    files = {file.relative_to(tree) for pattern in hook["include"] for file in tree.glob(pattern)}
    left_out = {*hook["exclude"]}
    return sorted(".".join(file.with_suffix("").parts) for file in files if not {file.name, file.as_posix()} & left_out)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.testkit.compiled_tree", description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="only make the compiled tree there")
    options, arguments = parser.parse_known_args()
    with TemporaryDirectory(prefix="fittracker-compiled-") as name:
        tree = options.into or Path(name)
        print(f"{compile_into(tree)} modules are compiled", flush=True)
        if options.into:
            return 0
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(arguments or TESTS)]
        return subprocess.run(command, cwd=tree, env=environment_of(tree), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
