"""Bill of materials and vulnerability scan: each finds a fault that is planted, and neither passes without having looked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.bill_of_materials import bill_of_materials
from deploy.errors import FriendlyError
from deploy.locked_packages import LockedPackage, read_lock
from deploy.vulnerability_scan import CANARY, known_vulnerabilities
from tests.testkit.strawberry_shop import serving

ROOT = Path(__file__).parents[3]
DIGEST = "a" * 64
Answer = Callable[[list[dict[str, Any]]], Any]


@pytest.fixture
async def osv() -> AsyncIterator[tuple[str, list[Answer]]]:
    """An OSV server's address, and the list whose last function answers the queries."""
    answers: list[Answer] = []

    async def query(request: Request) -> Response:
        answer = answers[-1]((await request.json())["queries"])
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    async with serving(Starlette(routes=[Route("/v1/querybatch", query, methods=["POST"])])) as port:
        yield f"http://127.0.0.1:{port}", answers


def knows(*vulnerable: str) -> Answer:
    """Answers with a hole for each of these packages, on a second page for the last."""

    def answer(queries: list[dict[str, Any]]) -> Any:
        results: list[dict[str, Any]] = []
        for query in queries:
            purl = query["package"]["purl"]
            if purl not in vulnerable:
                results.append({})
            elif purl == vulnerable[-1] and "page_token" not in query:
                results.append({"next_page_token": "2"})
            else:
                results.append({"vulns": [{"id": f"GHSA-{purl}", "modified": "2026-01-01T00:00:00Z"}]})
        return {"results": results}

    return answer


def lock(folder: Path, *lines: str) -> Path:
    file = folder / "requirements.lock"
    file.write_text("".join(f"{line} \\\n    --hash=sha256:{DIGEST}\n" for line in lines))
    return file


def test_the_lock_is_read_whole() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    packages = read_lock()
    assert len(packages) == sum("==" in line.partition("#")[0] for line in text.splitlines())
    assert sum(len(package.hashes) for package in packages) == text.count("--hash=")


def test_every_locked_package_is_in_the_bill_of_materials_with_its_hashes() -> None:
    document = orjson.loads(bill_of_materials(read_lock()))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    components = {each["purl"]: each for each in document["components"]}
    assert components.keys() == {package.purl for package in read_lock()}
    assert all(each["hashes"] for each in components.values())
    licences = {purl.partition("@")[0]: each.get("licenses") for purl, each in components.items()}
    assert licences["pkg:pypi/starlette"] == [{"expression": "BSD-3-Clause"}]


def test_something_else_installed_than_locked_makes_no_bill_of_materials() -> None:
    with pytest.raises(FriendlyError, match=r"orjson is .*, locked 0\.0\.1"):
        bill_of_materials([LockedPackage("orjson", "0.0.1", (DIGEST,))])


def test_a_lock_without_hashes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "requirements.lock"
    file.write_text("orjson==3.0\n")
    with pytest.raises(FriendlyError, match="no hash for orjson"):
        read_lock(file)


async def test_a_planted_vulnerability_is_found(osv: tuple[str, list[Answer]]) -> None:
    url, answers = osv
    packages = [LockedPackage("sound", "1.0", (DIGEST,)), LockedPackage("planted", "2.0", (DIGEST,))]
    answers.append(knows(CANARY.purl, "pkg:pypi/planted@2.0"))
    found = await known_vulnerabilities(packages, url)
    assert found == {packages[1]: ["GHSA-pkg:pypi/planted@2.0"]}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (knows("pkg:pypi/other@1"), "knows no hole of pkg:pypi/django@1.2"),
        (lambda _: {"results": []}, "no 2 results"),
        (lambda _: {"results": [{"vulns": [{}]}, {}]}, "without an id"),
        (lambda _: Response("busy", 503), "503"),
        (lambda _: Response("<html>sign in to the network</html>"), "JSONDecodeError"),
        (lambda queries: {"results": [{"next_page_token": "x"} for _ in queries]}, "no end"),
    ],
)
async def test_a_scan_that_did_not_get_its_data_fails(osv: tuple[str, list[Answer]], answer: Answer, told: str) -> None:
    url, answers = osv
    answers.append(answer)
    with pytest.raises(FriendlyError, match="nothing was scanned") as refusal:
        await known_vulnerabilities([LockedPackage("sound", "1.0", (DIGEST,))], url)
    assert told in str(refusal.value)


def test_the_command_fails_where_nobody_answers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy", "scan-dependencies", "--url", "http://127.0.0.1:1", "--lock"]
    done = subprocess.run(
        [*command, str(lock(tmp_path, "orjson==3.0"))],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "nothing was scanned" in done.stderr + done.stdout
