"""What of the children's lines is for people: all that is not of a start that goes as it should. The files have every line."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.terminal import ROUTINE, ChildLog, Terminal

ROOT = Path(__file__).parents[3]
LINES = {
    "2026-11-29T14:44:47.662040Z [info     ] subgraph_started               loops=7 subgraph=analytics": False,
    "2026-11-29T14:44:47.887195Z [\x1b[32minfo     \x1b[0m] \x1b[1minstances\x1b[0m   subgraph=users": False,
    "2026-11-29T14:44:47.887195Z [warning  ] instances                      subgraph=users": True,
    "2026-11-29T14:44:47.887195Z [info     ] subgraph_answers_again         subgraph=users": True,
    "request  mutation                          52.0 ms  1 fetch": True,
    "Traceback (most recent call last):": True,
}


@pytest.mark.parametrize("text", ["[/x]", "a person named [bold]", '{"roles": ["ADMIN"], "display_name": "[red]"}'])
def test_what_a_person_is_called_is_no_markup(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().say(text)
    assert capsys.readouterr().out == f"{text}\n"


def test_lines_of_a_start_that_goes_well_are_in_the_files_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = ChildLog(Terminal(), tmp_path, quiet={"postgres"})
    for line in LINES:
        log.line("router", line)
        log.line("postgres", line)
    log.news("postgres", "was started again")
    log.close()
    assert (tmp_path / "router.log").read_text().splitlines() == list(LINES)
    shown = capsys.readouterr().out.splitlines()
    assert shown == [
        *(f"   router │ {line}" for line, is_shown in LINES.items() if is_shown),
        " postgres │ was started again",
    ]


@pytest.mark.parametrize("name", ROUTINE)
def test_what_is_kept_from_people_is_logged_somewhere(name: str) -> None:
    sources = (file for room in ("router", "subgraphs", "events") for file in (ROOT / room).rglob("*.py"))
    assert any(f'"{name}"' in file.read_text(encoding="utf-8") for file in sources)
