"""The images rehearsal: the production image and the compose files, without a container engine.

1. The image's root file system is made by the Dockerfile's own instructions, from a checkout in which the secrets lie already.
2. Debian's Postgres 15 and Redis 7 and Apache Kafka are started with the commands, environment, volumes and secrets of
   compose.yaml, in containers of their own (namespaces), and our services in the order of `depends_on`, each with its user,
   read-only root, tmpfs, secrets as files, capabilities and health check.
3. Somebody registers, eats and asks the README's question through the router; then what may not be is looked for: processes
   of root, files written, secrets in environments, logs and the image, limits passed; and each service is asked to stop.

`python -m deploy.rehearsals.images`, as root; needs Debian's debootstrap, postgresql, redis-server, iproute2 and Java with Maven.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from deploy.errors import FriendlyError
from deploy.rehearsals import apache_kafka
from deploy.rehearsals.compose_stack import OURS, Stack
from deploy.rehearsals.image_root import Image, build
from deploy.rehearsals.platform import comes
from deploy.rehearsals.report import Report
from deploy.secret_files import write_secrets

ROOT = Path(__file__).parents[2]
TOOLS = ("debootstrap", "unshare", "nsenter", "ip", "setpriv", "redis-server")
HEALTHY_SECONDS = 300.0
ARCHIVE_SECONDS = 90.0  # longer than archive_timeout
MEBIBYTE = 1 << 20
SERVING = tuple(name for name in OURS if name != "migrate")

REGISTER = "mutation R($input: RegisterInput!) { register(input: $input) { accessToken userErrors { message } } }"
FOOD = "mutation F($input: CreateFoodInput!) { createFood(input: $input) { food { id } userErrors { message } } }"
MEAL = "mutation M($input: LogMealInput!) { logMeal(input: $input) { meal { id } userErrors { message } } }"
WEIGHING = "mutation W($input: LogWeightInput!) { logWeight(input: $input) { userErrors { message } } }"
QUESTION = """{ me { displayName suggestedTarget { energyKcal } days(first: 1) { edges { node { caloriesConsumed caloriesBurned } } }
  workouts(first: 1) { edges { node { name durationMinutes } } } } }"""
PERSON = {
    "email": "ada@example.com", "password": "Password123!", "displayName": "Ada", "dateOfBirth": "1990-05-01", "sex": "FEMALE",
    "heightCm": 170, "activityLevel": "MODERATE",
}  # fmt: skip
OATS = {
    "name": "Oats", "category": "GRAIN", "per100": {"energyKcal": 380, "proteinG": 13, "carbsG": 60, "fatG": 7}
}  # fmt: skip


async def rehearse(report: Report, folder: Path, image: Image) -> None:
    stack = Stack(folder, folder / "context", image)
    stack.network.begun()
    names = await stack.network.names()
    try:
        if await _start(report, stack):
            await _use(report, stack)
            await comes(lambda: asyncio.to_thread(_is_archived, stack), ARCHIVE_SECONDS)
            await asyncio.to_thread(_look, report, stack)
            await _stop(report, stack)
    finally:
        names.close()
        for name, container in stack.running.items():
            with suppress(OSError, IndexError):
                container.signal(signal.SIGKILL)
            if not report.is_well:
                sys.stderr.write(f"--- {name}\n{stack.log(name)[-1500:]}\n")


async def _start(report: Report, stack: Stack) -> bool:
    """In the order of `depends_on`; False where something did not become healthy, and nothing after it can begin."""
    waiting = ["postgres", "redis", "redis-cache", "kafka", *OURS]
    while waiting:
        able = [name for name in waiting if not set(stack.services[name].get("depends_on", ())) & set(waiting)]
        started = time.monotonic()
        for name in able:
            stack.launch(name)
        for name in able:
            if name == "migrate":
                status = await asyncio.to_thread(stack.running[name].ended, HEALTHY_SECONDS)
                well = status == 0
                report.check("migrate completes", well, f"{time.monotonic() - started:.1f} s")
            else:
                well = await comes(partial(asyncio.to_thread, stack.is_healthy, name), HEALTHY_SECONDS)
                report.check(f"{name} is healthy by its own health check", well, f"{time.monotonic() - started:.1f} s")
            if not well:
                return False
        waiting = [name for name in waiting if name not in able]
    return True


async def _use(report: Report, stack: Stack) -> None:
    url = f"http://{stack.running['router'].address}:8080/graphql"
    token = ""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:

        async def ask(query: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            body = {"query": query, "variables": {"input": given} if given else {}}
            async with session.post(url, json=body, headers=headers) as response:
                return dict(await response.json(content_type=None))

        registered = await ask(REGISTER, PERSON)
        token = ((registered.get("data") or {}).get("register") or {}).get("accessToken") or ""
        report.check(
            "somebody registers through the router", bool(token), "" if token else json.dumps(registered)[:300]
        )
        if not token:
            return
        weighed = await ask(WEIGHING, {"weightKg": 62})
        report.check(
            "steps on the scales", not weighed.get("errors"), json.dumps(weighed.get("errors") or "")[:200].strip('"')
        )
        food = (await ask(FOOD, OATS))["data"]["createFood"]["food"]["id"]
        meal = await ask(MEAL, {"slot": "BREAKFAST", "items": [{"foodId": food, "grams": 100}]})
        report.check("and eats", not meal.get("errors") and bool(meal["data"]["logMeal"]["meal"]))
        answer, has_come = await _asked_until_the_meal_came(ask)
        report.check(
            "the README's question, from four subgraphs; the meal came by Kafka", has_come and not answer.get("errors"),
            json.dumps(answer, ensure_ascii=False).replace("|", "\\|")[:400],
        )  # fmt: skip
        async with session.get(url, headers={"accept": "text/html"}) as page:
            report.check(
                "no GraphiQL in production",
                page.content_type != "text/html" or "graphiql" not in (await page.text()).lower(),
            )
        introspected = await ask("{ __schema { queryType { name } } }")
        report.check("no introspection in production", bool(introspected.get("errors")))


async def _asked_until_the_meal_came(ask: Callable[[str], Awaitable[dict[str, Any]]]) -> tuple[dict[str, Any], bool]:
    """The last answer to the README's question within a minute, and whether the meal is in it."""
    answer: dict[str, Any] = {}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = await ask(QUESTION)
        edges = ((answer.get("data") or {}).get("me") or {}).get("days", {}).get("edges", [])
        if edges and edges[0]["node"]["caloriesConsumed"] == 380:
            return answer, True
        await asyncio.sleep(0.5)
    return answer, False


