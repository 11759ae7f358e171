"""Looking into a stack: its logs, and clients that are given its servers without a password on their command line."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.attach import print_logs
from deploy.data_directory import DataDirectory, StackState
from deploy.errors import FriendlyError, friendly
from deploy.terminal import Terminal

URLS = {
    **{f"DATABASE_URL_{name}": f"postgresql://{name.lower()}:pw-{name}@127.0.0.1:5999/{name.lower()}_db"
       for name in ("USERS", "NUTRITION", "WORKOUTS", "ANALYTICS")},
    "REDIS_URL": "redis://:secret@127.0.0.1:6999/0",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9999",
}  # fmt: skip


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """Of a stack that says it runs."""
    directory = DataDirectory(tmp_path / "data")
    with directory:
        directory.write_state(StackState("http://127.0.0.1:8999/graphql", os.getpid(), {}, {}, URLS))
        (directory.logs / "users.log").write_text("".join(f"user line {number}\n" for number in range(30)))
        (directory.logs / "router.log").write_text("[not markup] a router line\n")
        yield directory.path


def test_logs_of_one_part_and_of_all(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_logs(data_dir, "users", 2, follow=False, terminal=Terminal())
    assert capsys.readouterr().out == "user line 28\nuser line 29\n"
    print_logs(data_dir, None, 1, follow=False, terminal=Terminal())
    assert capsys.readouterr().out == "   router │ [not markup] a router line\n    users │ user line 29\n"
    with pytest.raises(FriendlyError, match="no log of nobody"):
        print_logs(data_dir, "nobody", 1, follow=False, terminal=Terminal())


async def _run(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", *arguments,
        env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_followed_logs_go_on_with_new_lines_and_new_files(data_dir: Path) -> None:
    process = await _run("logs", "-f", "-n", "1", "--data-dir", str(data_dir))
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert await process.stdout.readline() == "   router │ [not markup] a router line\n".encode()
        assert await process.stdout.readline() == "    users │ user line 29\n".encode()
        with (data_dir / "logs" / "users.log").open("a") as log:
            log.write("one more\n")
        assert await process.stdout.readline() == "    users │ one more\n".encode()
        (data_dir / "logs" / "broker.log").write_text("began\n")
        assert await process.stdout.readline() == "   broker │ began\n".encode()
    process.terminate()
    await process.communicate()


@pytest.mark.parametrize(
    ("verb", "program", "told"),
    [
        (("redis", "--", "PING"), "valkey-cli", ["-u", "redis://127.0.0.1:6999/0", "PING", "REDISCLI_AUTH=secret"]),
        (("kafka",), "kcat", ["-b", "127.0.0.1:9999", "-L"]),
    ],
)
async def test_a_client_is_given_the_running_stacks_server(
    data_dir: Path, tmp_path: Path, verb: tuple[str, ...], program: str, told: list[str]
) -> None:
    script = tmp_path / "bin" / program
    script.parent.mkdir()
    script.write_text('#!/bin/sh\nfor each in "$@"; do echo "$each"; done\nenv | grep -E "^(PG|REDISCLI)"\n')
    script.chmod(0o755)
    unset = dict.fromkeys(URLS, "")
    process = await _run(
        *verb[:1], "--data-dir", str(data_dir), *verb[1:], PATH=f"{script.parent}:/usr/bin:/bin", **unset
    )
    out, complaint = await process.communicate()
    lines = out.decode().splitlines()
    assert [each for each in told if each not in lines] == [], complaint.decode()
    assert not any("secret" in line or "pw-" in line for line in lines if "=" not in line)


async def test_psql_asks_the_database_of_the_subgraph(data_dir: Path) -> None:
    """The embedded wheel brings psql along; nobody listens where the stack says that its Postgres does."""
    process = await _run("psql", "--data-dir", str(data_dir), "nutrition", **dict.fromkeys(URLS, ""))
    _, complaint = await process.communicate()
    assert process.returncode == 2
    assert b"port 5999 failed" in complaint


async def test_the_version_is_told() -> None:
    out, _ = await (await _run("--version")).communicate()
    assert out.startswith(b"fittracker ")


def test_what_cannot_be_used_says_what_to_do() -> None:
    privileged = friendly(PermissionError(13, "Permission denied"))
    assert privileged is not None
    assert "below 1024" in privileged.message
    assert "--port" in (privileged.hint or "")
    unusable = friendly(PermissionError(13, "Permission denied", "/data"))
    assert unusable is not None
    assert "/data cannot be used" in unusable.message
    assert "--data-dir" in (unusable.hint or "")
