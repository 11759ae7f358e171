"""The units of a single host, read by systemd's own program: what it does not know or cannot find, it says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[3] / "deploy" / "systemd"
ANALYZE = shutil.which("systemd-analyze")
pytestmark = pytest.mark.skipif(ANALYZE is None, reason="needs systemd-analyze (Debian: systemd)")
PROGRAM = "/opt/fittracker/bin/fittracker"
#: Out of 100, the less the better: a unit without any confinement has 96. systemd says OK below 50.
MOST_EXPOSED = 35


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ANALYZE), *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units and drop-ins, with a program that is here: verifying looks whether what is started exists."""
    for file in UNITS.rglob("*"):
        if file.suffix in {".service", ".timer", ".conf"}:
            copy = tmp_path / file.relative_to(UNITS)
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(file.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true"), encoding="utf-8")
    instance = tmp_path / "fittracker-subgraph@users.service"
    instance.write_text((tmp_path / "fittracker-subgraph@.service").read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def names(folder: Path) -> list[str]:
    found = [*folder.glob("*.service"), *folder.glob("*.timer")]
    return sorted(str(file) for file in found if "@." not in file.name)


def test_systemd_understands_every_line(units: Path) -> None:
    done = analyze("verify", "--recursive-errors=no", *names(units))
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_would_have_said_what_it_does_not_understand(units: Path) -> None:
    unit = units / "fittracker-router.service"
    unit.write_text(unit.read_text(encoding="utf-8").replace("NoNewPrivileges=yes", "NoNewPrivilege=yes"))
    assert "NoNewPrivilege" in analyze("verify", "--recursive-errors=no", str(unit)).stderr


@pytest.mark.parametrize("file", sorted(UNITS.glob("*.service")), ids=lambda file: file.stem)
def test_what_a_unit_may_do_is_little(units: Path, file: Path) -> None:
    name = file.name.replace("@.", "@users.")
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(units / name))
    assert done.returncode == 0, done.stdout[-600:] + done.stderr


@pytest.mark.parametrize("file", sorted(UNITS.glob("*.timer")), ids=lambda file: file.stem)
def test_a_timer_starts_a_unit_that_is_there_at_a_time_that_comes(file: Path) -> None:
    assert file.with_suffix(".service").exists()
    (when,) = (line.partition("=")[2] for line in file.read_text(encoding="utf-8").splitlines() if "OnCalendar" in line)
    done = analyze("calendar", when)
    assert done.returncode == 0, done.stderr
    assert "Next elapse" in done.stdout
    assert "never" not in done.stdout


def test_a_unit_that_confines_nothing_would_be_seen(units: Path) -> None:
    unit = units / "open.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n", encoding="utf-8")
    assert analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(unit)).returncode != 0
