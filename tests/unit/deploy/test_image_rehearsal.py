"""What the images rehearsal reads of the Dockerfile and the compose files, without running them."""

import shutil
import subprocess
from pathlib import Path

from deploy.rehearsals.compose_file import services
from deploy.rehearsals.compose_stack import OURS
from deploy.rehearsals.image_root import Image, copied_into, instructions

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "deploy" / "compose"


def compose_folder(tmp_path: Path) -> Path:
    for file in COMPOSE.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def test_the_files_are_merged_and_variables_put_in(tmp_path: Path) -> None:
    folder = compose_folder(tmp_path)
    (folder / ".env").write_text("# a comment\nLOG_LEVEL=DEBUG\nMAIL_FROM=\n")
    found = services(folder)
    users = found["users"]
    assert users["environment"]["LOG_LEVEL"] == "DEBUG"
    assert users["environment"]["FITTRACKER_ENV"] == "prod"
    assert users["read_only"]
    assert users["restart"] == "unless-stopped"
    assert found["postgres"]["entrypoint"][2].endswith('"$@"')


def test_each_service_of_ours_has_limits_of_memory_and_processes(tmp_path: Path) -> None:
    found = services(compose_folder(tmp_path))
    for name in OURS:
        if name != "migrate":
            assert {"memory", "pids"} <= found[name]["deploy"]["resources"]["limits"].keys(), name


def test_lines_that_go_on_are_one_instruction() -> None:
    assert instructions("# said\nFROM a AS b\nRUN one \\\n && two\n\nUSER 1:2\n") == [
        ("FROM", "a AS b"),
        ("RUN", "one   && two"),
        ("USER", "1:2"),
    ]


def test_what_dockerignore_names_is_not_copied(tmp_path: Path) -> None:
    context, root = tmp_path / "context", tmp_path / "root"
    for name in ("deploy/compose/secrets/jwt_secret", "deploy/compose/.env", "deploy/compose/router.yaml"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text("a secret")
    shutil.copy(ROOT / ".dockerignore", context)
    root.mkdir()
    copied_into(Image(root, workdir="/build"), "deploy deploy", context, {})
    listed = subprocess.run(["find", ".", "-type", "f"], cwd=root, capture_output=True, text=True, check=True)
    assert listed.stdout.split() == ["./build/deploy/compose/router.yaml"]
