"""What looks into a running stack: clients of its servers, its log files, its page. Called by `attach_cli`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
import webbrowser
from collections.abc import Iterator, Mapping
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

from deploy.data_directory import DataDirectory
from deploy.databases import database_urls, libpq_environment, postgres_program
from deploy.embedded import HOST
from deploy.errors import FriendlyError
from deploy.terminal import Terminal
from deploy.workbench import DEMO_PATH
from events.kafka_settings import KafkaSecurity

PAGES = {"console": "/", "graphiql": "/graphql", "demo": f"{DEMO_PATH}/"}
# librdkafka cannot read what Tansu says of its versions, and asks for offsets as of version 0.10 on in a way that it refuses:
# without either, topics are listed and records read from an offset that is a number.
_OF_THE_EMBEDDED_BROKER = ["-X", "api.version.request=false", "-X", "broker.version.fallback=0.9.0"]
_SOUND_SCRAM = (2, 6, 1)
_LOOK_EVERY_SECONDS = 0.25
_TAIL_BYTES = 256 * 1024  # as much of each file's end as is searched for the last lines


def open_psql(data_dir: Path, domain: str, arguments: list[str]) -> NoReturn:
    """Becomes psql on the subgraph's database. Raises FriendlyError where there is no psql or no database."""
    program = postgres_program("psql")
    _become([program, *arguments], libpq_environment(database_urls(data_dir)[domain]))


def open_redis(data_dir: Path, arguments: list[str]) -> NoReturn:
    """Becomes the command-line client of Valkey or Redis; the password goes by the environment, not by the command line."""
    url = urlsplit(_named("REDIS_URL", data_dir))
    program = _program(("valkey-cli", "redis-cli"), "valkey-tools or redis-tools")
    host = f"{url.hostname}:{url.port or 6379}"
    address = urlunsplit((url.scheme, f"{url.username}@{host}" if url.username else host, url.path, "", ""))
    _become([program, "-u", address, *arguments], {"REDISCLI_AUTH": url.password} if url.password else {})


def open_kafka(data_dir: Path, arguments: list[str]) -> NoReturn:
    """Becomes kcat on the stack's brokers: what there is, or what the arguments ask for."""
    brokers = _named("KAFKA_BOOTSTRAP_SERVERS", data_dir)
    program = _program(("kcat", "kafkacat"), "kcat")
    security = _kafka_security(data_dir)
    secured = _kcat_configuration(security)
    if security.protocol.startswith("SASL") and security.mechanism.startswith("SCRAM"):
        _warn_of_old_scram(program)
    given = ["-F", _readable_once(secured)] if secured else []
    given += _OF_THE_EMBEDDED_BROKER if _is_embedded(brokers, data_dir) else []
    _become([program, *given, "-b", brokers, *(arguments or ["-L"])], {})


def _is_embedded(brokers: str, data_dir: Path) -> bool:
    state = DataDirectory(data_dir).read_state()
    return state is not None and brokers == f"{HOST}:{state.ports.get('broker')}"


def _kafka_security(data_dir: Path) -> KafkaSecurity:
    """As the subgraphs read it; a password that the running stack was given is not written down, and has to be named again."""
    from subgraphs.shell.settings import read_kafka

    state = DataDirectory(data_dir).read_state()
    kafka = read_kafka(
        {**(state.environment if state else {}), **{key: text for key, text in os.environ.items() if text}}
    )
    assert kafka is not None, "its servers are named"
    return kafka.security


def _kcat_configuration(security: KafkaSecurity) -> str:
    """Properties of librdkafka, a line each; nothing for brokers that are asked in the clear and by nobody."""
    if security.protocol == "PLAINTEXT":
        return ""
    properties = {"security.protocol": security.protocol}
    if security.protocol.startswith("SASL"):
        properties["sasl.mechanism"] = security.mechanism
        properties["sasl.username"] = security.username or ""
        properties["sasl.password"] = security.password or ""
    files = {
        "ssl.ca.location": security.ca_file,
        "ssl.certificate.location": security.certificate_file,
        "ssl.key.location": security.key_file,
    }
    properties |= {name: file for name, file in files.items() if file}
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def _warn_of_old_scram(program: str) -> None:
    """Brokers of Kafka 4 refuse the SCRAM of older librdkafka, Debian's among them, as if the password were wrong (its pull request
    4895 mended it, in 2.6.1).
    """
    told = subprocess.run([program, "-V"], capture_output=True, text=True, check=False)
    version = re.search(r"librdkafka (\d+)\.(\d+)\.(\d+)", told.stdout + told.stderr)
    if version is not None and tuple(map(int, version.groups())) < _SOUND_SCRAM:
        sys.stderr.write(
            f"warning: {program} has {version[0]}, whose SCRAM Kafka 4 refuses; KAFKA_SASL_MECHANISM=PLAIN, or 2.6.1\n"
        )


