"""Apache Kafka itself, from Maven's jars: its own programs, and a cluster of several brokers on this machine.

The tests' single broker (tests/testkit/local_kafka.py) is run from the same jars.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.errors import FriendlyError
from deploy.rehearsals.cluster import free_port

POM = Path(__file__).parent / "kafka-jars" / "pom.xml"
START_SECONDS = 300.0

# Each node is broker and controller, so that two of three are a majority of both. What the broker makes by itself is kept
# as the settings ask for our topics: by all (three), and a write counts once all but one have it (two).
_PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={log_dir}
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=3
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
transaction.state.log.num.partitions=3
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.session.timeout.ms=6000
"""


def missing_tools() -> str | None:
    """Why Apache Kafka cannot run here, as a sentence, or None."""
    absent = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    return f"needs {' and '.join(absent)}" if absent else None


def install_jars(libraries: Path) -> None:
    """Brings the jars where they are absent. Raises FriendlyError."""
    if any(libraries.glob("kafka_2.13-*.jar")):
        return
    if reason := missing_tools():
        raise FriendlyError(f"Apache Kafka {reason}", "apt-get install default-jre-headless maven")
    done = subprocess.run(
        [
            "mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies",
            f"-DoutputDirectory={libraries}", "-DincludeScope=runtime",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise FriendlyError(f"Maven could not bring Kafka's jars:\n{done.stdout[-2000:]}")


def java(libraries: Path, megabytes: int = 512) -> list[str]:
    """The command that a class and its arguments follow. Java expands the class path's asterisk itself."""
    return ["java", f"-Xmx{megabytes}m", "-cp", f"{libraries}/*"]


def run_tool(libraries: Path, *arguments: str) -> str:
    """What one of Kafka's programs printed. Raises FriendlyError."""
    done = subprocess.run([*java(libraries), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise FriendlyError(f"{arguments[0]} failed:\n{done.stderr[-2000:]}")
    return done.stdout


async def wait_until_answering(port: int, process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the broker on this port tells its topics before the seconds are over; False too where it ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if not _accepts(port):  # aiokafka would log each attempt as an error
            await asyncio.sleep(0.2)
            continue
        admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}", request_timeout_ms=3000)
        try:
            await admin.start()
            await admin.list_topics()
        except (KafkaError, OSError):
            await asyncio.sleep(0.2)
        else:
            return True
        finally:
            with contextlib.suppress(KafkaError, OSError):
                await admin.close()
    return False


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Brokers:
    """Several brokers over `folder`, or one, numbered from 1; one that was killed finds its data again."""

    def __init__(self, folder: Path, count: int = 3, *, megabytes: int = 256) -> None:
        """`megabytes` is each one's heap."""
        self._folder = folder
        self._megabytes = megabytes
        self._libraries = folder / "libs"
        self._ports = {node: (free_port(), free_port()) for node in range(1, count + 1)}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port, _ in self._ports.values())

    @property
    def running(self) -> Sequence[int]:
        return [node for node, process in self._processes.items() if process.poll() is None]

    @property
    def pids(self) -> dict[int, int]:
        return {node: process.pid for node, process in self._processes.items()}

    @property
    def version(self) -> str:
        """Of the jars, which are there once the brokers were started."""
        (jar,) = self._libraries.glob("kafka_2.13-*.jar")
        return jar.stem.removeprefix("kafka_2.13-")

    async def start_all(self) -> None:
        """Raises FriendlyError where one does not come up; its log is in its folder."""
        await asyncio.to_thread(install_jars, self._libraries)
        cluster_id = run_tool(self._libraries, "kafka.tools.StorageTool", "random-uuid").strip().splitlines()[-1]
        for node in self._ports:
            properties = self._write_properties(node)
            run_tool(
                self._libraries, "kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config", str(properties)
            )  # fmt: skip
        for node in self._ports:
            self._launch(node)
        for node in self._ports:
            await self._until_answering(node)

    async def start(self, node: int) -> None:
        """One that was killed. Raises FriendlyError."""
        self._launch(node)
        await self._until_answering(node)

    def kill(self, node: int) -> None:
        """As a lost machine: without a word to anybody."""
        self._processes[node].kill()
        self._processes[node].wait()

    def stop_all(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _write_properties(self, node: int) -> Path:
        folder = self._folder / str(node)
        folder.mkdir(parents=True, exist_ok=True)
        port, controller_port = self._ports[node]
        voters = ",".join(f"{each}@127.0.0.1:{ports[1]}" for each, ports in self._ports.items())
        file = folder / "kraft.properties"
        file.write_text(
            _PROPERTIES.format(
                node=node,
                voters=voters,
                port=port,
                controller_port=controller_port,
                log_dir=folder / "data",
                replicas=len(self._ports),
                in_sync=max(1, len(self._ports) - 1),
            ),
            encoding="utf-8",
        )
        return file

    def _launch(self, node: int) -> None:
        folder = self._folder / str(node)
        with (folder / "broker.log").open("ab") as log:
            self._processes[node] = subprocess.Popen(
                [*java(self._libraries, self._megabytes), "kafka.Kafka", str(folder / "kraft.properties")],
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    async def _until_answering(self, node: int) -> None:
        if not await wait_until_answering(self._ports[node][0], self._processes[node], START_SECONDS):
            raise FriendlyError(
                f"broker {node} did not come up", f"its log is {self._folder / str(node) / 'broker.log'}"
            )
