"""What runs of the compose files: each service in a container of its own, ours from the built image, the others Debian's.

Called by the rehearsal `images`, in whose namespaces it has to be.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.rehearsals.compose_file import services
from deploy.rehearsals.containers import Container, Launch, Network
from deploy.rehearsals.image_root import Image

OURS = ("migrate", "users", "nutrition", "workouts", "analytics", "projection-check", "router")
KAFKA_TMPFS = ("/tmp",)  # noqa: S108 - in the container  # nosec B108

# What the images of others do before the command, in so far as this compose file relies on it.
_POSTGRES = """\
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1); PATH=$bin:$PATH
PGDATA=/var/lib/postgresql/data; export PGDATA
mkdir -p $PGDATA /var/run/postgresql; chown postgres $PGDATA /var/run/postgresql; chmod 700 $PGDATA
as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
if [ ! -s $PGDATA/PG_VERSION ]; then
  as initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS
  shift; as pg_ctl -w -o "-c listen_addresses='' $*" start; set -- postgres "$@"
  for file in /docker-entrypoint-initdb.d/*.sh; do as sh "$file"; done
  as pg_ctl -w -m fast stop
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"
"""
_REDIS = """\
cd /data && chown -R redis . && exec setpriv --reuid=redis --regid=redis --init-groups "$@"
"""
_KAFKA = """\
set -eu
env | sed -n '/^KAFKA_HEAP_OPTS=/d; s/^KAFKA_//p' | while IFS='=' read -r name value; do
  echo "$(echo "$name" | tr 'A-Z_' 'a-z.')=$value"; done > /tmp/server.properties
[ ! -d /var/lib/kafka/data ] || chown nobody /var/lib/kafka/data; chown nobody /tmp/server.properties
as() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }
as java -cp "/opt/kafka/libs/*" kafka.tools.StorageTool format --ignore-formatted --cluster-id 5L6g3nShT-eMCtK--X86sw -c /tmp/server.properties
exec setpriv --reuid=nobody --regid=nogroup --clear-groups java $KAFKA_HEAP_OPTS -cp "/opt/kafka/libs/*" kafka.Kafka /tmp/server.properties
"""
_KAFKA_PROGRAMS = {"/opt/kafka/bin/kafka-broker-api-versions.sh": "org.apache.kafka.tools.BrokerApiVersionsCommand"}


class Stack:
    """`context` is a checkout with an operator's files in it; `secrets` the folder in it that the compose file mounts files of."""

    def __init__(self, folder: Path, context: Path, image: Image) -> None:
        self.folder, self.context, self.image = folder, context, image
        self.secrets = context / "deploy" / "compose" / "secrets"
        self.services = services(context / "deploy" / "compose")
        self.network = Network(folder)
        self.running: dict[str, Container] = {}

    def launch(self, name: str) -> Container:
        """Begins the service, whether or not what it needs is there."""
        service = self.services[name]
        container, launch = self._ours(name, service) if name in OURS else self._others(name, service)
        container.started(launch)
        self.running[name] = container
        return container

    def _ours(self, name: str, service: Mapping[str, Any]) -> tuple[Container, Launch]:
        image = self.image
        environment = {**image.environment, "HOSTNAME": name, **service["environment"]}
        command = [*image.entrypoint, *(service.get("command") or image.command)]
        return self.network.container(name, image.root, environment), Launch(
            command, image.user, image.workdir, service["read_only"], service["init"], service["tmpfs"],
            secrets=self._secrets(service),
        )  # fmt: skip

    def _others(self, name: str, service: Mapping[str, Any]) -> tuple[Container, Launch]:
        """Debian's programs over the machine's own files, of which writes go into memory."""
        root = self.folder / "others" / name
        if not root.exists():
            above, below = self.folder / "others" / f".{name}", root
            for each in (above / "upper", above / "work", below):
                each.mkdir(parents=True)
            subprocess.run(
                ["mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={above}/upper,workdir={above}/work", str(root)],
                check=True,
            )  # fmt: skip
            (root / "tmp").chmod(0o1777)
        before = {"postgres": _POSTGRES, "kafka": _KAFKA}.get(name, _REDIS)
        command = list(service.get("command") or ["kafka"])
        entrypoint = [
            part.replace("docker-entrypoint.sh", 'sh -c "$START" entrypoint') for part in service.get("entrypoint", ())
        ]
        words = [*entrypoint, *command] if entrypoint else ["sh", "-c", before, "entrypoint", *command]
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "START": before,
            **service["environment"],
        }  # fmt: skip
        # Postgres' built-in locale provider came with version 17.
        arguments = environment.get("POSTGRES_INITDB_ARGS", "")
        if arguments:
            environment["POSTGRES_INITDB_ARGS"] = arguments.replace(
                "--locale-provider=builtin --builtin-locale=C.UTF-8", "-E UTF8"
            )
        volumes = [self._volume(each) for each in service.get("volumes", ())]
        if name == "kafka":
            volumes.append(f"{self.folder / 'kafka-libs'}:/opt/kafka/libs:ro")
        if name == "redis-cache":  # the image declares the volume itself
            volumes.append(self._volume("redis_cache_data:/data"))
        return self.network.container(name, root, environment), Launch(
            words, volumes=volumes, secrets=self._secrets(service), tmpfs=KAFKA_TMPFS if name == "kafka" else ()
        )

    def _secrets(self, service: Mapping[str, Any]) -> list[Path]:
        return [self.secrets / each for each in service.get("secrets", ())]

    def _volume(self, words: str) -> str:
        """A named one begins empty and root's, as an engine makes it."""
        source, _, rest = words.partition(":")
        if source.startswith("."):
            return f"{(self.context / 'deploy' / 'compose' / source).resolve()}:{rest}"
        folder = self.folder / "volumes" / source
        folder.mkdir(parents=True, exist_ok=True)
        return f"{folder}:{rest}"

    def is_healthy(self, name: str) -> bool:
        """What its health check says now; the image's, where the compose file names none."""
        container = self.running[name]
        if not container.is_running:
            return False
        if name in OURS:
            return container.asks(self.image.healthcheck, self.image.user).returncode == 0
        kind, *words = self.services[name]["healthcheck"]["test"]
        if kind == "CMD-SHELL":
            words = ["sh", "-c", *words]
        if words[0] in _KAFKA_PROGRAMS:
            words = ["java", "-Xmx128m", "-cp", "/opt/kafka/libs/*", _KAFKA_PROGRAMS[words[0]], *words[1:]]
        return container.asks(words).returncode == 0

    def log(self, name: str) -> str:
        return self.running[name].log.read_text(encoding="utf-8", errors="replace")
