"""What the stack starts for subgraphs and the router: which libraries it loads, and what it says where it cannot start."""

import os
import subprocess
import sys

import pytest

_EXTRAS = ("pygments", "rich")
#: Of a process that serves, with settings that ask for none of these: they would be megabytes in each.
_NOT_LOADED = {
    "router.server.app": ("aiokafka", "asyncpg", "deploy.stack", "google.protobuf", "sqlalchemy", "typer", *_EXTRAS),
    "subgraphs.nutrition.app": ("aiohttp", "alembic", "deploy.stack", "google.protobuf", "psutil", "typer", *_EXTRAS),
    "subgraphs.analytics.app": ("psutil", "pydantic", *_EXTRAS),
}


@pytest.mark.parametrize("application", _NOT_LOADED)
def test_a_process_loads_no_library_for_what_its_settings_leave_off(application: str) -> None:
    program = f"""
import sys, deploy.loading, deploy.served
deploy.loading.load_without_extras()
import {application}
print(*sys.modules)
"""
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(loaded.stdout.split()).isdisjoint(_NOT_LOADED[application])


def test_what_a_library_was_loaded_without_can_be_imported_afterwards() -> None:
    program = """
from deploy.loading import load_without_extras
load_without_extras()
import opentelemetry.sdk.metrics, rich, structlog
print(structlog.dev.rich, rich.__name__)
"""
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == ["None", "rich"]


def test_what_is_loaded_already_is_not_hidden() -> None:
    program = """
import rich
from deploy.loading import load_without_extras
load_without_extras()
import structlog
print(structlog.dev.rich is rich)
"""
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout == "True\n"


def test_what_keeps_it_from_starting_is_a_sentence() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "JWT_SECRET"}
    command = [sys.executable, "-m", "deploy.served", "subgraph", "users"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 1
    assert "JWT_SECRET must be set" in ended.stderr
    assert "Traceback" not in ended.stderr
