"""What the pages for development offer: settings of the product whose graph this is, and its sample operations.

`settings` has them as `workbench` and `console`; `server.graphiql_page` and `server.console` hand them to their pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import Field

from router.settings_section import Section

MAX_SAMPLES = 200
MAX_SAMPLE_BYTES = 100_000


class Person(Section):
    """Somebody made up, whose secret may stand in a configuration file: served in development only."""

    name: str
    note: str = ""
    variables: Mapping[str, Any] = Field(default_factory=dict)


class SignIn(Section):
    """An operation that answers with a token. `token` is the token's place in its data, such as `login.accessToken`."""

    operation: str
    token: str
    header: str = "authorization"
    prefix: str = "Bearer "
    people: tuple[Person, ...] = ()


class Link(Section):
    title: str
    url: str


class Site(Section):
    """A front end beside the graph: `folder` holds its built files, `index.html` among them, each as it is or gzipped with
    `.gz` behind its name. It is served under `path` in development only.
    """

    path: str = Field(pattern=r"^/[a-z][a-z0-9-]{0,39}$")
    folder: Path


class Workbench(Section):
    """`samples` is a folder of `.graphql` files, each with a `.json` of its name beside it where it has variables. A
    file's first comment line is `# Feature: title`, the further ones describe it.
    """

    title: str = "GraphiQL"
    description: str = ""
    sign_in: SignIn | None = None
    samples: Path | None = None
    links: tuple[Link, ...] = ()
    sites: tuple[Site, ...] = ()


class PanelProvider(Section):
    """`provider` is `package.module:name` of what makes a `router.server.console_panels.Panels` from the arguments."""

    provider: str
    arguments: Mapping[str, Any] = Field(default_factory=dict)


class Console(Section):
    """`enabled` None: as `dev`."""

    enabled: bool | None = None
    panels: tuple[PanelProvider, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """`feature` groups samples on the page."""

    feature: str
    title: str
    description: str
    operation: str
    variables: str = ""


def read_samples(folder: Path) -> list[Sample]:
    """In the order of the file names, at most MAX_SAMPLES. Raises OSError, ValueError for a file that is not one."""
    files = sorted(folder.glob("*.graphql"))[:MAX_SAMPLES]
    return [_read_sample(file) for file in files]


def _read_sample(file: Path) -> Sample:
    text = file.read_text(encoding="utf-8")
    if len(text) > MAX_SAMPLE_BYTES:
        raise ValueError(f"{file} is longer than a sample may be")
    head = list(_comment_lines(text))
    feature, separator, title = head[0].partition(": ") if head else ("", "", "")
    if not separator:
        raise ValueError(f"{file} must begin with a comment '# Feature: title'")
    operation = "\n".join(text.splitlines()[len(head) :]).strip() + "\n"
    values = file.with_suffix(".json")
    variables = values.read_text(encoding="utf-8").strip() if values.exists() else ""
    if variables:
        orjson.loads(variables)  # JSONDecodeError is a ValueError
    return Sample(feature, title, " ".join(head[1:]), operation, variables)


def _comment_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.startswith("#"):
            return
        yield line.removeprefix("#").strip()
