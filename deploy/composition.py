"""Brings subgraphs to `schema.compose` from files, URLs or a supergraph.yaml, and tells its findings.

Used by `fittracker compose`, by `prepare` before a start and by `dev_loop` on change.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from deploy.errors import FriendlyError
from deploy.terminal import Terminal
from schema.codes import CODES, Finding, Level
from schema.compose import Composition, compose
from schema.subgraph import SubgraphSource

_SDL_QUERY = b'{"query":"{ _service { sdl } }"}'
_FETCH_TIMEOUT_SECONDS = 10.0
_PLACEHOLDER = re.compile(r"\$\{(?:env\.)?([A-Za-z_][A-Za-z0-9_]*)\}")


class CompositionFailedError(FriendlyError):
    """The subgraphs do not fit together; the message lists every error with its code."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        listed = list(findings)
        super().__init__(
            "the subgraphs do not compose\n" + "\n".join(f"  {finding}" for finding in listed),
            f"`fittracker explain {listed[0].code}` says what it means" if listed else None,
        )
        self.findings = tuple(listed)


def compose_sources(sources: list[str], output: Path | None, terminal: Terminal) -> None:
    """What `fittracker compose` does. Raises FriendlyError, CompositionFailedError."""
    composition = compose(read_sources(sources))
    for hint in composition.hints:
        terminal.errors.print(f"hint: {hint}", style="dim")
    sdl = supergraph_of(composition)
    if output is None:
        print(sdl, end="")
    else:
        write_whole(output, sdl)
        terminal.say(f"{output}: {len(sdl):,} bytes, {len(composition.hints)} hints")


def supergraph_of(composition: Composition) -> str:
    """Raises CompositionFailedError."""
    if composition.supergraph_sdl is None:
        raise CompositionFailedError(composition.errors)
    return composition.supergraph_sdl


def write_whole(file: Path, text: str) -> None:
    """Readers see the old text or the new one, never half of it; an unchanged file is not touched."""
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return
    partial = file.with_name(f".{file.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


def read_sources(arguments: list[str]) -> list[SubgraphSource]:
    """`products.graphql`, `products=any.graphql`, `products=http://…/graphql`, `supergraph.yaml`; in any mix."""
    sources: list[SubgraphSource] = []
    for argument in arguments:
        if argument.endswith((".yaml", ".yml")):
            sources += _read_configuration(Path(argument))
            continue
        name, separator, place = argument.partition("=")
        if not separator:
            name, place = Path(argument).stem, argument
            if "://" in argument:
                raise FriendlyError(f"{argument}: a URL needs a name", f"write NAME={argument}")
        sources.append(_read_source(name, place))
    return sources


def fetch_sdl(name: str, url: str) -> str:
    """What the subgraph says its SDL is. Raises FriendlyError."""
    if not url.startswith(("http://", "https://")):
        raise FriendlyError(f"subgraph {name}: {url} is neither http:// nor https://")
    request = urllib.request.Request(url, _SDL_QUERY, {"Content-Type": "application/json"})  # noqa: S310 - see above
    try:
        with urllib.request.urlopen(request, timeout=_FETCH_TIMEOUT_SECONDS) as response:  # noqa: S310 - see above
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        raise FriendlyError(f"subgraph {name}: {url} gives no SDL: HTTP {error.code}") from None
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise FriendlyError(f"subgraph {name}: {url} gives no SDL: {reason}") from None
    try:
        return str(answer["data"]["_service"]["sdl"])
    except (KeyError, TypeError):
        told = json.dumps(answer.get("errors", answer) if isinstance(answer, dict) else answer)[:300]
        raise FriendlyError(f"subgraph {name}: {url} gives no SDL: {told}") from None


def explain_code(code: str | None, terminal: Terminal) -> None:
    """Raises FriendlyError for a code nobody gives."""
    if code is None:
        for each in sorted(CODES.values(), key=lambda each: (each.level is Level.HINT, each.code)):
            terminal.say(f"{each.level.value:5}  [bold]{each.code}[/bold]")
        return
    known = CODES.get(code.upper())
    if known is None:
        raise FriendlyError(f"no error or hint is called {code}", "`fittracker explain` lists them")
    terminal.say(f"[bold]{known.code}[/bold] ({known.level.value})")
    terminal.console.print(known.meaning, markup=False)


def _read_source(name: str, place: str) -> SubgraphSource:
    if "://" in place:
        return SubgraphSource(name=name, sdl=fetch_sdl(name, place), url=place)
    return SubgraphSource(name=name, sdl=_read_file(name, Path(place)), url="")


def _read_configuration(file: Path) -> list[SubgraphSource]:
    """The form that rover reads: `subgraphs: {NAME: {routing_url, schema: {file | subgraph_url | sdl}}}`."""
    import os

    try:
        text = _PLACEHOLDER.sub(lambda found: os.environ.get(found[1], found[0]), file.read_text(encoding="utf-8"))
        configuration = yaml.safe_load(text)
        subgraphs: dict[str, dict[str, Any]] = configuration["subgraphs"]
        return [_read_configured(file.parent, name, each) for name, each in subgraphs.items()]
    except yaml.YAMLError as error:
        raise FriendlyError(f"{file} is not YAML: {error}") from None
    except (KeyError, TypeError, AttributeError):
        raise FriendlyError(
            f"{file} needs `subgraphs`, and there each name a `schema` with `file`, `subgraph_url` or `sdl`"
        ) from None


def _read_configured(folder: Path, name: str, entry: dict[str, Any]) -> SubgraphSource:
    schema = entry["schema"]
    url = entry.get("routing_url", "")
    if "sdl" in schema:
        return SubgraphSource(name=name, sdl=schema["sdl"], url=url)
    if "file" in schema:
        return SubgraphSource(name=name, sdl=_read_file(name, folder / schema["file"]), url=url)
    place = schema["subgraph_url"]
    return SubgraphSource(name=name, sdl=fetch_sdl(name, place), url=url or place)


def _read_file(name: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise FriendlyError(f"subgraph {name}: {file}: {(error.strerror or 'cannot be read').lower()}") from None
    except UnicodeDecodeError:
        raise FriendlyError(f"subgraph {name}: {file} is not UTF-8 text") from None
