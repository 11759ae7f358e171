"""The scans that .ci/run makes: clean here, each fails where somebody plants a fault, and none passes without having looked."""

import os
import re
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import orjson
import pytest

from deploy.locked_packages import LOCK, read_lock
from deploy.vulnerability_scan import CANARY

ROOT = Path(__file__).parents[2]
VULNERABLE = next(package for package in read_lock(LOCK) if package.name == "aiohttp")


def scan(path: Path, osv_url: str | None = None) -> subprocess.CompletedProcess[str]:
    """`.ci/scan` over another path than the rooms."""
    environment = {name: value for name, value in os.environ.items() if name != "OSV_URL"}
    return subprocess.run(
        [str(ROOT / ".ci" / "scan"), str(path)],
        env=environment | ({"OSV_URL": osv_url} if osv_url else {}), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def osv_url() -> Iterator[str]:
    """An OSV server that knows holes of the canary and of aiohttp."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries = orjson.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
            known = {CANARY.purl: "CANARY-1", VULNERABLE.purl: "PLANTED-1"}
            results = [
                {"vulns": [{"id": known[purl]}]} if (purl := query["package"]["purl"]) in known else {}
                for query in queries
            ]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(orjson.dumps({"results": results}))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_ci_makes_the_scans() -> None:
    assert re.search(r"^\.ci/scan \|\| failed=", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)


def test_what_is_clean_passes_and_says_who_did_not_look(tmp_path: Path) -> None:
    (tmp_path / "clean.py").write_text("def double(number: int) -> int:\n    return 2 * number\n")
    done = scan(tmp_path)
    assert done.returncode == 0, done
    assert "not scanned: known vulnerabilities" in done.stdout


def test_a_planted_fault_and_a_server_without_data_fail(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text(
        "import subprocess\n\n\ndef run(text):\n    subprocess.call(text, shell=True)\n"
    )
    done = scan(tmp_path, "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "B602" in done.stdout
    assert "nothing was scanned" in done.stdout
    failed = re.findall(r"\[(\S+ \S+)[^]]*\]", done.stderr)
    assert failed == ["bandit -q", "fittracker scan-dependencies"]


def test_a_planted_vulnerability_fails(tmp_path: Path, osv_url: str) -> None:
    done = scan(tmp_path, osv_url)
    assert (done.returncode, f"aiohttp {VULNERABLE.version}: PLANTED-1" in done.stdout) == (1, True), done
    assert "[bandit" not in done.stderr


def test_every_exception_has_its_reason_beside_it() -> None:
    listed = subprocess.run(
        ["git", "grep", "-n", "# nosec", "--", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = [line for line in listed.stdout.splitlines() if "tests/" not in line]
    assert lines
    assert [line for line in lines if not re.search(r"# noqa: S\d+ - .+ # nosec B\d+$", line)] == []
