"""One fetch of a plan: its request, pre-encoded when the plan is compiled, and what becomes of the answer.

`execute` runs fetches in the plan's order: `begin` sends, `finish` merges. Both are plain synchronous code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

import msgspec
import orjson

from router.errors import (
    ErrorEntry,
    SubgraphError,
    SubgraphHttpError,
    SubgraphMalformedError,
    SubgraphResponseTooLargeError,
    json_kind,
)
from router.exact_json import dumps
from router.executor.merge import copy_tree, merge_object, rename_keys, with_renamed_keys
from router.executor.object_path import ClientPath, drop_odd_type_names, positions_at
from router.executor.projection import holds
from router.executor.repeated_objects import ReadAnswer, RepeatedObjects
from router.executor.representations import Collected, KnownObjects, RepresentationCollector, Target
from router.executor.response_size import (
    DEFAULT_FETCHED_BYTES,
    DEFAULT_RESPONSE_BYTES,
    Destination,
    Occurrences,
    ResponseKeys,
    way_of,
)
from router.executor.sharing import NEVER_SHARED, response_keys_of
from router.executor.subgraph_errors import ClientErrors
from router.query_plan import EntityLookup, KeyRename, Path
from router.selection_set import Field, SelectionSet
from router.transport.graphql_result import graphql_result
from router.transport.protocol import Headers, SubgraphAnswer, SubgraphRequest, SubgraphTransport
from router.uploaded_file import files_in
from router.weak_key import WeakKey

Tree = dict[str, Any]

MAX_ERROR_POSITIONS = 100  # a failed entity may stand in thousands of places of the answer


class KeptAnswers(Protocol):
    """Answers that need not be asked for. Both are None where the subgraph has to be asked in the ordinary way."""

    def of_root(self, fetch: RootFetch, execution: Execution) -> asyncio.Future[SubgraphAnswer] | None: ...

    def of_entities(
        self, step: EntityFetchStep, execution: Execution, collected: list[Collected], variables: Tree
    ) -> asyncio.Future[SubgraphAnswer] | None: ...


class Execution(msgspec.Struct):  # made for every request, in C: as a dataclass it would cost seven times as much
    """Everything that belongs to one request while its plan runs."""

    transport: SubgraphTransport
    variables: Tree
    tree: Tree = {}
    errors: list[ErrorEntry] = []
    headers: Headers = ()
    has_files: bool = False  # among the variables
    known_objects: KnownObjects = {}
    cache_controls: list[str] = []  # of all answers, "" where a subgraph sent none
    answer_headers: list[tuple[str, str, str]] = []  # subgraph, name, value: those kept
    #: told of what was not asked for because it was kept: subgraph, type, how many
    note_kept: Callable[[str, str, int], None] | None = None
    #: authorization's last word: makes null in the tree what the caller may not see, and tells where it did
    withhold: Callable[[Tree, Tree], list[ErrorEntry]] | None = None
    kept: KeptAnswers | None = None
    max_response_bytes: int = DEFAULT_RESPONSE_BYTES
    max_fetched_bytes: int = DEFAULT_FETCHED_BYTES  # of all answers together
    fetched_bytes: int = 0  # so far
    rest_of: ResponseKeys = ()  # the streamed list of which the tree has what comes later
    is_cut: bool = False  # whether lists are streamed, so that this tree and others have objects in common
    spread_bytes: int = 0  # at most so much of the response comes from the answers so far
    occurrences: Occurrences | None = None  # none while every object stands in one place
    #: the client's for those response keys of the plan's operation that are not (`loaded_graph`)
    names: Mapping[str, str] = {}

    def note(self, subgraph: str, answer: SubgraphAnswer, places: int = 1) -> None:
        """Counts an answer whose data will stand in at most so many places of the response. Raises
        SubgraphResponseTooLargeError for the answer that makes all of them too large.
        """
        size = len(answer.body)
        if self.fetched_bytes + size > self.max_fetched_bytes:  # it is let go, and a smaller one may still come
            message = (
                f"With this subgraph's answer, all answers together are larger than {self.max_fetched_bytes} bytes."
            )
            raise SubgraphResponseTooLargeError(message, subgraph)
        self.fetched_bytes += size
        self.spread_bytes += size * places
        self.cache_controls.append(answer.cache_control)
        if answer.headers:  # most settings keep none
            self.answer_headers.extend((subgraph, name, value) for name, value in answer.headers)

    def read_repeated(self, repeated: RepeatedObjects, answer: SubgraphAnswer) -> ReadAnswer | None:
        """The answer, objects of one text in it one object; None where it has to be read in the ordinary way."""
        found = repeated.read(answer, self.occurrences) if not self.is_cut else None
        if found is not None:
            self.occurrences = found.occurrences
        return found

    def know(self, found: Mapping[Path, list[Tree]]) -> None:
        """All objects at shared paths, which nobody has to look for."""
        for path, objects in found.items():
            self.known_objects.setdefault(path, objects)

    def is_copied_above(self, path: Path) -> bool:
        """Whether the objects at the path are copies that lack some of their fields: those above the rest of a list."""
        keys = response_keys_of(path)
        return keys != self.rest_of and keys == self.rest_of[: len(keys)]

    def known_occurrences(self) -> Occurrences:
        if self.occurrences is None:
            self.occurrences = Occurrences()
        return self.occurrences

    def may_outgrow(self) -> bool:
        """Whether the response can be too large: it is worth weighing only then. Where nothing is repeated, writing it takes what
        was fetched.
        """
        return self.spread_bytes > max(self.max_response_bytes, self.fetched_bytes)

    def finish(self) -> None:
        """After the last fetch, before anything is projected."""
        if self.withhold is not None:
            drop_odd_type_names(self.tree)
            self.errors.extend(self.withhold(self.tree, self.variables))


class RootFetch:
    """A root operation; its data is merged into the root of the tree."""

    def __init__(
        self,
        subgraph: str,
        url: str,
        query: str,
        variable_names: Iterable[str],
        renames: tuple[KeyRename, ...],
        selections: SelectionSet,
        is_query: bool,
        client_errors: ClientErrors,
        *,
        is_exact: bool = True,
        repeated: RepeatedObjects | None = None,
    ) -> None:
        self.key = WeakKey()
        self.subgraph = subgraph
        self.url = url
        self.query = query
        self._prefix = request_prefix(query)
        self.variable_names = tuple(variable_names)
        #: where there are no variables: all of it is the same each time
        self._body = None if self.variable_names else self._prefix + b"}}"
        self._renames = renames
        self.selections = selections
        self.is_query = is_query
        self._client_errors = client_errors
        self._is_exact = is_exact
        self._repeated = repeated

    def begin(self, execution: Execution) -> asyncio.Future[SubgraphAnswer]:
        if execution.kept is not None and self.is_query:
            answer = execution.kept.of_root(self, execution)
            if answer is not None:
                return answer
        return execution.transport.send(self.request(execution))

    def request(self, execution: Execution) -> SubgraphRequest:
        body = self._body
        if body is None:
            body = self._prefix + encode_variables(self.variable_names, execution.variables) + b"}}"
        request = SubgraphRequest(self.subgraph, self.url, body, execution.headers, self.is_query)
        return with_files(request, self.variable_names, execution.variables) if execution.has_files else request

    async def complete(self, execution: Execution, pending: asyncio.Future[SubgraphAnswer]) -> None:
        try:
            answer = await pending
            execution.note(self.subgraph, answer)
            self._read(execution, answer)
        except SubgraphError as error:
            self.fail(execution, error)

    def _read(self, execution: Execution, answer: SubgraphAnswer) -> None:
        read = execution.read_repeated(self._repeated, answer) if self._repeated is not None else None
        if read is None:
            self.merge(execution, decode_answer(self.subgraph, answer, is_exact=self._is_exact))
            return
        self.merge(execution, read.payload)
        data = read.payload["data"] or {}
        # what is in the tree as it was read, and not merged with what was there before
        execution.know(
            {path: each for path, each in read.found.items() if execution.tree.get(path[0]) is data.get(path[0])}
        )

    def run(self, execution: Execution) -> Coroutine[Any, Any, None]:
        """Sends before anybody awaits it."""
        return self.complete(execution, self.begin(execution))

    async def ask(self, execution: Execution) -> SubgraphAnswer | None:
        """The answer unread, for who can use its bytes; None, and an error noted, where none came."""
        try:
            answer = await self.begin(execution)
            execution.note(self.subgraph, answer)
        except SubgraphError as error:
            self.fail(execution, error)
            return None
        return answer

    def receive(self, execution: Execution, answer: SubgraphAnswer) -> None:
        try:
            self._read(execution, answer)
        except SubgraphError as error:
            self.fail(execution, error)

    def merge(self, execution: Execution, payload: Tree) -> None:
        """Raises SubgraphMalformedError."""
        data = payload.get("data")
        if payload.get("errors"):
            entries = self._client_errors.of_answer(
                payload["errors"], self.subgraph, lambda path: [with_renamed_keys(path, self._renames)]
            )
            execution.errors.extend(entries)
        else:
            entries = []
        if data is None:
            told = {entry["path"][0] if "path" in entry else None for entry in entries}
            if None not in told:
                self.fail(execution, SubgraphMalformedError("The subgraph returned no data.", self.subgraph), told)
            return
        if data.__class__ is not dict:
            raise SubgraphMalformedError(f"The subgraph's data is {json_kind(data)}, not an object.", self.subgraph)
        try:
            if self._renames:
                rename_keys(data, self._renames)
            if execution.tree:
                merge_object(execution.tree, data)
            else:
                execution.tree.update(data)
        except RecursionError:
            raise _too_deep(self.subgraph) from None

    def fail_deep(self, execution: Execution) -> None:
        self.fail(execution, _too_deep(self.subgraph))

    def fail(self, execution: Execution, error: SubgraphError, told: Collection[Any] = ()) -> None:
        """One error for every root field, but for those of which the client has been told."""
        keys = dict.fromkeys(_response_keys(self.selections, execution.variables))
        execution.errors.extend(self._client_errors.of_failure(error, (key,)) for key in keys if key not in told)


class CompiledLookup:
    """One `_entities` field of a request: collects for it, and puts its entities in their places."""

    def __init__(
        self,
        lookup: EntityLookup,
        collector: RepresentationCollector,
        response_key: str,
        variable_name: str,
        abstract_types: frozenset[str],
    ) -> None:
        self.key = WeakKey()
        self.response_key = response_key
        self.paths = lookup.paths
        self.selections = lookup.selections
        self._collector = collector
        self._variable = b'"' + variable_name.encode() + b'":'
        self.renames = lookup.renames
        self._abstract_types = abstract_types
        self._is_flat = not any(_composite_fields(lookup))
        self._destinations = tuple(
            Destination(way_of(response_keys_of(path)), group, not self._is_flat and group != NEVER_SHARED)
            for path, group in zip(lookup.paths, collector.groups, strict=True)
        )

    def collect(self, execution: Execution) -> Collected:
        try:
            found = self._collector.collect(execution.tree, execution.known_objects, execution.variables)
        except TypeError:
            drop_odd_type_names(execution.tree)
            found = self._collector.collect(execution.tree, execution.known_objects, execution.variables)
        if found.is_repeated or found.shared is not None or execution.occurrences is not None:
            occurrences = execution.known_occurrences()
            found.places = occurrences.of_lookup(self._destinations, found.shared, found.groups)
        return found

    def encode(self, collected: Collected) -> bytes:
        return self._variable + collected.written()

    def in_tree(self, found: Mapping[Path, list[Tree]]) -> dict[Path, list[Tree]]:
        """Of what was found at paths of an answer what is below this lookup's only path, by where it is in the tree."""
        (above,) = self.paths
        return {(*above, *path[2:]): objects for path, objects in found.items() if path[0] == self.response_key}

    def place(self, entities: list[Any], collected: Collected) -> bool:
        """Merges each entity into every object that waits for it. Whether each stands as it is in one object that had none of its
        fields. Raises ValueError where one is not an object.
        """
        if self.renames:
            for entity in entities:
                if entity.__class__ is dict:
                    rename_keys(entity, self.renames)
        if collected.by_text is not None:
            return self._place_each(entities, collected.by_text.objects) and len(self.paths) == 1
        self._place_several(entities, collected.targets)
        return False

    def _place_each(self, entities: list[Any], targets: list[Tree]) -> bool:
        """Each entity in its own target. Whether nothing had to be merged. Raises ValueError where one is not an object."""
        misfit, is_new = False, True
        for entity, target in zip(entities, targets, strict=True):
            if entity.__class__ is not dict:
                misfit |= entity is not None
            elif target.keys().isdisjoint(entity):  # as nearly always: there is nothing to merge
                target.update(entity)
            else:
                is_new = False
                self._place_one(entity, target)
        if misfit:
            raise ValueError
        return is_new

    def _place_several(self, entities: list[Any], waiting: list[list[Target]]) -> None:
        """Each entity in all its targets. Raises ValueError where one is not an object."""
        misfit = False
        for entity, targets in zip(entities, waiting, strict=True):
            if entity.__class__ is not dict:
                misfit |= entity is not None
            elif len(targets) == 1 or self._is_flat:
                for target, _ in targets:
                    self._place_one(entity, target)
            else:
                self._place_copies(entity, targets)
        if misfit:
            raise ValueError

    def _place_copies(self, entity: Tree, targets: list[Target]) -> None:
        """Objects nested in the entity are shared within a group (`sharing`) only: later fetches that write into those
        of one group may not write into those of another.
        """
        copies: dict[int, Tree] = {}
        for target, group in targets:
            if group == NEVER_SHARED:
                own = copy_tree(entity)
            else:
                own = copies.get(group)
                if own is None:
                    own = copies[group] = copy_tree(entity) if copies else entity
            self._place_one(own, target)

    def _place_one(self, entity: Tree, target: Tree) -> None:
        typename = target.get("__typename")
        merge_object(target, entity)
        # an interface object's subgraph knew only the interface; the entity's own subgraph knows the type
        if typename.__class__ is str and typename in self._abstract_types:
            own_typename = entity.get("__typename")
            if own_typename.__class__ is str:
                target["__typename"] = own_typename


