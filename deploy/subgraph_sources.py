"""Where subgraphs come from: SDL files, running services, Strawberry schemas, or a supergraph.yaml that lists them.

Called by `composition`; hands `SubgraphSource`s to `schema.compose`, or says in one sentence why one cannot be had.
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
from pathlib import Path
from typing import Any

import yaml

from deploy.errors import FriendlyError
from schema.subgraph import SubgraphSource

_SDL_QUERY = b'{"query":"{ _service { sdl } }"}'
_FETCH_TIMEOUT_SECONDS = 10.0
_PLACEHOLDER = re.compile(r"\$\{(?:env\.)?([A-Za-z_][A-Za-z0-9_]*)\}")
_PYTHON = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")


def read_sources(arguments: list[str]) -> list[SubgraphSource]:
    """In any mix: `products.graphql`, `products=any.graphql`, `products=http://…/graphql`, `products=package.module:schema`,
    `supergraph.yaml`. Raises FriendlyError.
    """
    sources: list[SubgraphSource] = []
    for argument in arguments:
        if argument.endswith((".yaml", ".yml")):
            sources += _read_configuration(Path(argument))
            continue
        name, separator, place = argument.partition("=")
        if not separator:
            name, place = Path(argument).stem, argument
            if "://" in argument or _is_python(argument):
                kind = "URL" if "://" in argument else "Python schema"
                raise FriendlyError(f"{argument}: a {kind} needs a name", f"write NAME={argument}")
        sources.append(_read_source(name, place))
    return sources


def fetch_sdl(name: str, url: str, headers: Mapping[str, str] | None = None) -> str:
    """What the subgraph says its SDL is. Raises FriendlyError."""
    if not url.startswith(("http://", "https://")):
        raise FriendlyError(f"subgraph {name}: {url} is neither http:// nor https://")
    sent = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, _SDL_QUERY, sent)  # noqa: S310 - see above
    try:
        with urllib.request.urlopen(request, timeout=_FETCH_TIMEOUT_SECONDS) as response:  # noqa: S310 - see above
            body = response.read()
    except urllib.error.HTTPError as error:
        raise FriendlyError(
            f"subgraph {name}: {url} gives no SDL: HTTP {error.code}{_errors_in(error.read())}"
        ) from None
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise FriendlyError(f"subgraph {name}: {url} cannot be reached: {reason}") from None
    try:
        return str(json.loads(body)["data"]["_service"]["sdl"])
    except ValueError:
        raise FriendlyError(f"subgraph {name}: {url} gives no SDL: its answer is no JSON") from None
    except (KeyError, TypeError):
        raise FriendlyError(
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


def _read_source(name: str, place: str) -> SubgraphSource:
    if "://" in place:
        return SubgraphSource(name=name, sdl=fetch_sdl(name, place), url=place)
    if _is_python(place):
        return SubgraphSource(name=name, sdl=_sdl_of_python(name, place), url="")
    return SubgraphSource(name=name, sdl=_read_file(name, Path(place)), url="")


# -- Python ------------------------------------------------------------------------------------------------------------


def _is_python(place: str) -> bool:
    return _PYTHON.match(place) is not None and not Path(place).exists()


def _sdl_of_python(name: str, place: str) -> str:
    """`module:attribute`, found as Python finds modules, from the current directory first."""
    module_name, _, path = place.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise FriendlyError(f"subgraph {name}: there is no module {error.name}, which {place} needs") from None
    except Exception as error:
        raise FriendlyError(
            f"subgraph {name}: the module {module_name} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    for attribute in path.split("."):
        found = getattr(found, attribute, None)
        if found is None:
            raise FriendlyError(f"subgraph {name}: the module {module_name} has no {path}")
    printer = getattr(found, "as_str", None)
    if not callable(printer):
        raise FriendlyError(
            f"subgraph {name}: {place} is no Strawberry schema but of type {type(found).__name__}",
            "name a strawberry.federation.Schema",
        )
    return str(printer())


# -- supergraph.yaml ---------------------------------------------------------------------------------------------------


def _read_configuration(file: Path) -> list[SubgraphSource]:
    """The form that rover reads: `subgraphs: {NAME: {routing_url, schema: {file | subgraph_url | sdl}}}`."""
    try:
        configuration = yaml.safe_load(_PLACEHOLDER.sub(_from_environment, file.read_text(encoding="utf-8")))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(file)
        raise FriendlyError(f"{place} is not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise FriendlyError(f"{file} is not YAML: {error}") from None
    except UnicodeDecodeError:
        raise FriendlyError(f"{file} is not UTF-8 text") from None
    subgraphs = configuration.get("subgraphs") if isinstance(configuration, dict) else None
    if not isinstance(subgraphs, dict) or not subgraphs:
        raise FriendlyError(f"{file} has no `subgraphs`")
    return [_read_configured(file, str(name), entry) for name, entry in subgraphs.items()]


def _from_environment(found: re.Match[str]) -> str:
    if found[1] not in os.environ:
        raise FriendlyError(f"{found[0]}: the environment variable {found[1]} is not set")
    return os.environ[found[1]]


def _read_configured(file: Path, name: str, entry: object) -> SubgraphSource:
    schema = entry.get("schema") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(schema, dict):
        raise FriendlyError(f"{file}: subgraphs.{name} has no `schema`")
    url = str(entry.get("routing_url") or "")
    if "sdl" in schema:
        return SubgraphSource(name=name, sdl=str(schema["sdl"]), url=url)
    if "file" in schema:
        return SubgraphSource(name=name, sdl=_read_file(name, file.parent / str(schema["file"])), url=url)
    if "subgraph_url" in schema:
        place = str(schema["subgraph_url"])
        headers = schema.get("introspection_headers") or {}
        sdl = fetch_sdl(name, place, {str(header): str(value) for header, value in headers.items()})
        return SubgraphSource(name=name, sdl=sdl, url=url or place)
    if "graphref" in schema:
        raise FriendlyError(f"{file}: subgraphs.{name}.schema is in a registry, which is not asked here")
    raise FriendlyError(f"{file}: subgraphs.{name}.schema needs one of `file`, `subgraph_url` and `sdl`")


def _read_file(name: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise FriendlyError(f"subgraph {name}: {file}: {(error.strerror or 'cannot be read').lower()}") from None
    except UnicodeDecodeError:
        raise FriendlyError(f"subgraph {name}: {file} is not UTF-8 text") from None