def _is_archived(stack: Stack) -> bool:
    return any((stack.folder / "volumes" / "postgres_archive").iterdir())


def _look(report: Report, stack: Stack) -> None:
    """For what may not be, after use."""
    _who_runs(report, stack)
    _what_is_written(report, stack)
    _where_secrets_are(report, stack)
    plain = {name: [line for line in stack.log(name).splitlines() if not _is_json(line)] for name in OURS}
    told = "; ".join(f"{name} {len(lines)}, as {lines[0][:100]!r}" for name, lines in plain.items() if lines)
    report.check("every line of our logs is a JSON object", not told, told)


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _who_runs(report: Report, stack: Stack) -> None:
    identities: set[str] = set()
    sizes = []
    for name in SERVING:
        memory = threads = 0
        for pid in stack.running[name].processes():
            lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
            status = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
            identities |= {*status["Uid"].split(), *status["Gid"].split()}
            if int(status["CapEff"], 16) or status["NoNewPrivs"] != "1":
                identities.add(f"{name} with capabilities {status['CapEff']}")
            memory += int(status.get("VmRSS", "0 kB").split()[0]) * 1024
            threads += int(status["Threads"])
        limits = stack.services[name]["deploy"]["resources"]["limits"]
        most = int(limits["memory"][:-1]) * {"M": MEBIBYTE, "G": 1024 * MEBIBYTE}[limits["memory"][-1]]
        sizes.append((f"{name} {memory // MEBIBYTE} MiB, {threads} threads", memory / most, threads / limits["pids"]))
    said = ", ".join(sorted(identities))
    report.check("every process of ours is user and group 10001, without capabilities", identities == {"10001"}, said)
    spare = all(memory < 0.75 and threads < 0.75 for _, memory, threads in sizes)
    report.check("memory and threads are below 75 % of their limits", spare, "; ".join(size for size, _, _ in sizes))


def _what_is_written(report: Report, stack: Stack) -> None:
    root = stack.image.root
    newer = ["find", str(root), "-xdev", "-newer", str(stack.folder / "built"), "-not", "-path", f"{root}/run*"]
    mounts = {f"{root}/etc", f"{root}/etc/hosts", f"{root}/etc/resolv.conf"}
    found = set(subprocess.run(newer, capture_output=True, text=True, check=True).stdout.split()) - mounts
    report.check("nothing was written outside of tmpfs", not found, " ".join(sorted(found)[:5]))
    refusals = [name for name in SERVING if "Read-only file system" in stack.log(name)]
    report.check("and nobody tried to", not refusals, ", ".join(refusals))
    writable = []
    for name in SERVING:
        tried = stack.running[name].asks(["sh", "-c", "touch /etc/written || touch /opt/fittracker/written"])
        writable += [name] if "Read-only file system" not in tried.stderr else []
    report.check("the root file system refuses even root's writes", not writable, ", ".join(writable))
    volumes = stack.folder / "volumes"
    archived = list((volumes / "postgres_archive").iterdir())
    report.check("Postgres archives its log", bool(archived), f"{len(archived)} files")
    kept = list((volumes / "kafka_data").rglob("*.log"))
    report.check("Kafka's records are on its volume", bool(kept), f"{len(kept)} segments")


