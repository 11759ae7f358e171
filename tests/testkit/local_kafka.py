"""A real Apache Kafka broker (KRaft, one node) from Maven's jars, for the tests and runbooks that need one.

Called by the end-to-end tests and by hand (`python -m tests.testkit.local_kafka`); hands on `bootstrap_servers`, and the
`secured` address, which asks for TLS and a password.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

POM = Path(__file__).parent / "kafka-local" / "pom.xml"

# Kafka 4 has no ZooKeeper: one JVM is broker and controller. The replication factors are 1 because there is one node,
# and the first rebalance does not wait for members that will never come.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}{secured_listener}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{secured_listener}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
log.dirs={log_dir}
num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""
_SECURED_PROPERTIES = """\
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
"""
USERNAME, PASSWORD = "fittracker", "a password of the tests"


class LocalKafkaError(RuntimeError):
    """The broker could not be installed or did not answer; the message names the log file."""


def missing_tools() -> str | None:
    """Why a real Kafka cannot run here, as a sentence, or None."""
    absent = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    return f"needs {' and '.join(absent)}" if absent else None


class LocalKafka:
    """One broker over `directory`; data survives `stop` and is found again by the next `start`."""

    def __init__(self, directory: Path, *, port: int | None = None, keystore: Path | None = None) -> None:
        """`keystore` is a PEM file with a certificate for localhost and its key; with it there is the `secured` address."""
        self.directory = directory
        self._keystore = keystore
        self._secured_port = _free_port()
        self.port = port or _free_port()
        self._controller_port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def secured(self) -> str:
        """By SASL_SSL, as USERNAME with PASSWORD by SCRAM-SHA-512."""
        return f"localhost:{self._secured_port}"

    async def start(self, *, timeout_seconds: float = 60) -> None:
        """Install the jars where absent, format the log directory, wait until the broker answers.

        Raises LocalKafkaError.
        """
        await asyncio.to_thread(self._install)
        properties = self.directory / "kraft.properties"
        log_dir = self.directory / "data"
        properties.write_text(
            _PROPERTIES.format(
                port=self.port,
                controller_port=self._controller_port,
                log_dir=log_dir,
                secured_listener=f",SASL_SSL://{self.secured}" if self._keystore else "",
            )
            + (_SECURED_PROPERTIES.format(keystore=self._keystore) if self._keystore else "")
        )
        if not (log_dir / "meta.properties").exists():
            cluster_id = self._java("kafka.tools.StorageTool", "random-uuid").strip().splitlines()[-1]
            self._java(
                "kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config", str(properties),
                "--standalone", "--add-scram", f"SCRAM-SHA-512=[name={USERNAME},password={PASSWORD}]",
            )  # fmt: skip
        log = (self.directory / "broker.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [*self._command(), "kafka.Kafka", str(properties)], stdout=log, stderr=subprocess.STDOUT
            )
        await self._wait_until_ready(timeout_seconds)

    def stop(self) -> None:
        """Ask the broker to end and wait for it; a broker that hangs is killed."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _install(self) -> None:
        libraries = self.directory / "libs"
        if any(libraries.glob("kafka_2.13-*.jar")):
            return
        if reason := missing_tools():
            raise LocalKafkaError(reason)
        result = subprocess.run(
            [
                "mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies",
                f"-DoutputDirectory={libraries}", "-DincludeScope=runtime",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            raise LocalKafkaError(f"Maven could not bring the jars:\n{result.stdout[-2000:]}")

    def _command(self) -> list[str]:
        # Java expands the class path's asterisk itself.
        return ["java", "-Xmx512m", "-cp", f"{self.directory / 'libs'}/*"]

    def _java(self, *arguments: str) -> str:
        result = subprocess.run([*self._command(), *arguments], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise LocalKafkaError(f"{arguments[0]} failed:\n{result.stderr[-2000:]}")
        return result.stdout

    async def _wait_until_ready(self, timeout_seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while self._process is not None and self._process.poll() is None:
                    if _port_open(self.port):
                        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
                        try:
                            await admin.start()
                            await admin.list_topics()
                        except KafkaError:
                            await asyncio.sleep(0.2)
                        else:
                            return
                        finally:
                            await admin.close()
                    await asyncio.sleep(0.1)
        self.stop()
        raise LocalKafkaError(f"Kafka did not answer on port {self.port}; see {self.directory / 'broker.log'}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _port_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _run(directory: Path) -> None:
    kafka = LocalKafka(directory, port=9092)
    await kafka.start()
    print(f"KAFKA_BOOTSTRAP_SERVERS={kafka.bootstrap_servers}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        kafka.stop()


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="kafka-"))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(where))
