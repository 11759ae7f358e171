"""What production has to be told reaches its processes: by systemd, by compose and by the chart."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.environment import variables
from deploy.secret_files import write_secrets

DEPLOY = Path(__file__).parents[3] / "deploy"
SYSTEMD = DEPLOY / "systemd"
SUBGRAPHS = ("users", "nutrition", "workouts", "analytics")
PROCESSES = (*SUBGRAPHS, "router")
#: What one process alone has to know; every subgraph has its own database's address, and all have the rest.
ALONE = {"WEB_PUSH_KEY": "users", "SECOND_FACTOR_KEY": "users", "WEBHOOK_KEY": "users", "ROUTER_REDIS_URL": "router"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files that `fittracker secrets` makes."""
    return set(write_secrets(tmp_path_factory.mktemp("secrets") / "secrets"))


def of_process(name: str, made: set[str]) -> set[str]:
    """The settings that are such files and that this process has to know."""
    settings = {variable.name for variable in variables()} & {file.upper() for file in made}
    wanted = {each for each in settings if ALONE.get(each, name) == name and not each.startswith("DATABASE_URL_")}
    if name == "router":
        return wanted - {"REDIS_URL"}
    return wanted | {f"DATABASE_URL_{name.upper()}"}


def systemd_of(name: str) -> dict[str, list[str]]:
    """The lines of a process' unit and of its drop-ins, by key; `%i` is its name."""
    unit = "fittracker-router.service" if name == "router" else "fittracker-subgraph@.service"
    drop_ins = SYSTEMD / unit.replace("@.", f"@{name}.")
    files = [SYSTEMD / unit, *sorted(drop_ins.with_name(f"{drop_ins.name}.d").glob("*.conf"))]
    lines: dict[str, list[str]] = {}
    for file in files:
        for key, value in re.findall(r"^(\w+)=(.*)$", file.read_text(encoding="utf-8"), re.MULTILINE):
            lines.setdefault(key, []).append(value.replace("%i", name))
    return lines


@pytest.mark.parametrize("name", PROCESSES)
def test_systemd_hands_every_secret_to_who_has_to_know_it(name: str, made: set[str]) -> None:
    unit = systemd_of(name)
    credentials = dict(each.split(":", 1) for each in unit["LoadCredential"])
    assert all(Path(file).parent == Path("/etc/fittracker/secrets") for file in credentials.values())
    assert {Path(file).name for file in credentials.values()} <= made
    told = dict(each.split("=", 1) for line in unit["Environment"] for each in line.split())
    for setting in of_process(name, made):
        credential = told[f"{setting}_FILE"].removeprefix("%d/")
        assert Path(credentials[credential]).name == setting.lower()
    others = {setting for setting, whose in ALONE.items() if whose != name}
    assert not {f"{setting}_FILE" for setting in others} & set(told)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", PROCESSES)
def test_compose_hands_every_secret_to_who_has_to_know_it(name: str, made: set[str]) -> None:
    whole = compose()
    service = whole["services"][name]
    for setting in of_process(name, made):
        secret = service["environment"][f"{setting}_FILE"].removeprefix("/run/secrets/")
        assert secret in service["secrets"], setting
        assert whole["secrets"][secret] == {"file": f"secrets/{secret}"}
        assert secret in made
    others = {setting for setting, whose in ALONE.items() if whose != name}
    assert not {f"{setting}_FILE" for setting in others} & set(service["environment"])


def test_the_chart_names_every_secret(made: set[str]) -> None:
    template = (DEPLOY / "kubernetes" / "chart" / "templates" / "subgraphs.yaml").read_text(encoding="utf-8")
    router = (DEPLOY / "kubernetes" / "chart" / "templates" / "_parts.tpl").read_text(encoding="utf-8")
    for name in PROCESSES:
        text = router if name == "router" else template.replace("{{ upper $name }}", name.upper())
        for setting in of_process(name, made):
            assert re.search(rf"name: {setting}(_FILE)?,", text), f"{setting} of {name}"


def test_whatever_else_there_is_to_set_can_be_set() -> None:
    """By a file of variables, or the chart's value for them: a new setting needs no line of these files."""
    for name in SUBGRAPHS:
        assert systemd_of(name)["EnvironmentFile"] == ["-/etc/fittracker/environment"]
        assert compose()["services"][name]["env_file"] == [{"path": ".env", "required": False}]
    template = (DEPLOY / "kubernetes" / "chart" / "templates" / "subgraphs.yaml").read_text(encoding="utf-8")
    assert "range $variable, $value := $root.Values.subgraphEnvironment" in template


def test_what_compose_names_it_does_not_take_away() -> None:
    """A variable that compose hands on by `${NAME:-}` is one of the settings, so a misspelt one is seen."""
    known = {variable.name for variable in variables()}
    text = (DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8")
    for name, given in re.findall(r"^  ([A-Z_]+): \$\{([A-Z_]+):-", text, re.MULTILINE):
        assert name == given
        assert name in known
