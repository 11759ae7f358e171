"""Instructions of every stage of the router, which no other work on the machine disturbs: needs valgrind.

`python -m benchmarks.micro.instructions` counts anew and says which stages differ from the committed table by over 5 %;
`--write` makes the counts the table. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson

from benchmarks.compare import running_subgraphs
from benchmarks.micro.counted_stages import DASHBOARD, DEFERRED, MARK, SENT, TOGETHER

TABLE = Path(__file__).parents[1] / "results" / "instructions.json"
#: What differs by more has to be explained in the commit that changes the table.
NOTABLE = 0.05
#: Counts depend on these as much as on the router.
PACKAGES = ("graphql-core", "httptools", "orjson", "uvicorn", "uvloop")


def count(workload: str | None = None, stage: str = "", profiles: Path | None = None) -> dict[str, int]:
    """Instructions of one call by stage, of those with `stage` in their names. Raises SystemExit where valgrind is absent or the run fails.

    `profiles` is a directory that keeps callgrind's files, one a stage, to be read with callgrind_annotate.
    """
    if shutil.which("valgrind") is None:
        raise SystemExit("Counting needs valgrind, which is not installed here: apt-get install -y valgrind")
    with tempfile.TemporaryDirectory() as name:
        directory = profiles or Path(name)
        directory.mkdir(parents=True, exist_ok=True)
        notes = Path(name) / "notes.tsv"
        with running_subgraphs(0.0, Path(name)) as port:
            command = [
                "valgrind", "--tool=callgrind", f"--callgrind-out-file={directory / 'counts'}", f"--dump-before={MARK}",
                sys.executable, "-m", "benchmarks.micro.counted_stages",
                "--subgraphs-port", str(port), "--notes", str(notes), "--stage", stage,
            ]  # fmt: skip
            if workload is not None:
                command += ["--workload", workload]
            environment = {**os.environ, "PYTHONHASHSEED": "0"}
            ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise SystemExit(f"counting failed:\n{ran.stderr[-3000:]}")
        return _counts(directory, [line.split("\t") for line in notes.read_text().splitlines()])


def _counts(directory: Path, notes: list[list[str]]) -> dict[str, int]:
    """The dump before a stage's first mark holds what came before it, the one before its second mark the stage."""
    total = re.compile(r"^totals: (\d+)", re.MULTILINE)
    counts = {}
    for index, (stage, times) in enumerate(notes):
        found = total.search((directory / f"counts.{2 * index + 2}").read_text())
        assert found is not None
        counts[stage] = round(int(found[1]) / int(times))
    return counts


def differences(counts: dict[str, int], table: dict[str, int]) -> list[str]:
    """A line for each stage that differs notably, or that only one side knows."""
    lines = []
    for stage in dict.fromkeys([*table, *counts]):
        before, now = table.get(stage), counts.get(stage)
        if before is None or now is None:
            lines.append(f"{stage}: {'no longer counted' if now is None else 'not in the table'}")
        elif abs(now / before - 1) > NOTABLE:
            lines.append(f"{stage}: {before:,} before, {now:,} now ({now / before - 1:+.1%})")
    return lines


def _environment() -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", choices=(*SENT, DEFERRED, TOGETHER, DASHBOARD), help="only this one's stages")
    parser.add_argument("--stage", default="", metavar="TEXT", help="only stages with this in their names")
    parser.add_argument("--write", action="store_true", help="make the counts the committed table")
    parser.add_argument("--profiles", type=Path, help="keep callgrind's files in this directory")
    options = parser.parse_args()
    counts = count(options.workload, options.stage, options.profiles)
    known = orjson.loads(TABLE.read_bytes()) if TABLE.exists() else {"environment": {}, "instructions": {}}
    table = {
        stage: number
        for stage, number in known["instructions"].items()
        if stage.startswith(f"{options.workload}: " if options.workload else "")
        and options.stage in stage.partition(": ")[2]
    }
    for stage, number in counts.items():
        change = f"{number / table[stage] - 1:+8.1%}" if stage in table else ""
        print(f"{stage:40} {number:12,} {change}")
    if options.write:
        merged = {**known["instructions"], **counts} if options.workload or options.stage else counts
        written = {"environment": _environment(), "instructions": merged}
        TABLE.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2) + b"\n")
        return
    if known["environment"] != _environment():
        print(f"The table was counted with {known['environment']}, this with {_environment()}: expect differences.")
    notable = differences(counts, table)
    print(
        "\n".join(
            [f"{len(notable)} stages differ by over {NOTABLE:.0%}:", *notable] if notable else ["No stage differs."]
        )
    )
    sys.exit(bool(notable))


if __name__ == "__main__":
    main()