class EntityFetchStep:
    """One `_entities` request, of one or more lookups."""

    def __init__(
        self,
        subgraph: str,
        url: str,
        query: str,
        lookups: tuple[CompiledLookup, ...],
        variable_names: Iterable[str],
        client_errors: ClientErrors,
        *,
        is_exact: bool = True,
        repeated: RepeatedObjects | None = None,
    ) -> None:
        self.subgraph = subgraph
        self.url = url
        self.query = query
        self._prefix = request_prefix(query)
        self.lookups = lookups
        self.variable_names = tuple(variable_names)
        self._client_errors = client_errors
        self._is_exact = is_exact
        self._repeated = repeated

    def begin(self, execution: Execution) -> PendingEntities | None:
        """None where the tree holds no entity to ask for."""
        collected = self.collect(execution)
        for each in collected:
            if each.count:
                return self.send(execution, collected, execution.variables)
        return None

    def collect(self, execution: Execution) -> list[Collected]:
        collected = []
        for lookup in self.lookups:
            found = lookup.collect(execution)
            if found.has_unsendable:
                self.fail_unsendable(execution, lookup)
            for path, subgraph in found.left_out_by.items():
                if not execution.is_copied_above(path):
                    self._tell_left_out(execution, path, subgraph)
            collected.append(found)
        return collected

    def fail_unsendable(self, execution: Execution, lookup: CompiledLookup) -> None:
        self._fail_lookup(execution, lookup, "A value that the subgraph needs cannot be sent to it.")

    def _tell_left_out(self, execution: Execution, path: Path, subgraph: str) -> None:
        error = SubgraphMalformedError("The subgraph left out a key that it was asked for.", subgraph)
        for place in _coarse_paths([path]):
            entry = self._client_errors.of_failure(error, place)
            if entry not in execution.errors:
                execution.errors.append(entry)

    def send(self, execution: Execution, collected: list[Collected], variables: Tree) -> PendingEntities:
        answer = None
        if execution.kept is not None:
            answer = execution.kept.of_entities(self, execution, collected, variables)
        if answer is None:
            answer = execution.transport.send(self.request(execution, collected, variables))
        return PendingEntities(answer, collected)

    def request(self, execution: Execution, collected: list[Collected], variables: Tree) -> SubgraphRequest:
        if len(self.lookups) == 1 and not self.variable_names:  # as most have it
            body = b"%b%b}}" % (self._prefix, self.lookups[0].encode(collected[0]))
        else:
            parts = [lookup.encode(each) for lookup, each in zip(self.lookups, collected, strict=True)]
            own_variables = encode_variables(self.variable_names, variables)
            if own_variables:
                parts.append(own_variables)
            body = b"%b%b}}" % (self._prefix, b",".join(parts))
        request = SubgraphRequest(self.subgraph, self.url, body, execution.headers)
        if execution.has_files:
            request = with_files(request, self.variable_names, variables)
        return request

    async def complete(self, execution: Execution, pending: PendingEntities) -> None:
        collected = pending.collected
        try:
            answer = await pending.answer
            places = collected[0].places if len(collected) == 1 else max([each.places for each in collected])
            execution.note(self.subgraph, answer, places)
            read = execution.read_repeated(self._repeated, answer) if self._repeated is not None else None
            if read is not None:
                self._merge(execution, read.payload, collected, read.found)
            else:
                self._merge(execution, decode_answer(self.subgraph, answer, is_exact=self._is_exact), collected)
        except SubgraphError as error:
            self.fail(execution, error)
        except RecursionError:
            self.fail(execution, _too_deep(self.subgraph))

    def run(self, execution: Execution) -> Coroutine[Any, Any, None]:
        """Sends before anybody awaits it."""
        pending = self.begin(execution)
        return self.complete(execution, pending) if pending is not None else _nothing_to_ask()

    def _merge(
        self,
        execution: Execution,
        payload: Tree,
        collected: list[Collected],
        found: Mapping[Path, list[Tree]] | None = None,
    ) -> None:
        data = payload.get("data")
        errors = payload.get("errors")
        if data is not None and data.__class__ is not dict:
            raise SubgraphMalformedError(f"The subgraph's data is {json_kind(data)}, not an object.", self.subgraph)
        if errors:
            # before merging, while objects still stand where they stood when they were collected
            execution.errors.extend(self._located(execution, errors, collected))
        for lookup, each in zip(self.lookups, collected, strict=True):
            entities = data.get(lookup.response_key) if data is not None else None
            if entities is None:
                if each.count and not self._is_told(errors, lookup):
                    self._fail_lookup(execution, lookup, "The subgraph returned no entities.")
                continue
            if entities.__class__ is not list or len(entities) != each.count:
                self._fail_lookup(execution, lookup, _miscounted(entities, each.count))
                continue
            try:
                if lookup.place(entities, each) and found:
                    execution.know(lookup.in_tree(found))
            except ValueError:
                self._fail_lookup(execution, lookup, "The subgraph returned an entity that is not an object.")

    def _fail_lookup(self, execution: Execution, lookup: CompiledLookup, message: str) -> None:
        error = SubgraphMalformedError(message, self.subgraph)
        execution.errors.extend(self._client_errors.of_failure(error, path) for path in _coarse_paths(lookup.paths))

    def fail(self, execution: Execution, error: SubgraphError) -> None:
        paths = _coarse_paths([path for lookup in self.lookups for path in lookup.paths])
        execution.errors.extend(self._client_errors.of_failure(error, path) for path in paths)

    def _is_told(self, errors: Any, lookup: CompiledLookup) -> bool:
        """Whether one of the errors concerns this lookup, or no particular lookup of the request."""
        if not errors or errors.__class__ is not list:
            return bool(errors)
        others = {each.response_key for each in self.lookups if each is not lookup}
        return any(_first_of_path(error) not in others for error in errors)

    def _located(self, execution: Execution, errors: Any, collected: list[Collected]) -> list[ErrorEntry]:
        by_key = {
            lookup.response_key: _Places(lookup, each, execution.tree, errors)
            for lookup, each in zip(self.lookups, collected, strict=True)
        }

        def client_paths(path: ClientPath) -> list[ClientPath]:
            places = by_key.get(str(path[0])) if path else None
            if places is None:
                return _coarse_paths([place for lookup in self.lookups for place in lookup.paths])
            return places.of(path[1:])

        return self._client_errors.of_answer(errors, self.subgraph, client_paths)


