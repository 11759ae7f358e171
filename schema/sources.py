"""Where subgraphs come from: SDL files, running services, Strawberry schemas, or a supergraph.yaml that lists them.

Both command lines read them here. What cannot be had is said in one sentence.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from schema.subgraph import SubgraphSource


class SourceError(Exception):
    """A subgraph that cannot be had; `hint` says what may help."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


_SDL_QUERY = b'{"query":"{ _service { sdl } }"}'
_FETCH_TIMEOUT_SECONDS = 10.0
_PLACEHOLDER = re.compile(r"\$\{(?:env\.)?([A-Za-z_][A-Za-z0-9_]*)\}")
_SDL_SUFFIXES = (".graphql", ".graphqls", ".gql")
_PYTHON = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")


@dataclass(frozen=True, slots=True)
class DeclaredSource:
    """A subgraph as it was named, not yet read: one of `sdl`, `file`, `address` and `python` says where its SDL is."""

    name: str
    url: str = ""  # where the router reaches it
    sdl: str | None = None
    file: Path | None = None
    address: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    python: str = ""

    def read(self) -> SubgraphSource:
        """Raises SourceError."""
        return SubgraphSource(name=self.name, sdl=self._read_sdl(), url=self.url)

    def _read_sdl(self) -> str:
        if self.sdl is not None:
            return self.sdl
        if self.file is not None:
            return _read_file(self.name, self.file)
        if self.address:
            return fetch_sdl(self.name, self.address, self.headers)
        return _sdl_of_python(self.name, self.python)


def read_sources(arguments: list[str]) -> list[SubgraphSource]:
    """The subgraphs that `arguments` name. Raises SourceError."""
    return [source.read() for source in declared_sources(arguments)]


def declared_sources(arguments: list[str]) -> list[DeclaredSource]:
    """In any mix: `products.graphql`, `products=any.graphql`, `products=http://…/graphql`, `shop.products.schema:schema`,
    `products=package.module:schema`, `products=http://…/graphql=any.graphql` (reached there, read here),
    `supergraph.yaml`. Raises SourceError.
    """
    sources: list[DeclaredSource] = []
    for argument in arguments:
        if is_configuration(argument):
            sources += _read_configuration(Path(argument))
            continue
        name, separator, place = argument.partition("=")
        if not separator:
            if "://" in argument:
                raise SourceError(f"{argument}: a URL needs a name", f"write NAME={argument}")
            name, place = _name_of_module(argument) if _is_python(argument) else Path(argument).stem, argument
        sources.append(_declared(name, place))
    return sources


def is_configuration(argument: str) -> bool:
    """Whether it names a supergraph.yaml."""
    return argument.endswith((".yaml", ".yml"))


def fetch_sdl(name: str, url: str, headers: Mapping[str, str] | None = None) -> str:
    """What the subgraph says its SDL is. Raises SourceError."""
    if not url.startswith(("http://", "https://")):
        raise SourceError(f"subgraph {name}: {url} is neither http:// nor https://")
    sent = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, _SDL_QUERY, sent)  # noqa: S310 - see above
    try:
        with urllib.request.urlopen(request, timeout=_FETCH_TIMEOUT_SECONDS) as response:  # noqa: S310 - see above  # nosec B310
            body = response.read()
    except urllib.error.HTTPError as error:
        raise SourceError(f"subgraph {name}: {url} gives no SDL: HTTP {error.code}{_errors_in(error.read())}") from None
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise SourceError(f"subgraph {name}: {url} cannot be reached: {reason}") from None
    try:
        return str(json.loads(body)["data"]["_service"]["sdl"])
    except ValueError:
        raise SourceError(f"subgraph {name}: {url} gives no SDL: its answer is no JSON") from None
    except (KeyError, TypeError):
        raise SourceError(
            f"subgraph {name}: {url} gives no SDL{_errors_in(body) or ': it answers without _service.sdl'}",
            "is it a federation subgraph, and may it be asked for its schema?",
        ) from None


def _errors_in(body: bytes) -> str:
    """The messages of a GraphQL answer, to be added to a sentence."""
    try:
        messages = [str(error["message"]) for error in json.loads(body)["errors"]]
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {'; '.join(messages)[:300]}"


