"""Accept or refuse, and why: our composition against the one of The Guild, on our own subgraphs and what bends them.

Inputs are the conformance cases as they are and with one application of a directive removed at a time. Where the two
differ for a reason, the reason is in deploy/decisions/0004 and the input in ARGUED below.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from schema import SubgraphSource, compose

HERE = Path(__file__).parent
CASES = HERE.parent / "cases"
BENT = re.compile(
    r'\s@(?:key|shareable|external|requires|provides|override|interfaceObject)(?![\w"])(?:\((?:[^()"]|"[^"]*")*\))?'
)
TYPE = re.compile(r"(?<=: )\[?(?:String|Int|Float|ID)!?\]?!?(?=[\s,@)=]|$)")

Subgraphs = dict[str, str]


def inputs() -> Iterator[tuple[str, Subgraphs]]:
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
def oracle() -> list[list[str]]:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm, to run the other implementation")
    if not (HERE / "node_modules").is_dir():
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=HERE, check=True, capture_output=True, timeout=120)
    lines = "\n".join(
        json.dumps([{"name": name, "sdl": sdl} for name, sdl in subgraphs.items()]) for _, subgraphs in inputs()
    )
    done = subprocess.run(
        ["node", "compose.mjs"], cwd=HERE, input=lines, text=True, capture_output=True, check=True, timeout=300
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


#: Inputs where the two rightly differ, with the codes of each: see the decision record.
ARGUED: dict[str, tuple[list[str], list[str]]] = {
    "entity-interface/b:8:157 Boolean for ID!": (["FIELD_TYPE_MISMATCH"], ["FIELD_TYPE_MISMATCH", "INVALID_GRAPHQL"]),
    'external-v1-extend/products:1 without @key(fields: "upc")': ([], ["SATISFIABILITY_ERROR"]),
    "interface-object/reviews:9:239 Boolean for ID!": (["FIELD_TYPE_MISMATCH"], ["INVALID_GRAPHQL"]),
    "interface-object/reviews:8 without @interfaceObject": (
        ["TYPE_KIND_MISMATCH"],
        ["EXTERNAL_MISSING_ON_BASE", "TYPE_KIND_MISMATCH"],
    ),
    "provides/reviews:29 without @external": (["PROVIDES_FIELDS_MISSING_EXTERNAL"], ["INVALID_FIELD_SHARING"]),
    "provides/reviews:34 without @external": (["PROVIDES_FIELDS_MISSING_EXTERNAL"], ["INVALID_FIELD_SHARING"]),
    'provides-on-interface/a:5 without @provides(fields: "... on Dog { id } ... on Cat { id name }")': (
        ["SATISFIABILITY_ERROR"],
        [],
    ),
    "provides-on-interface/a:14 without @external": (["PROVIDES_FIELDS_MISSING_EXTERNAL"], []),
    "provides-on-interface/a:15 without @external": (["PROVIDES_FIELDS_MISSING_EXTERNAL"], ["INVALID_FIELD_SHARING"]),
    "provides-on-interface/a:19 without @external": (["PROVIDES_FIELDS_MISSING_EXTERNAL"], []),
    "provides-on-interface/a:20 without @external": (["PROVIDES_FIELDS_MISSING_EXTERNAL"], ["INVALID_FIELD_SHARING"]),
    "provides-on-interface/b:4:138 Boolean for ID!": (
        ["EXTERNAL_TYPE_MISMATCH"],
        ["FIELD_TYPE_MISMATCH", "INVALID_GRAPHQL"],
    ),
    "provides-on-interface/b:11:252 Boolean for String": (
        ["EXTERNAL_TYPE_MISMATCH"],
        ["EXTERNAL_TYPE_MISMATCH", "FIELD_TYPE_MISMATCH", "INVALID_GRAPHQL"],
    ),
    "requires/catalog:17:274 Boolean for Int": (
        ["EXTERNAL_TYPE_MISMATCH"],
        ["EXTERNAL_TYPE_MISMATCH", "FIELD_TYPE_MISMATCH"],
    ),
    "requires/shipping:21:557 Boolean for String!": (
        ["EXTERNAL_TYPE_MISMATCH"],
        ["EXTERNAL_TYPE_MISMATCH", "FIELD_TYPE_MISMATCH"],
    ),
    "requires-across-entities/burn:11 without @external": (
        ["REQUIRES_FIELDS_MISSING_EXTERNAL"],
        ["INVALID_FIELD_SHARING"],
    ),
    "requires-fragments/fees:28:641 Boolean for Int": (
        ["EXTERNAL_TYPE_MISMATCH"],
        ["EXTERNAL_TYPE_MISMATCH", "FIELD_TYPE_MISMATCH"],
    ),
}


def test_both_refuse_the_same_inputs_with_the_same_codes(oracle: list[list[str]]) -> None:
    differences = {
        label: (codes, theirs)
        for (label, subgraphs), theirs in zip(inputs(), oracle, strict=True)
        if (codes := ours(subgraphs)) != theirs
    }

    assert len(oracle) >= 300
    assert differences == ARGUED
