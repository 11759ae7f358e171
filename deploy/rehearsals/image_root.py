"""An image's root file system, made by following its Dockerfile where there is no container engine.

Called by the rehearsal `images`. The base is Debian with its Python 3.11 by debootstrap, in place of python:3.11-slim. Each RUN
has a mount and a process namespace of its own; what COPY may see is what .dockerignore lets through. Needs root.
"""

from __future__ import annotations

import fnmatch
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy.errors import FriendlyError

SUITE = "bookworm"
# tini is what an engine's `init: true` puts in front.
PACKAGES = ("python3", "python3-venv", "ca-certificates", "tini")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# From the machine, for as long as the image is built: how it reaches the package index, and whom it trusts.
_LENT = ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt")
_INDEX = ("PIP_INDEX_URL", "PIP_CERT", "PIP_DEFAULT_TIMEOUT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_RUN = """\
set -eu
root=$1 workdir=$2 command=$3
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" /bin/sh -c 'cd "$1" && exec /bin/sh -c "$2"' run "$workdir" "$command"
"""


@dataclass(frozen=True, slots=True)
class Image:
    """A stage: its root, and what a container of it begins with. `user` is `uid:gid`; "" is root."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    workdir: str = "/"
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    healthcheck: tuple[str, ...] = ()


def build(dockerfile: Path, context: Path, folder: Path) -> Image:
    """The last stage. `folder` is empty and gets a root for each stage. Raises FriendlyError with what a step said."""
    base = _base(folder / "base")
    stages: dict[str, Image] = {}
    image = Image(base)
    for word, rest in instructions(dockerfile.read_text(encoding="utf-8")):
        match word:
            case "FROM":
                name = rest.split()[-1]
                image = Image(_copy_of(base, folder / name))
                stages[name] = image
            case "ENV":
                given = dict(pair.split("=", 1) for pair in shlex.split(rest))
                known = image.environment
                image = replace(
                    image,
                    environment=known | {key: value.replace("$PATH", known["PATH"]) for key, value in given.items()},
                )
            case "WORKDIR":
                (image.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
                image = replace(image, workdir=rest)
            case "RUN":
                _run(image, rest)
            case "COPY":
                copied_into(image, rest, context, stages)
            case "USER":
                image = replace(image, user=rest)
            case "ENTRYPOINT":
                image = replace(image, entrypoint=tuple(json.loads(rest)))
            case "CMD":
                image = replace(image, command=tuple(json.loads(rest)))
            case "HEALTHCHECK":
                image = replace(image, healthcheck=tuple(json.loads(rest.partition("CMD")[2])))
            case "ARG" | "LABEL" | "STOPSIGNAL":
                pass  # the base is our own, labels are for registries, and SIGTERM is what a rehearsal sends
            case _:
                raise FriendlyError(f"{dockerfile.name} has {word}, which this rehearsal does not know")
    return image


def instructions(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [
        (word, rest.strip()) for word, _, rest in (line.strip().partition(" ") for line in whole.splitlines()) if word
    ]


def _base(root: Path) -> Path:
    if shutil.which("debootstrap") is None:
        raise FriendlyError("there is no debootstrap here", "apt-get install debootstrap")
    _done(["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root)])
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    return root


def _copy_of(base: Path, root: Path) -> Path:
    _done(["cp", "-a", "--reflink=auto", str(base), str(root)])
    return root


def _run(image: Image, command: str) -> None:
    kept = {name: (image.root / name.lstrip("/")) for name in _LENT}
    before = {file: file.read_bytes() if file.exists() else None for file in kept.values()}
    for name, file in kept.items():
        shutil.copyfile(name, file)
    lent = {name: os.environ[name] for name in _INDEX if name in os.environ}
    arguments = [str(image.root), image.workdir, command]
    try:
        _done(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _RUN, "build", *arguments],
            {**lent, "DEBIAN_FRONTEND": "noninteractive", **image.environment},
        )
    finally:
        for file, content in before.items():
            file.unlink() if content is None else file.write_bytes(content)


def copied_into(image: Image, rest: str, context: Path, stages: dict[str, Image]) -> None:
    *sources, target = rest.split()
    origin = context
    if sources[0].startswith("--from="):
        origin = stages[sources.pop(0).partition("=")[2]].root
    place = image.root / str(Path(image.workdir) / target).lstrip("/")
    for source in sources:
        found = origin / source.lstrip("/")
        into = place / found.name if target.endswith("/") else place
        if found.is_dir():
            ignored = None if origin != context else _ignored(context)
            shutil.copytree(found, into, symlinks=True, dirs_exist_ok=True, ignore=ignored)
        else:
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, into)


def _ignored(context: Path) -> Callable[[str, list[str]], set[str]]:
    """What shutil.copytree leaves out: names behind `**/`, and paths below the folders that the file lets through."""
    patterns = [line.strip() for line in (context / ".dockerignore").read_text(encoding="utf-8").splitlines()]
    out = [line for line in patterns if line and not line.startswith(("#", "!", "*/")) and line != "*"]

    def left_out(folder: str, names: list[str]) -> set[str]:
        below = Path(folder).relative_to(context)
        return {
            name
            for name in names
            if any(
                fnmatch.fnmatch(name if each.startswith("**/") else f"{below}/{name}", each.removeprefix("**/"))
                for each in out
            )
        }

    return left_out


def _done(command: list[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise FriendlyError(f"{' '.join(command)[:300]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