class _Places:
    """Where in the client's answer the entities of one lookup stand; looked up once for all errors of an answer."""

    def __init__(self, lookup: CompiledLookup, collected: Collected, tree: Tree, errors: Any) -> None:
        self._paths = lookup.paths
        self._response_key = lookup.response_key
        self._renames = lookup.renames
        self._collected = collected
        self._tree = tree
        self._errors = errors
        self._known: dict[int, list[ClientPath]] | None = None

    def of(self, path: ClientPath) -> list[ClientPath]:
        """The places of an entity, or of what is in it, by its index and the way on; at most MAX_ERROR_POSITIONS."""
        known = self._known
        if known is None:
            known = self._known = self._positions()
        rest = with_renamed_keys(path[1:], self._renames)
        found = [
            (*position, *rest)
            for target in self._targets(path[0] if path else None)
            for position in known.get(id(target), ())
        ]
        return found[:MAX_ERROR_POSITIONS] or _coarse_paths(self._paths)

    def _targets(self, index: Any) -> list[Tree]:
        if index.__class__ is not int or not 0 <= index < self._collected.count:
            return []
        return self._collected.targets_of(index)

    def _positions(self) -> dict[int, list[ClientPath]]:
        """Of what the errors are about, by identity."""
        found: dict[int, list[ClientPath]] = {}
        for error in self._errors if self._errors.__class__ is list else ():
            path = error.get("path") if error.__class__ is dict else None
            if path.__class__ is list and len(path) > 1 and path[0] == self._response_key:
                for target in self._targets(path[1]):
                    found[id(target)] = []
        for place in self._paths:
            for position, item in positions_at(self._tree, place, wanted=found):
                positions = found[id(item)]
                if len(positions) < MAX_ERROR_POSITIONS:
                    positions.append(position)
        return found


