"""Looking into a stack: its logs, and clients that are given its servers without a password on their command line."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.attach import open_page, print_logs, print_mails
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
        directory.write_state(StackState("http://127.0.0.1:8999/graphql", os.getpid(), {}, {"broker": 9999}, URLS))
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
        (("kafka",), "kcat", ["-b", "127.0.0.1:9999", "-L", "broker.version.fallback=0.9.0"]),
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


SECURED = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_USERNAME": "fittracker",
    "KAFKA_PASSWORD": "pw-of-kafka",
    "KAFKA_CA_PATH": "/etc/kafka/ca.crt",
}


@pytest.fixture
def kcat(tmp_path: Path) -> Path:
    """A folder with a `kcat` that prints its arguments, and the configuration that it is given as the real one reads it."""
    script = tmp_path / "bin" / "kcat"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\necho "$@"\n[ "$1" = -F ] && cat "$2"\nexit 0\n')
    script.chmod(0o755)
    return script.parent


async def test_kcat_comes_in_by_tls_and_a_password_that_no_command_line_shows(data_dir: Path, kcat: Path) -> None:
    process = await _run(
        "kafka", "--data-dir", str(data_dir), PATH=f"{kcat}:/usr/bin:/bin",
        **{**SECURED, **dict.fromkeys(URLS, ""), "KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9093"},
    )  # fmt: skip
    out, complaint = await process.communicate()
    command, *properties = out.decode().splitlines()
    assert "broker.version" not in command
    assert command.endswith("-b kafka.example:9093 -L"), complaint.decode()
    assert "pw-of-kafka" not in command
    assert properties == [
        "security.protocol=SASL_SSL",
        "sasl.mechanism=SCRAM-SHA-512",
        "sasl.username=fittracker",
        "sasl.password=pw-of-kafka",
        "ssl.ca.location=/etc/kafka/ca.crt",
    ]


async def test_kafka_says_what_a_secured_broker_needs(data_dir: Path, kcat: Path) -> None:
    unset = {**dict.fromkeys(URLS, ""), "KAFKA_PASSWORD": "", "KAFKA_PASSWORD_FILE": ""}
    process = await _run("kafka", "--data-dir", str(data_dir), PATH=f"{kcat}:/usr/bin:/bin", **{**SECURED, **unset})
    _, complaint = await process.communicate()
    assert process.returncode == 1
    assert b"SASL_SSL needs KAFKA_USERNAME and KAFKA_PASSWORD" in complaint


@pytest.mark.parametrize(
    ("page", "address"), [((), "/"), (("console",), "/"), (("graphiql",), "/graphql"), (("demo",), "/demo/")]
)
async def test_a_page_of_the_running_stack_is_opened(
    data_dir: Path, tmp_path: Path, page: list[str], address: str
) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    process = await _run("open", *page, "--data-dir", str(data_dir), BROWSER=f"{browser} %s")
    out, complaint = await process.communicate()
    assert out.decode().strip() == f"http://127.0.0.1:8999{address}", complaint.decode()
    assert (tmp_path / "opened").read_text().strip() == f"http://127.0.0.1:8999{address}"


async def test_a_stack_in_production_has_no_page_to_open(tmp_path: Path) -> None:
    with DataDirectory(tmp_path / "prod") as directory:
        state = StackState("http://127.0.0.1:8999/graphql", os.getpid(), {}, {}, {"FITTRACKER_ENV": "prod"})
        directory.write_state(state)
        with pytest.raises(FriendlyError, match="production has no pages"):
            open_page(directory.path, "console", Terminal())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_shells_complete_verbs(shell: str) -> None:
    """As the script that `--install-completion` installs asks."""
    asked = {
        "bash": {"COMP_WORDS": "fittracker ps", "COMP_CWORD": "1"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "fittracker ps"},
        "fish": {"_TYPER_COMPLETE_ARGS": "fittracker ps", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "fittracker",
        env={**os.environ, "_FITTRACKER_COMPLETE": f"complete_{shell}", **asked}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert "psql" in out.decode()
    assert "redis" not in out.decode()


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


def test_an_empty_mailbox_is_no_error(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_mails(data_dir, None, 3, Terminal())
    assert capsys.readouterr().out.startswith("No mail yet in ")
    letters = data_dir / "mail"
    letters.mkdir()
    (letters / "1.eml").write_text(
        "To: A@example.com\nSubject: Hello\nDate: Sun, 29 Nov 2026 10:00:00 +0000\n\nIt is you.\n"
    )
    print_mails(data_dir, "a@example.com", 3, Terminal())
    assert "to A@example.com: Hello\n    It is you.\n" in capsys.readouterr().out
    print_mails(data_dir, "b@example.com", 3, Terminal())
    assert capsys.readouterr().out.startswith("No mail to b@example.com yet in ")


async def test_topics_of_the_embedded_broker_have_nothing_to_show(data_dir: Path) -> None:
    process = await _run("events", "topics", "--data-dir", str(data_dir))
    _, complaint = await process.communicate()
    assert process.returncode == 1
    assert "the embedded broker keeps its topics in memory" in complaint.decode()