def _readable_once(text: str) -> str:
    """A path that the program which this process becomes can read `text` from: no command line and no file has it."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())  # far less than a pipe holds
    os.close(writing)
    os.set_inheritable(reading, True)
    return f"/dev/fd/{reading}"


def open_page(data_dir: Path, page: str, terminal: Terminal) -> None:
    """One of the stack's `PAGES` in the person's browser; its address is printed, for where there is none.

    Raises FriendlyError where no stack runs, and for one in production, which has no pages.
    """
    state = DataDirectory(data_dir).read_state()
    if state is None:
        raise FriendlyError(f"no stack runs over {data_dir}", "start one with `fittracker up`")
    if state.environment.get("FITTRACKER_ENV") == "prod":
        raise FriendlyError("a stack in production has no pages", f"its graph is at {state.router_url}")
    address = state.router_url.removesuffix("/graphql") + PAGES[page]
    terminal.say(address)
    webbrowser.open(address)


def print_mails(data_dir: Path, to: str | None, newest: int, terminal: Terminal) -> None:
    """The newest mails that the stack wrote into its folder, the newest last; where there is none, a line that says so."""
    folder = DataDirectory(data_dir).mail
    parse = BytesParser(policy=policy.default).parsebytes
    mails = [parse(file.read_bytes()) for file in sorted(folder.glob("*.eml"))]
    chosen = [mail for mail in mails if to is None or str(mail["To"]).casefold() == to.casefold()]
    if not chosen:
        terminal.say(
            f"No mail{f' to {to}' if to else ''} yet in {folder}; a stack with SMTP_URL sends them to that server."
        )
    for mail in chosen[-newest:]:
        terminal.say(f"{mail['Date']}  to {mail['To']}: {mail['Subject']}")
        terminal.say(textwrap.indent(mail.get_content(), "    "))


def print_logs(data_dir: Path, name: str | None, lines: int, *, follow: bool, terminal: Terminal) -> None:
    """The last lines of one part's log, or of all, each with its name; with `follow` what comes after, until Ctrl-C.

    Raises FriendlyError for a part that has no log.
    """
    files = _log_files(data_dir, name)
    places: dict[Path, int] = {}
    for file in files:
        places[file] = file.stat().st_size
        for line in _last_lines(file, lines):
            _print_line(file, line, terminal, is_only=name is not None)
    while follow:
        time.sleep(_LOOK_EVERY_SECONDS)
        for file in _log_files(data_dir, name):
            for line in _new_lines(file, places):
                _print_line(file, line, terminal, is_only=name is not None)


def _log_files(data_dir: Path, name: str | None) -> list[Path]:
    files = sorted((data_dir / "logs").glob("*.log"))
    chosen = [file for file in files if name in (None, file.stem)]
    if not chosen:
        have = ", ".join(file.stem for file in files)
        raise FriendlyError(
            f"{data_dir / 'logs'} has no log of {name or 'anything'}",
            f"there are {have}" if have else "start a stack with `fittracker up`",
        )
    return chosen


def _last_lines(file: Path, count: int) -> list[str]:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - _TAIL_BYTES))
        return stream.read().decode(errors="replace").splitlines()[-count:] if count else []


def _new_lines(file: Path, places: dict[Path, int]) -> Iterator[str]:
    """Whole lines that were written since the last look; a file that has become shorter is read anew."""
    size = file.stat().st_size
    place = places.get(file, 0)
    place = place if place <= size else 0
    with file.open("rb") as stream:
        stream.seek(place)
        for line in stream:
            if not line.endswith(b"\n"):
                break
            place += len(line)
            yield line.decode(errors="replace").rstrip("\n")
    places[file] = place


def _print_line(file: Path, line: str, terminal: Terminal, *, is_only: bool) -> None:
    text = line if is_only else f"{file.stem:>9} │ {line}"
    terminal.console.print(text, markup=False)


def _named(variable: str, data_dir: Path) -> str:
    """What the environment says, else what the running stack was given."""
    state = DataDirectory(data_dir).read_state()
    found = os.environ.get(variable) or (state.environment.get(variable) if state else None)
    if not found:
        raise FriendlyError(
            f"{variable} is not set, and no stack runs over {data_dir}", "start one with `fittracker up`"
        )
    return found


def _program(names: tuple[str, ...], package: str) -> str:
    for name in names:
        if (found := shutil.which(name)) is not None:
            return found
    raise FriendlyError(f"{' or '.join(names)} is not installed", f"install it, for example the package {package}")


def _become(command: list[str], environment: Mapping[str, str]) -> NoReturn:
    os.execvpe(command[0], command, {**os.environ, **environment})  # noqa: S606 - it is the person's own client