class PendingEntities(msgspec.Struct):
    answer: asyncio.Future[SubgraphAnswer]
    collected: list[Collected]


async def _nothing_to_ask() -> None:
    """The run of a fetch that finds no entity."""


def _miscounted(entities: object, asked: int) -> str:
    if isinstance(entities, list):
        return f"The subgraph returned {len(entities)} entities; {asked} were asked for."
    return f"The subgraph's entities are {json_kind(entities)}, not an array."


def request_prefix(query: str) -> bytes:
    """The request's JSON up to the first variable; the request ends it with `}}`."""
    return b'{"query":' + orjson.dumps(query) + b',"variables":{'


def with_files(request: SubgraphRequest, names: tuple[str, ...], values: Tree) -> SubgraphRequest:
    """The request with the files of its variables; it is sent once then, and shared with nobody."""
    files = tuple(files_in({name: values[name] for name in names if name in values}))
    return replace(request, files=files, is_query=False) if files else request


def encode_variables(names: tuple[str, ...], values: Tree) -> bytes:
    """`"a":1,"b":2` without braces; a variable the client left out is left out here too."""
    if not names:
        return b""
    return dumps({name: values[name] for name in names if name in values})[1:-1]


def decode_answer(subgraph: str, answer: SubgraphAnswer, *, is_exact: bool = True) -> Tree:
    """The GraphQL response in an answer. Raises SubgraphHttpError or SubgraphMalformedError where there is none.

    A status other than 200 does not matter if the body is a GraphQL response: the protocol allows both.
    """
    payload = graphql_result(answer.body, is_exact=is_exact)
    if payload is not None:
        return payload
    if not 200 <= answer.status < 300:
        raise SubgraphHttpError(
            f"The subgraph answered with status {answer.status}.", subgraph, http={"status": answer.status}
        )
    raise SubgraphMalformedError("The subgraph's answer is not a GraphQL response.", subgraph)


