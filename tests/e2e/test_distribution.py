"""The wheel of router and composer, in an environment of its own, does what its documentation says."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from graphql import get_introspection_query

from deploy.standalone.build import NothingToCompileWithError, build, renamed
from schema import SubgraphSource, compose
from schema.sources import declared_sources
from tests.testkit.compiled_tree import named_modules
from tests.testkit.interpreters import VERSIONS, interpreter
from tests.testkit.running_stack import eventually

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "deploy" / "docs" / "router-alone.md"
UV = str(Path(sysconfig.get_path("scripts")) / "uv")
COMPILED = "compiled"

#: Those of what is compiled, and of what meets it; random graphs also have operations that are planned in other processes.
TESTS_OF_COMPILED = (
    *(
        f"tests/unit/router/{room}"
        for room in ("executor", "incremental", "operation", "planner", "query_graph", "transport")
    ),
    "tests/unit/router/test_single_flight.py",
    "tests/integration/router/test_entity_cache.py",
    "tests/integration/router/test_http_client.py",
    "tests/integration/router/test_instances.py",
    "tests/conformance/test_lying_subgraphs.py::test_the_answer_stays_an_answer_and_honest_about_the_rest",
    "tests/conformance/test_random_supergraphs.py::test_a_random_graph_answers_as_one_server_would",
    "tests/conformance/test_random_supergraphs.py::test_what_comes_later_follows_the_variables_of_each_request",
)

#: Making the compiled wheel takes a processor a minute and a half.
pytestmark = pytest.mark.timeout(1_800)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module", params=[*VERSIONS, COMPILED])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel, of each Python that is here, and of the running one with the wheel of compiled
    modules; this checkout is not in it. The dependencies are those of the lock: for the running Python the ones that are
    installed, for others they are fetched.
    """
    if request.param == COMPILED:
        try:
            wheel = build(tmp_path_factory.mktemp("compiled"), compiled=True)
        except NothingToCompileWithError as error:
            pytest.skip(f"needs what builds a compiled wheel: {error}")
        python = Path(sys.executable)
    else:
        found = interpreter(request.param)
        if found is None:
            pytest.skip(f"Python {request.param} is not on this machine")
        python, wheel = found, request.getfixturevalue("wheel")
    place = tmp_path_factory.mktemp("environment") / request.param
    subprocess.run([UV, "venv", "--quiet", "--python", str(python), str(place)], check=True)
    install = [UV, "pip", "install", "--quiet", "--python", str(place / "bin" / "python")]
    if python == Path(sys.executable):
        subprocess.run([*install, "--no-deps", "--offline", str(wheel)], check=True)
        site = next((place / "lib").glob("python3*/site-packages"))
        (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    else:
        subprocess.run([*install, "--constraint", str(ROOT / "requirements.lock"), f"{wheel}[strawberry]"], check=True)
    return place


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's two modules, as it writes them."""
    folder = tmp_path_factory.mktemp("example")
    text = GUIDE.read_text(encoding="utf-8")
    for name, source in re.findall(r"^`([\w/]+\.py)`[^\n]*\n\n```python\n(.*?)```", text, re.MULTILINE | re.DOTALL):
        file = folder / name
        file.parent.mkdir()
        file.write_text(source)
    return folder


async def test_the_guides_graph_is_served(environment: Path, example: Path, unused_tcp_port: int) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    (line,) = re.findall(r"^\.venv/bin/uvx .*? (fittracker-router .*)$", text, re.MULTILINE)
    (query,) = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    program, *arguments = line.split()
    process = await asyncio.create_subprocess_exec(
        str(environment / "bin" / program), *arguments, "--port", str(unused_tcp_port), cwd=example
    )
    url = f"http://127.0.0.1:{unused_tcp_port}/graphql"
    try:
        async with aiohttp.ClientSession() as session:

            async def asked() -> Any:
                try:
                    async with session.post(url, json={"query": query}) as response:
                        return await response.json()
                except aiohttp.ClientConnectionError:
                    assert process.returncode is None
                    return None

            async def is_answered() -> bool:
                return await asked() is not None

            await eventually(is_answered, seconds=90)
            products = [{"name": "Apple", "stars": 4}, {"name": "Bread", "stars": 5}]
            assert await asked() == {"data": {"products": products}}
            async with session.get(url, headers={"accept": "text/html"}) as response:
                assert "GraphiQL" in await response.text()
            # what is long is prepared in a process of its own, as GraphiQL's first question is
            async with session.post(url, json={"query": get_introspection_query()}) as response:
                assert (await response.json())["data"]["__schema"]["queryType"]["name"] == "Query"
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 60)


def _graph_with(field: str) -> str:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9")'
    composition = compose([SubgraphSource("a", f"{link} type Query {{ {field}: Int }}", "http://127.0.0.1:1/graphql")])
    assert composition.supergraph_sdl is not None
    return composition.supergraph_sdl


