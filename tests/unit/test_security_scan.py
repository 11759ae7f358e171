"""The scan for unsafe code that .ci/run makes: clean here, and it fails where somebody plants a fault."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def scan(*paths: str) -> subprocess.CompletedProcess[str]:
    """Bandit with the options of .ci/run, over other paths."""
    command = re.search(r'"bandit ([^"]+)"', (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert command is not None, ".ci/run does not run bandit"
    options = [option for option in command[1].split() if option.startswith("-")]
    return subprocess.run(
        [sys.executable, "-m", "bandit", *options, *paths], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_planted_fault_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("import subprocess\n\n\ndef run(text: str) -> None:\n    subprocess.call(text, shell=True)\n")
    found = scan(str(planted))
    assert found.returncode == 1
    assert "B602" in found.stdout
    planted.write_text("def double(number: int) -> int:\n    return 2 * number\n")
    assert scan(str(planted)).returncode == 0


def test_every_exception_has_its_reason_beside_it() -> None:
    listed = subprocess.run(
        ["git", "grep", "-n", "# nosec", "--", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = [line for line in listed.stdout.splitlines() if "tests/" not in line]
    assert lines
    assert [line for line in lines if not re.search(r"# noqa: S\d+ - .+ # nosec B\d+$", line)] == []
