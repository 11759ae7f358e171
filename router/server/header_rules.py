"""Which headers of clients go to which subgraph, and which of the subgraphs' come back: the rules of the settings, compiled.

`front_door` collects what the rules may need of a request, `SubgraphHeaders` makes each subgraph's own headers of that, and
`graphql_http` writes what `ResponseHeaders` makes of the answers' headers. Without rules none of it is there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from router.server.header_values import HeaderFields
from router.settings import HeaderRules, RequestHeaderRule, Settings
from router.transport.protocol import (
    CLIENT_ADDRESS,
    DEADLINE_MS,
    REQUEST_ID,
    TOKEN_REFUSED,
    Headers,
    SubgraphAnswer,
    SubgraphRequest,
    SubgraphTransport,
)
from router.transport.subscription_source import SubscriptionSource

#: Names that no header can have: what rules insert from a token or from `connection_init` travels under them.
CLAIM, INIT = ":claim:", ":init:"
MAX_REMEMBERED = 1_024  # sets of headers made for a subgraph
#: Headers that a subgraph gets from the router as it judged them, never as a client sent them.
NOT_OF_CLIENTS = frozenset({b"authorization", TOKEN_REFUSED.encode(), DEADLINE_MS.encode(), CLIENT_ADDRESS.encode()})


class RequestHeaders:
    """What of a request some subgraph may need, by name; `forwarded` are the names that all of them get."""

    def __init__(self, settings: Settings) -> None:
        self._forwarded = frozenset(name.lower() for name in settings.forward_headers)
        rules = [rule for each in settings.headers.every() for rule in each.request]
        self._patterns = [
            re.compile(rule.propagate_matching, re.IGNORECASE) for rule in rules if rule.propagate_matching
        ]
        named = self._forwarded | {rule.propagate.lower() for rule in rules if rule.propagate}
        self._named = frozenset(name.encode("latin-1", "replace") for name in named)
        self._wants_authorization = self._look_up(b"authorization")
        self._claims = sorted({rule.from_claim for rule in rules if rule.from_claim})
        self._init = sorted({rule.from_connection_init for rule in rules if rule.from_connection_init})
        self._inserts = bool(self._claims or self._init)
        self._is_wanted = (
            lru_cache(maxsize=1_024)(self._look_up_of_clients)
            if self._patterns
            else (self._named - NOT_OF_CLIENTS).__contains__
        )

    def wants(self, name: bytes) -> bool:
        """Whether a client's header of that name goes on, as it is or under another name."""
        return self._is_wanted(name)

    def collect(
        self, headers: HeaderFields, authorization: str, claims: Mapping[str, Any], connection_init: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        is_wanted = self._is_wanted
        collected = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.items() if is_wanted(name)
        ]
        if authorization and self._wants_authorization:
            collected.append(("authorization", authorization))
        if not self._inserts:
            return collected
        for prefix, names, source in ((CLAIM, self._claims, claims), (INIT, self._init, connection_init)):
            for inserted in names:
                text = _text_of(source.get(inserted))
                if text is not None:
                    collected.append((prefix + inserted, text))
        return collected

    def _look_up_of_clients(self, name: bytes) -> bool:
        return name not in NOT_OF_CLIENTS and self._look_up(name)

    def _look_up(self, name: bytes) -> bool:
        text = name.decode("latin-1")
        return name in self._named or any(pattern.fullmatch(text) for pattern in self._patterns)


class SubgraphHeaders:
    """A `SubgraphTransport` and a `SubscriptionSource` around others: gives each subgraph the headers that it is to get."""

    def __init__(self, transport: SubgraphTransport, source: SubscriptionSource | None, settings: Settings) -> None:
        self._transport = transport
        self._source = source
        own = {TOKEN_REFUSED, CLIENT_ADDRESS, REQUEST_ID}
        self._forwarded = frozenset(name.lower() for name in settings.forward_headers) | own
        self._settings = settings.headers
        self._made = lru_cache(maxsize=MAX_REMEMBERED)(self._make)

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        return self._transport.send(request.with_headers(self._made(request.subgraph, request.headers)))

    def open(self, request: SubgraphRequest) -> AsyncIterator[dict[str, Any]]:
        assert self._source is not None
        return self._source.open(request.with_headers(self._made(request.subgraph, request.headers)))

    def _make(self, subgraph: str, collected: Headers) -> Headers:
        given = dict(collected)
        made = {name: value for name, value in given.items() if name in self._forwarded}
        for rules in self._settings.of(subgraph):
            for rule in rules.request:
                _apply(rule, given, made)
        return tuple(made.items())