async def test_graph_and_settings_are_taken_over_when_they_change(
    environment: Path, tmp_path: Path, unused_tcp_port: int
) -> None:
    graph, settings = tmp_path / "supergraph.graphql", tmp_path / "router.yaml"
    graph.write_text(_graph_with("first"))
    settings.write_text("introspection: true\n")
    process = await asyncio.create_subprocess_exec(
        str(environment / "bin" / "fittracker-router"), "--supergraph", graph.name, "--config", settings.name, "--watch",
        "--port", str(unused_tcp_port), cwd=tmp_path,
    )  # fmt: skip
    url = f"http://127.0.0.1:{unused_tcp_port}/graphql"
    try:
        async with aiohttp.ClientSession() as session:

            async def is_told(expected: str) -> bool:
                try:
                    async with session.post(
                        url, json={"query": "{ __schema { queryType { fields { name } } } }"}
                    ) as response:
                        return expected in await response.text()
                except aiohttp.ClientConnectionError:
                    assert process.returncode is None
                    return False

            await eventually(lambda: is_told('"first"'), seconds=90)
            graph.write_text("type Query { broken: Int }")
            graph.write_text(_graph_with("second"))
            await eventually(lambda: is_told('"second"'), seconds=90)
            settings.write_text("introspection: false\n")
            await eventually(lambda: is_told("INTROSPECTION_DISABLED"), seconds=90)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 60)


def test_it_brings_no_package_of_another_name(environment: Path, example: Path) -> None:
    """`schema` and `router` are other people's packages; types are shipped; the composer has a command."""
    python, composer = environment / "bin" / "python", environment / "bin" / "fittracker-compose"
    script = """if True:
        import importlib.util, json, pathlib, fittracker_router
        print(json.dumps({
            "others": [each for each in ("router", "schema", "deploy", "subgraphs") if importlib.util.find_spec(each)],
            "typed": (pathlib.Path(fittracker_router.__file__).parent / "py.typed").exists(),
        }))"""
    told = subprocess.run([python, "-I", "-c", script], capture_output=True, check=True).stdout
    assert json.loads(told) == {"others": [], "typed": True}
    sources = [f"{name}.schema:schema" for name in ("products", "reviews")]
    composed = subprocess.run([composer, "compose", *sources], cwd=example, capture_output=True, check=True).stdout
    assert b"@join__graph" in composed
    told = subprocess.run([composer, "--help"], capture_output=True, check=True, text=True).stdout
    assert told.startswith("usage: fittracker-compose ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--supergraph", "absent.graphql"], "error: absent.graphql: no such file or directory\n"),
        (["--supergraph", "plain.graphql"], "error: plain.graphql is not a usable supergraph: "),
        (["products.schema:schema", "--watch"], "error: --watch goes with --supergraph FILE"),
        (["absent.yaml"], "error: absent.yaml: no such file or directory\n"),
        (["products.schema"], "error: subgraph products: products.schema: no such file or directory\nhint:  "),
    ],
)
def test_what_cannot_be_served_is_told_in_a_sentence(
    environment: Path, example: Path, arguments: list[str], told: str
) -> None:
    (example / "plain.graphql").write_text("type Query { a: Int }")
    command = [environment / "bin" / "fittracker-router", *arguments]
    ended = subprocess.run(command, cwd=example, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(told)
    assert "Traceback" not in ended.stderr


def test_it_says_whether_it_is_compiled(environment: Path) -> None:
    command = [environment / "bin" / "fittracker-router", "--version"]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    kind = f"{len(named_modules(ROOT))} modules compiled" if environment.name == COMPILED else "pure Python"
    assert re.fullmatch(rf"fittracker-router [\d.]+, CPython [\d.]+, {kind}", told)


@pytest.mark.parametrize("environment", [COMPILED], indirect=True)
def test_compiled_modules_do_as_their_tests_say(environment: Path) -> None:
    """The short form of `python -m tests.testkit.compiled_tree`."""
    command = [environment / "bin" / "python", "-m", "pytest", "-p", "tests.testkit.installed_rooms"]
    command += ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS_OF_COMPILED]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]


def test_imports_of_the_rooms_are_imports_of_the_package() -> None:
    before = "from router import pipeline\nfrom schema.codes import Code\n    import router.settings\nfrom routers import x\n"
    assert renamed(before) == (
        "from fittracker_router.router import pipeline\nfrom fittracker_router.schema.codes import Code\n"
        "    import fittracker_router.router.settings\nfrom routers import x\n"
    )


@pytest.mark.parametrize(
    ("argument", "name"),
    [("app.schema:schema", "app"), ("shop.products.schema:schema", "products"), ("schema:schema", "schema"),
     ("a=b:c", "a"), ("b:c", "b")],
)  # fmt: skip
def test_a_module_names_its_subgraph(argument: str, name: str) -> None:
    (source,) = declared_sources([argument])
    assert source.name == name
