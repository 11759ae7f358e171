"""A real Apache Kafka broker (KRaft, one node) from Maven's jars, for the tests and runbooks that need one.

Called by the end-to-end tests and by hand (`python -m tests.testkit.local_kafka`); hands on `bootstrap_servers`, and the
`secured` address, which asks for TLS and a password.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.errors import FriendlyError
from deploy.rehearsals.apache_kafka import install_jars, java, missing_tools, run_tool, wait_until_answering
from tests.testkit.servers import free_port

# Kafka 4 has no ZooKeeper: one JVM is broker and controller. The replication factors are 1 because there is one node,
# and the first rebalance does not wait for members that will never come.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}{secured_listener}
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised_port}{secured_listener}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
log.dirs={log_dir}
num.partitions=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""
_SECURED_PROPERTIES = """\
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {plain};
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
"""
USERNAME, PASSWORD = "fittracker", "a password of the tests"


class LocalKafka:
    """One broker over `directory`; data survives `stop` and is found again by the next `start`."""

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        keystore: Path | None = None,
        advertised_port: int | None = None,
    ) -> None:
        """`keystore` is a PEM file with a certificate for localhost and its key; with it there is the `secured` address.

        Clients are told to come to `advertised_port`, where a proxy may listen; by default to the broker's own.
        """
        self.directory = directory
        self._keystore = keystore
        self._advertised_port = advertised_port
        self._secured_port = free_port()
        self.port = port or free_port()
        self._controller_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def secured(self) -> str:
        """By SASL_SSL, as USERNAME with PASSWORD by SCRAM-SHA-512 or PLAIN."""
        return f"localhost:{self._secured_port}"

    @property
    def log_dir(self) -> Path:
        """Where it keeps its records."""
        return self.directory / "data"

    async def start(self, *, timeout_seconds: float = 60) -> None:
        """As `prepare`; then wait until the broker answers. Raises FriendlyError; the message names the log file."""
        command = await self.prepare()
        log = (self.directory / "broker.log").open("ab")
        with log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        if not await wait_until_answering(self.port, self._process, timeout_seconds):
            self.stop()
            raise FriendlyError(f"Kafka did not answer on port {self.port}; see {self.directory / 'broker.log'}")

    async def prepare(self) -> list[str]:
        """Install the jars and format the log directory, where absent. The broker's command. Raises FriendlyError."""
        libraries = self.directory / "libs"
        await asyncio.to_thread(install_jars, libraries)
        properties = self.directory / "kraft.properties"
        properties.write_text(
            _PROPERTIES.format(
                port=self.port,
                advertised_port=self._advertised_port or self.port,
                controller_port=self._controller_port,
                log_dir=self.log_dir,
                secured_listener=f",SASL_SSL://{self.secured}" if self._keystore else "",
            )
            + (
                _SECURED_PROPERTIES.format(keystore=self._keystore, plain=f'user_{USERNAME}="{PASSWORD}"')
                if self._keystore
                else ""
            )
        )
        if not (self.log_dir / "meta.properties").exists():
            cluster_id = run_tool(libraries, "kafka.tools.StorageTool", "random-uuid").strip().splitlines()[-1]
            run_tool(
                libraries, "kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config", str(properties),
                "--standalone", "--add-scram", f"SCRAM-SHA-512=[name={USERNAME},password={PASSWORD}]",
            )  # fmt: skip
        return [*java(libraries), "kafka.Kafka", str(properties)]

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


@contextlib.asynccontextmanager
async def running_kafka(directory: Path, *, keystore: Path | None = None) -> AsyncIterator[LocalKafka]:
    """A broker for a test, stopped afterwards. Skips the test where this machine cannot run one."""
    if reason := missing_tools():
        pytest.skip(f"{reason}, to run Apache Kafka")
    kafka = LocalKafka(directory, keystore=keystore)
    await kafka.start()
    try:
        yield kafka
    finally:
        kafka.stop()


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
