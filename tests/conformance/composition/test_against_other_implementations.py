"""Accept or refuse, and why: our composition against Apollo's and The Guild's, on our own subgraphs and what bends them.

Inputs are the conformance cases as they are and with one application of a directive removed at a time, and what is
written for this comparison in inputs/. Where implementations differ for a reason, the reason is in
deploy/decisions/0004, and the input is in argued.json with both answers.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, lexicographic_sort_schema, print_schema

from schema import SubgraphSource, compose
from tests.testkit.npm_clients import install_packages

HERE = Path(__file__).parent
CASES = HERE.parent / "cases"
#: Stands for `$LINK` in the written inputs.
LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", '
    '"@provides", "@shareable", "@inaccessible", "@override", "@interfaceObject", "@composeDirective", "@context", '
    '"@fromContext", "@tag", "@cost", "@listSize", "@authenticated", "@requiresScopes", "@policy", "@extends"])'
)
BENT = re.compile(
    r'\s@(?:key|shareable|external|requires|provides|override|interfaceObject)(?![\w"])(?:\((?:[^()"]|"[^"]*")*\))?'
)
TYPE = re.compile(r"(?<=: )\[?(?:String|Int|Float|ID)!?\]?!?(?=[\s,@)=]|$)")

Subgraphs = dict[str, str]


def inputs() -> Iterator[tuple[str, Subgraphs]]:
    yield from bent_cases()
    for file in sorted((HERE / "inputs").iterdir()):
        for text in file.read_text(encoding="utf-8").split("# case: ")[1:]:
            label, *parts = text.split("# subgraph: ")
            split = (part.partition("\n") for part in parts)
            yield f"{file.stem}/{label.strip()}", {name.strip(): sdl.replace("$LINK", LINK) for name, _, sdl in split}


def bent_cases() -> Iterator[tuple[str, Subgraphs]]:
    """Each case, then with one application of a directive left out, then with one of every fourth type changed."""
    for case in sorted(CASES.iterdir()):
        subgraphs = {file.stem: file.read_text(encoding="utf-8") for file in sorted((case / "subgraphs").iterdir())}
        yield case.name, subgraphs
        for name, sdl in subgraphs.items():
            for match in list(TYPE.finditer(sdl))[::4]:
                line = sdl.count("\n", 0, match.start()) + 1
                bent = f"{sdl[: match.start()]}Boolean{sdl[match.end() :]}"
                yield f"{case.name}/{name}:{line}:{match.start()} Boolean for {match.group()}", subgraphs | {name: bent}
            for match in BENT.finditer(sdl):
                line = sdl.count("\n", 0, match.start()) + 1
                bent = sdl[: match.start()] + sdl[match.end() :]
                yield f"{case.name}/{name}:{line} without{match.group()}", subgraphs | {name: bent}


def ours(subgraphs: Subgraphs) -> list[str]:
    composition = compose([SubgraphSource(name, sdl) for name, sdl in subgraphs.items()])
    return sorted({error.code for error in composition.errors})


@pytest.fixture(scope="module")
def installed() -> None:
    """The other implementations, from npm."""
    install_packages(HERE, "the other implementations")


def run_node(script: str, lines: Iterable[str]) -> list[Any]:
    """What the script answers to each line."""
    done = subprocess.run(
        ["node", script], cwd=HERE, input="\n".join(lines), text=True, capture_output=True, check=True, timeout=300
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def answers(installed: None) -> list[dict[str, list[str]]]:
    """The codes that each implementation gives, ours included, in the order of `inputs`."""
    lines = (json.dumps([{"name": name, "sdl": sdl} for name, sdl in subgraphs.items()]) for _, subgraphs in inputs())
    theirs = run_node("compose.mjs", lines)
    return [{**codes, "ours": ours(subgraphs)} for codes, (_, subgraphs) in zip(theirs, inputs(), strict=True)]


@pytest.mark.parametrize("implementation", ["apollo", "guild"])
def test_both_refuse_the_same_inputs_with_the_same_codes(
    implementation: str, answers: list[dict[str, list[str]]]
) -> None:
    differences = {
        label: [codes["ours"], codes[implementation]]
        for codes, (label, _) in zip(answers, inputs(), strict=True)
        if codes["ours"] != codes[implementation]
    }

    assert len(answers) >= 600
    assert differences == json.loads((HERE / "argued.json").read_text())[implementation]


def test_apollos_gateway_sees_in_our_supergraphs_what_we_say_clients_see(installed: None) -> None:
    composed = {}
    for case in sorted(CASES.iterdir()):
        sources = [
            SubgraphSource(file.stem, file.read_text(encoding="utf-8")) for file in (case / "subgraphs").iterdir()
        ]
        composed[case.name] = compose(sources)
    seen = run_node("load.mjs", (json.dumps(each.supergraph_sdl) for each in composed.values()))

    for (name, each), theirs in zip(composed.items(), seen, strict=True):
        assert "error" not in theirs, f"{name}: {theirs['error']}"
        assert theirs["api"] == print_schema(lexicographic_sort_schema(build_schema(each.api_sdl or ""))), name