def _where_secrets_are(report: Report, stack: Stack) -> None:
    files = [file for file in stack.secrets.iterdir() if not file.name.endswith(("_conf", "_map", "_webhook_url"))]
    secrets = {file.name: file.read_bytes().strip() for file in files}
    seen = b""
    for name in SERVING:
        for pid in stack.running[name].processes():
            seen += Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
    found = sorted(name for name, value in secrets.items() if value in seen)
    report.check("no secret is in an environment or on a command line", not found, ", ".join(found))
    logs = {name: stack.log(name) for name in stack.running}
    told = sorted(
        f"{secret} by {name}"
        for name, log in logs.items()
        for secret, value in secrets.items()
        if value.decode() in log
    )
    report.check("no secret is in a log, those of Postgres, Redis and Kafka included", not told, ", ".join(told))
    places = [str(stack.image.root / folder) for folder in ("opt", "etc", "home", "root", "var")]
    given = b"\n".join(secrets.values())
    searched = subprocess.run(["grep", "-rlF", "-f", "-", *places], input=given, capture_output=True, check=False)
    found = searched.stdout.decode().split()
    report.check(
        "no secret is in the image, though they lay in the checkout", searched.returncode == 1, " ".join(found[:3])
    )


async def _stop(report: Report, stack: Stack) -> None:
    """From the outside in, each within the compose file's patience, and with requests on their way."""
    url = f"http://{stack.running['router'].address}:8080/graphql"
    answers: list[int | str] = []

    async def ask_until_refused() -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            while True:
                try:
                    async with session.post(url, json={"query": "{ __typename }"}) as response:
                        answers.append(response.status)
                except aiohttp.ClientConnectorError:
                    return
                except aiohttp.ClientError as error:
                    answers.append(type(error).__name__)
                await asyncio.sleep(0.02)

    asking = asyncio.create_task(ask_until_refused())
    await asyncio.sleep(0.5)
    for name in ("router", "projection-check", "users", "nutrition", "workouts", "analytics"):
        container = stack.running[name]
        grace = float(stack.services[name]["stop_grace_period"].rstrip("s"))
        started = time.monotonic()
        container.signal(signal.SIGTERM)
        status = await asyncio.to_thread(container.ended, grace)
        report.check(
            f"{name} ends at SIGTERM", status in (0, 143), f"{time.monotonic() - started:.1f} s, status {status}"
        )
        if name == "router":
            async with asyncio.timeout(30):
                await asking
            bad = [each for each in answers if each != 200]
            report.check(
                "and answers until it is gone",
                bool(answers) and not bad,
                f"{len(answers)} requests; {bad[:3] or 'none failed'}",
            )


def _prepared(folder: Path) -> Image:
    """The checkout with an operator's files in it, and the image that is built of it."""
    context = folder / "context"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, context / name)
    compose = context / "deploy" / "compose"
    shutil.copyfile(compose / ".env.example", compose / ".env")
    write_secrets(compose / "secrets")
    apache_kafka.install_jars(folder / "kafka-libs")
    image = build(context / "deploy" / "images" / "Dockerfile", context, folder / "image")
    (image.root / "run" / "secrets").mkdir(exist_ok=True)
    (folder / "built").touch()
    return image


def inside(folder: Path, report: Report) -> None:
    """What runs in the namespaces, where the whole network is one bridge."""
    image = Image(**json.loads((folder / "image.json").read_text(), object_hook=_image_fields))
    (folder / "others").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder / "others")], check=True)
    asyncio.run(rehearse(report, folder, image))


def _image_fields(value: dict[str, Any]) -> dict[str, Any]:
    return value | {"root": Path(value["root"])} if "root" in value else value


def _saved(image: Image, file: Path) -> None:
    fields = {
        "root": str(image.root), "environment": image.environment, "workdir": image.workdir, "user": image.user,
        "entrypoint": image.entrypoint, "command": image.command, "healthcheck": image.healthcheck,
    }  # fmt: skip
    file.write_text(json.dumps(fields), encoding="utf-8")


def main(arguments: Sequence[str] = tuple(sys.argv[1:])) -> int:
    if arguments:
        report = Report("images")
        inside(Path(arguments[0]), report)
        return report.finish()
    report = Report("images")
    if os.geteuid() != 0 or (missing := [tool for tool in TOOLS if shutil.which(tool) is None]):
        raise FriendlyError("this rehearsal is root's" if os.geteuid() else f"not installed: {', '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="fittracker-images-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "image").mkdir()
        _saved(_prepared(folder), folder / "image.json")
        command = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        script = 'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec "$@"'
        done = subprocess.run(
            [*command, "sh", "-c", script, "sh", sys.executable, "-m", "deploy.rehearsals.images", name], check=False
        )
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