def _coarse_paths(paths: Iterable[Path]) -> list[ClientPath]:
    """Paths up to the first list: a failed fetch is one error there, not one for every element."""
    coarse: dict[ClientPath, None] = {}
    for path in paths:
        cut = path[: path.index("@")] if "@" in path else path
        coarse[tuple(segment for segment in cut if not segment.startswith("|"))] = None
    return list(coarse)


def _too_deep(subgraph: str) -> SubgraphMalformedError:
    return SubgraphMalformedError("The subgraph's data is nested too deeply.", subgraph)


def _first_of_path(error: Any) -> Any:
    path = error.get("path") if error.__class__ is dict else None
    return path[0] if path.__class__ is list and path and path[0].__class__ is str else None


def _response_keys(selections: SelectionSet, variables: Mapping[str, Any]) -> Iterator[str]:
    """The response keys of the fields that no condition leaves out."""
    for item in selections.items:
        if not holds(item.conditions, variables):
            continue
        if isinstance(item, Field):
            yield item.response_key
        else:
            yield from _response_keys(item.selections, variables)


def _composite_fields(lookup: EntityLookup) -> Iterable[Field]:
    waiting = list(lookup.selections.items)
    while waiting:
        item = waiting.pop()
        if not isinstance(item, Field):
            waiting.extend(item.selections.items)
        elif item.selections is not None:
            yield item
