"""The front end of tests/e2e/clients/kotlin, which is compiled against Apollo Kotlin's runtime from Maven's jars."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "e2e" / "clients" / "kotlin"
_BUILD = SOURCES / "build"
_COMPILER = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
INSTALL_SECONDS = 240


def compiled_kotlin_client() -> list[str]:
    """The command that starts it, but for its arguments. Compiles it if its source or its jars are newer than that.

    Skips the test where there is no Java or Maven.
    """
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}, to run a client in Kotlin")
    libraries, classes, done = _BUILD / "libs", _BUILD / "classes", _BUILD / "compiled"
    pom, source = SOURCES / "pom.xml", SOURCES / "SessionClient.kt"
    if not done.exists() or done.stat().st_mtime < max(pom.stat().st_mtime, source.stat().st_mtime):
        shutil.rmtree(_BUILD, ignore_errors=True)
        _run("mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={libraries}")
        class_path = os.pathsep.join(str(jar) for jar in sorted(libraries.glob("*.jar")))
        _run(
            "java", "-cp", class_path, _COMPILER, "-no-stdlib", "-no-reflect", "-cp", class_path, "-d", str(classes),
            str(source),
        )  # fmt: skip
        done.touch()
    return ["java", "-Xmx128m", "-cp", f"{classes}{os.pathsep}{libraries}/*", "SessionClientKt"]


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