def _apply(rule: RequestHeaderRule, given: Mapping[str, str], made: dict[str, str]) -> None:
    if rule.propagate:
        _put(made, rule.rename or rule.propagate, given.get(rule.propagate.lower(), rule.default))
    elif rule.propagate_matching:
        made.update({name: value for name, value in given.items() if _matches(rule.propagate_matching, name)})
    elif rule.insert:
        _put(made, rule.insert, _inserted(rule, given))
    elif rule.remove:
        made.pop(rule.remove.lower(), None)
    elif rule.remove_matching:
        for name in [name for name in made if _matches(rule.remove_matching, name)]:
            del made[name]


def _inserted(rule: RequestHeaderRule, given: Mapping[str, str]) -> str | None:
    if rule.value is not None:
        return rule.value.get_secret_value()
    source = CLAIM + rule.from_claim if rule.from_claim else INIT + (rule.from_connection_init or "")
    return given.get(source, rule.default)


def _put(made: dict[str, str], name: str, value: str | None) -> None:
    if value is not None:
        made[name.lower()] = value


def _matches(pattern: str, name: str) -> bool:
    return not name.startswith(":") and re.fullmatch(pattern, name, re.IGNORECASE) is not None


def _text_of(value: Any) -> str | None:
    """A claim as a header can carry it: lists with commas, no objects, no control characters."""
    if isinstance(value, list):
        value = ",".join(str(each) for each in value if not isinstance(each, (dict, list)))
    if isinstance(value, bool):
        value = str(value).lower()
    if value is None or isinstance(value, dict):
        return None
    text = str(value)
    return text if text.isprintable() else None


class ResponseHeaders:
    """What clients get of the headers of the answers that a response is made of, in the order in which those came."""

    def __init__(self, headers: HeaderRules) -> None:
        self._headers = headers

    def names_of(self, subgraph: str) -> frozenset[str]:
        """The names to keep of an answer."""
        return frozenset(rule.propagate.lower() for each in self._headers.of(subgraph) for rule in each.response)

    def made_of(self, answered: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
        """`answered` has (subgraph, name, value); the way to join values is that of the first rule for the name."""
        values: dict[str, list[tuple[str, str]]] = {}
        for subgraph, name, value in answered:
            rules = [
                rule for each in self._headers.of(subgraph) for rule in each.response if rule.propagate.lower() == name
            ]
            if rules:
                rule = rules[-1]
                values.setdefault((rule.rename or name).lower(), []).append((rule.algorithm, value))
        for name, found in values.items():
            algorithm = found[0][0]
            own = [value for _, value in found]
            if algorithm == "all":
                yield from ((name, value) for value in own)
            else:
                yield name, {"first": own[0], "last": own[-1]}.get(algorithm, ", ".join(own))


def aggregated_cache_control(values: Iterable[str]) -> str:
    """What all answers allow: the least `max-age`, private if one is; `no-store` if one says so or nothing (RFC 9111, 5.2.2)."""
    least: int | None = None
    is_private = False
    for value in values:
        directives = {part.strip().lower() for part in value.split(",")}
        ages = [int(each[8:]) for each in directives if each.startswith("max-age=") and each[8:].isdigit()]
        if not ages or directives & {"no-store", "no-cache"}:
            return "no-store"
        is_private = is_private or "private" in directives
        least = min([*ages, *([] if least is None else [least])])
    if least is None:
        return "no-store"
    return f"max-age={least}, {'private' if is_private else 'public'}"