def _declared(name: str, place: str) -> DeclaredSource:
    url, separator, file = place.rpartition("=")
    if separator and "://" in url and (file.endswith(_SDL_SUFFIXES) or Path(file).exists()):
        return DeclaredSource(name, url=url, file=Path(file))
    if "://" in place:
        return DeclaredSource(name, url=place, address=place)
    if _is_python(place):
        return DeclaredSource(name, python=place)
    return DeclaredSource(name, file=Path(place))


# -- Python ------------------------------------------------------------------------------------------------------------


def _is_python(place: str) -> bool:
    return _PYTHON.match(place) is not None and not Path(place).exists()


def _name_of_module(place: str) -> str:
    """`products` for `shop.products.schema:schema`: the last part of the module that is not "schema"."""
    parts = [part for part in place.partition(":")[0].split(".") if part != "schema"] or ["schema"]
    return parts[-1]


def _sdl_of_python(name: str, place: str) -> str:
    """`module:attribute`, found as Python finds modules, from the current directory first."""
    module_name, _, path = place.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise SourceError(f"subgraph {name}: there is no module {error.name}, which {place} needs") from None
    except Exception as error:
        raise SourceError(
            f"subgraph {name}: the module {module_name} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    for attribute in path.split("."):
        found = getattr(found, attribute, None)
        if found is None:
            raise SourceError(f"subgraph {name}: the module {module_name} has no {path}")
    printer = getattr(found, "as_str", None)
    if not callable(printer):
        raise SourceError(
            f"subgraph {name}: {place} is no Strawberry schema but of type {type(found).__name__}",
            "name a strawberry.federation.Schema",
        )
    return str(printer())


# -- supergraph.yaml ---------------------------------------------------------------------------------------------------


def _read_configuration(file: Path) -> list[DeclaredSource]:
    """The form that rover reads: `subgraphs: {NAME: {routing_url, schema: {file | subgraph_url | sdl}}}`."""
    try:
        configuration = yaml.safe_load(_PLACEHOLDER.sub(_from_environment, file.read_text(encoding="utf-8")))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(file)
        raise SourceError(f"{place} is not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise SourceError(f"{file} is not YAML: {error}") from None
    except UnicodeDecodeError:
        raise SourceError(f"{file} is not UTF-8 text") from None
    subgraphs = configuration.get("subgraphs") if isinstance(configuration, dict) else None
    if not isinstance(subgraphs, dict) or not subgraphs:
        raise SourceError(f"{file} has no `subgraphs`")
    return [_read_configured(file, str(name), entry) for name, entry in subgraphs.items()]


def _from_environment(found: re.Match[str]) -> str:
    if found[1] not in os.environ:
        raise SourceError(f"{found[0]}: the environment variable {found[1]} is not set")
    return os.environ[found[1]]


def _read_configured(file: Path, name: str, entry: object) -> DeclaredSource:
    schema = entry.get("schema") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(schema, dict):
        raise SourceError(f"{file}: subgraphs.{name} has no `schema`")
    url = str(entry.get("routing_url") or "")
    if "sdl" in schema:
        return DeclaredSource(name, url, sdl=str(schema["sdl"]))
    if "file" in schema:
        return DeclaredSource(name, url, file=file.parent / str(schema["file"]))
    if "subgraph_url" in schema:
        address = str(schema["subgraph_url"])
        headers = schema.get("introspection_headers") or {}
        sent = {str(header): str(value) for header, value in headers.items()}
        return DeclaredSource(name, url or address, address=address, headers=sent)
    if "graphref" in schema:
        raise SourceError(f"{file}: subgraphs.{name}.schema is in a registry, which is not asked here")
    raise SourceError(f"{file}: subgraphs.{name}.schema needs one of `file`, `subgraph_url` and `sdl`")


def _read_file(name: str, file: Path) -> str:
    try:
        sdl = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SourceError(
            f"subgraph {name}: {file}: {(error.strerror or 'cannot be read').lower()}",
            None if file.suffix in _SDL_SUFFIXES else "a Strawberry schema is named by package.module:attribute",
        ) from None
    except UnicodeDecodeError:
        raise SourceError(f"subgraph {name}: {file} is not UTF-8 text") from None
    if not sdl.strip():
        raise SourceError(f"subgraph {name}: {file} is empty")
    return sdl
