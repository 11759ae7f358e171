"""Containers without an engine: a service of the compose file in namespaces of its own, confined as the file says.

Called by the rehearsal `images`, which is itself in a mount, process and network namespace, so that nothing outlives it. Each
container has its own mount, process, network, host name and message namespaces, its root file system read-only where the file
says so, its tmpfs, its secrets as files, an address on one bridge, and the others' names by DNS. Needs root.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

NETWORK = "10.77.0"
GATEWAY = f"{NETWORK}.1"
# Docker's own options of a tmpfs.
_TMPFS = "rw,nosuid,nodev,noexec,mode=1777"
_INSIDE = """\
set -eu
root=$1 name=$2 secrets=$3 readonly=$4 tmpfs=$5 volumes=$6 shift_by=6
shift $shift_by
hostname "$name"
mount --make-rprivate /
mount --rbind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t tmpfs -o mode=755 dev dev
for node in null zero full random urandom; do : > dev/$node; mount --bind /dev/$node dev/$node; done
ln -s /proc/self/fd dev/fd; ln -s /proc/self/fd/1 dev/stdout; ln -s /proc/self/fd/2 dev/stderr
mkdir dev/shm && mount -t tmpfs -o mode=1777,size=256m shm dev/shm
for place in $tmpfs; do mount -t tmpfs -o OPTIONS tmpfs ".$place"; done
mkdir -p run/secrets
mount -t tmpfs -o mode=755 secrets run/secrets
for secret in $secrets; do
  file=run/secrets/${secret##*/}; : > "$file"; mount --bind "$secret" "$file"; mount -o remount,ro,bind "$file"
done
for volume in $volumes; do
  from=${volume%%:*} rest=${volume#*:}; to=.${rest%%:*}
  if [ -d "$from" ]; then mkdir -p "$to"; else mkdir -p "${to%/*}"; : > "$to"; fi
  mount --bind "$from" "$to"
  case $rest in *:ro) mount -o remount,ro,bind "$to" ;; esac
done
for file in resolv.conf hosts; do [ -e etc/$file ] || : > etc/$file; mount --bind "$root.$name.$file" etc/$file; done
[ "$readonly" = no ] || mount -o remount,ro,bind "$root"
pivot_root . .
umount -l .
exec "$@"
""".replace("OPTIONS", _TMPFS)


@dataclass
class Container:
    """`inner` is the command line of the service itself, behind what puts down its rights."""

    name: str
    root: Path
    address: str
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def started(self, launch: Launch) -> None:
        """Its processes run from now on; what they print is in `log`."""
        command = [
            *("nsenter", f"--net=/run/netns/{self.name}", "unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"),
            *("sh", "-c", _INSIDE, "container", str(self.root), self.name, " ".join(map(str, launch.secrets))),
            *("yes" if launch.read_only else "no", " ".join(launch.tmpfs), " ".join(launch.volumes)),
            *launch.confined(),
        ]  # fmt: skip
        for _ in range(3):  # util-linux 2.38's unshare fails now and then with "sigprocmask unblock failed"
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=dict(self.environment)
                )
            time.sleep(0.2)
            if self.process.poll() is None:
                break

    @property
    def first_process(self) -> int:
        """Its process 1 as the rehearsal sees it: the child of `unshare`."""
        return int(self._children()[0])

    @property
    def is_running(self) -> bool:
        """Not before its process 1 is there, and no longer once that has ended."""
        return self.process is not None and self.process.poll() is None and bool(self._children())

    def _children(self) -> list[str]:
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii").split()

    def processes(self) -> list[int]:
        """All of its processes, as the rehearsal numbers them."""
        here = Path(f"/proc/{self.first_process}/ns/pid").readlink()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if (entry / "ns/pid").readlink() == here:
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def asks(self, command: Sequence[str], user: str = "") -> subprocess.CompletedProcess[str]:
        """The command inside the container, as an engine runs a health check: with its root, environment and user."""
        identity = ["--setuid", user.partition(":")[0], "--setgid", user.partition(":")[2]] if user else []
        enter = [
            "nsenter",
            f"--target={self.first_process}",
            "--mount",
            "--pid",
            "--net",
            "--uts",
            "--ipc",
            "--root",
            "--wdns=/",
        ]
        return subprocess.run(
            [*enter, *identity, *command], env=dict(self.environment), capture_output=True, text=True, check=False
        )

    def signal(self, number: int) -> None:
        os.kill(self.first_process, number)

    def ended(self, seconds: float) -> int | None:
        """The exit status, or None where it still runs after the seconds."""
        assert self.process is not None
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


@dataclass(frozen=True, slots=True)
class Launch:
    """How a container begins. `user` is `uid:gid` with all capabilities dropped, or "" for root with an engine's usual ones."""

    command: Sequence[str]
    user: str = ""
    workdir: str = "/"
    read_only: bool = False
    init: bool = False
    tmpfs: Sequence[str] = ()
    volumes: Sequence[str] = ()
    secrets: Sequence[Path] = ()

    def confined(self) -> list[str]:
        command = [*(("/usr/bin/tini", "--") if self.init else ()), *self.command]
        into = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", self.workdir, *command]
        if not self.user:
            return into
        uid, _, gid = self.user.partition(":")
        rights = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *rights, *into]


@dataclass
class Network:
    """One bridge, and a DNS server on it that knows the containers' names, as an engine's does."""

    folder: Path
    addresses: dict[str, str] = field(default_factory=dict)

    def begun(self) -> None:
        Path("/run/netns").mkdir(exist_ok=True)
        _ip("link set lo up")
        _ip("link add bridge0 type bridge")
        _ip(f"addr add {GATEWAY}/24 dev bridge0")
        _ip("link set bridge0 up")

    def container(self, name: str, root: Path, environment: Mapping[str, str]) -> Container:
        """One with an address and a name; `started` launches it. A second of the same name takes the first one's place."""
        if name not in self.addresses:
            number = len(self.addresses) + 2
            self.addresses[name] = f"{NETWORK}.{number}"
            _ip(f"netns add {name}")
            _ip(f"link add veth{number} type veth peer name eth0 netns {name}")
            _ip(f"link set veth{number} master bridge0 up")
            for words in ("link set lo up", f"addr add {self.addresses[name]}/24 dev eth0", "link set eth0 up"):
                _ip(f"-n {name} {words}")
        address = self.addresses[name]
        Path(f"{root}.{name}.resolv.conf").write_text(f"nameserver {GATEWAY}\noptions ndots:0\n", encoding="ascii")
        Path(f"{root}.{name}.hosts").write_text(f"127.0.0.1 localhost\n{address} {name}\n", encoding="ascii")
        return Container(name, root, address, environment, self.folder / f"{name}.log")

    async def names(self) -> asyncio.DatagramTransport:
        """The DNS server, until its transport is closed."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Names(self.addresses), local_addr=(GATEWAY, 53)
        )
        return transport


class _Names(asyncio.DatagramProtocol):
    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question, recursion_available=True)
        asked = question.question[0]
        address = self._addresses.get(asked.name.to_text(omit_final_dot=True).lower())
        if address is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif asked.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(asked.name, 5, "IN", "A", address))
        self._transport.sendto(answer.to_wire(), addr)


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, capture_output=True)
