"""One `_entities` request: what of it is kept, what another request asks for already, and what is still asked for."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from router.cache_policy import CachePolicy
from router.entity_cache.cache import EntityCache, answer_of, narrowed, time_left
from router.entity_cache.store import Entry, Found
from router.entity_cache.tags import UnknownEntityError
from router.exact_json import dumps
from router.executor.fetch import EntityFetchStep, Execution, decode_answer
from router.executor.representations import Collected
from router.single_flight import Flight, SingleFlight
from router.telemetry import ENTITY_CACHE_GETS
from router.transport.protocol import SubgraphAnswer

Tree = dict[str, Any]


@dataclass(slots=True)
class Slot:
    """One representation of one lookup that may be kept, and what is known of its entity, as JSON."""

    lookup: int
    index: int
    key: str
    type_name: str
    policy: CachePolicy
    body: bytes | None = None


_Coming = tuple[Slot, "asyncio.Future[bytes | None]"]


@dataclass(slots=True)
class _Asked:
    """One request to a subgraph for some of the entities: `indexes` are those of each lookup."""

    indexes: list[list[int]]
    answer: SubgraphAnswer | None = None
    payload: Tree = field(default_factory=dict)


class EntityRequest:
    """The answer to one `_entities` request: kept entities, those that another request asks for, and the rest."""

    def __init__(
        self,
        cache: EntityCache,
        step: EntityFetchStep,
        execution: Execution,
        collected: list[Collected],
        variables: Tree,
        slots: list[Slot],
    ) -> None:
        self._cache = cache
        self._step = step
        self._execution = execution
        self._collected = collected
        self._variables = variables
        self._slots = slots
        self._policies: list[CachePolicy] = []  # of all that the answer is made of

    async def answer(self, viewer: str | None) -> SubgraphAnswer:
        found = await self._cache.store.look_up(viewer, [slot.key for slot in self._slots])
        if found is None:
            self._count(self._slots, "bypass")
            return await self._ask_all()
        missing = self._fill(found)
        own, coming = self._divided(missing, found)
        asked = [await self._ask(own, found, with_unkept=True)]
        for slot, body in coming:
            slot.body = await body
        left = [slot for slot, _ in coming if slot.body is None]
        if left:  # the others' request failed, or what came is for nobody else
            asked.append(await self._ask(left, found, with_unkept=False))
        self._policies.extend(slot.policy for slot in missing)
        return self._composed(asked) or await self._ask_all()

    def _fill(self, found: Found) -> list[Slot]:
        """Gives the slots what is kept; those that are left."""
        missing: list[Slot] = []
        for slot, kept in zip(self._slots, found.bodies, strict=True):
            if kept is None:
                missing.append(slot)
                continue
            slot.body = kept[0]
            self._policies.append(time_left(slot.policy, kept[1]))
        kept_slots = [slot for slot in self._slots if slot.body is not None]
        self._count([slot for slot in kept_slots if slot.body != b"null"], "hit")
        self._count([slot for slot in kept_slots if slot.body == b"null"], "hit_missing")
        return missing

    def _divided(self, missing: list[Slot], found: Found) -> tuple[list[Slot], list[_Coming]]:
        """Those to ask for, and those that another request asks for already. What was begun before a change, or before
        the viewer's own write, is not waited for.
        """
        own: list[Slot] = []
        landed: list[Slot] = []
        coming: list[_Coming] = []
        for slot in missing:
            name = (slot.key, found.marks)
            flight = None if found.is_settling else self._flights.get(name)
            if flight is not None:
                coming.append((slot, flight.join()))
            elif not found.is_settling and name in self._cache.landing:
                slot.body = self._cache.landing[name]
                landed.append(slot)
            else:
                own.append(slot)
        self._count(own, "miss")
        self._count([*landed, *(slot for slot, _ in coming)], "coalesced")
        return own, coming

    @property
    def _flights(self) -> SingleFlight[tuple[str, int], bytes | None]:
        return self._cache.flights

    async def _ask_all(self) -> SubgraphAnswer:
        request = self._step.request(self._execution, self._collected, self._variables)
        return await self._execution.transport.send(request)

    async def _ask(self, slots: list[Slot], found: Found, *, with_unkept: bool) -> _Asked:
        """Asks for the entities of the slots, and of those without one. Raises SubgraphError."""
        asked = _Asked(self._indexes(slots, with_unkept=with_unkept))
        if not any(asked.indexes):
            return asked
        flights = {} if found.is_settling else {(slot.key, found.marks): self._open(slot, found) for slot in slots}
        try:
            parts = [
                Collected([each.representations[index] for index in indexes])
                for each, indexes in zip(self._collected, asked.indexes, strict=True)
            ]
            request = self._step.request(self._execution, parts, self._variables)
            # an equal request that was begun before a change must not be taken for one that was begun after it
            asked.answer = await self._execution.transport.send(replace(request, epoch=found.marks))
            asked.payload = decode_answer(self._step.subgraph, asked.answer)
            self._take(asked, slots, found)
        finally:
            for slot in slots:
                flight = flights.get((slot.key, found.marks))
                if flight is not None:
                    self._flights.end((slot.key, found.marks), flight)
                    flight.succeed(slot.body)
        return asked

    def _open(self, slot: Slot, found: Found) -> Flight[bytes | None]:
        flight = self._flights[slot.key, found.marks] = Flight()
        return flight

    def _indexes(self, slots: list[Slot], *, with_unkept: bool) -> list[list[int]]:
        wanted = {(slot.lookup, slot.index) for slot in slots}
        slotted = {(slot.lookup, slot.index) for slot in self._slots}
        return [
            [
                index
                for index in range(len(each.representations))
                if (number, index) in wanted or (with_unkept and (number, index) not in slotted)
            ]
            for number, each in enumerate(self._collected)
        ]

    def _take(self, asked: _Asked, slots: list[Slot], found: Found) -> None:
        """Gives the slots what came for them and keeps what may be kept. Nothing that an error may be about is."""
        assert asked.answer is not None
        blamed = _blamed(asked.payload.get("errors"))
        if blamed is None:
            return
        came = self._came(asked)
        entries: list[Entry] = []
        policies = {policy: narrowed(policy, asked.answer) for policy in {slot.policy for slot in slots}}
        for slot in slots:
            place, entity = came.get((slot.lookup, slot.index), (0, ...))
            policy = policies[slot.policy]
            is_blamed = (self._step.lookups[slot.lookup].response_key, place) in blamed
            if policy is None or is_blamed or (entity is not None and not isinstance(entity, dict)):
                continue
            entry = self._entry(slot, entity, policy)
            if entry is not None:
                slot.body = entry[1]
                entries.append(entry)
        self._cache.keep([entry for entry in entries if entry[3] > 0], found)

    def _came(self, asked: _Asked) -> dict[tuple[int, int], tuple[int, Any]]:
        """The entities, each with its place in the answer, by lookup and by the index of their representation."""
        came: dict[tuple[int, int], tuple[int, Any]] = {}
        for number, (lookup, indexes) in enumerate(zip(self._step.lookups, asked.indexes, strict=True)):
            entities = _entities_of(asked.payload, lookup.response_key, len(indexes)) or []
            came |= {(number, index): (place, entities[place]) for place, index in enumerate(indexes) if entities}
        return came

    def _entry(self, slot: Slot, entity: Tree | None, policy: CachePolicy) -> Entry | None:
        """None where it cannot be told what the entity is about."""
        representation = self._collected[slot.lookup].representations[slot.index]
        selections = self._step.lookups[slot.lookup].selections
        seconds = policy.max_age_seconds
        if entity is None:
            seconds = min(seconds, self._cache.store.settings.missing_max_age_seconds)
        try:
            tags = self._cache.tags.of_entity(self._step.subgraph, representation, selections, entity)
            return slot.key, dumps(entity), tags, seconds
        except (UnknownEntityError, RecursionError, orjson.JSONEncodeError):
            return None

    def _composed(self, requests: list[_Asked]) -> SubgraphAnswer | None:
        """None where what came is no answer to what was asked: then the whole is asked for, and the executor judges it."""
        rows: list[list[bytes | None]] = [[None] * len(each.representations) for each in self._collected]
        for slot in self._slots:
            rows[slot.lookup][slot.index] = slot.body
        sent = [asked for asked in requests if asked.answer is not None]
        errors: list[Any] = []
        for asked in sent:
            own_errors = asked.payload.get("errors") or []
            if not isinstance(own_errors, list) or not self._put(asked, rows, may_lack=bool(own_errors)):
                return None
            errors.extend(self._replaced(asked, own_errors))
        fields = [
            b'"%b":[%b]' % (lookup.response_key.encode(), b",".join(body or b"null" for body in row))
            for lookup, row in zip(self._step.lookups, rows, strict=True)
        ]
        parts = [b'"data":{%b}' % b",".join(fields)]
        if errors:
            parts.append(b'"errors":' + dumps(errors))
        return answer_of(parts, self._policies, [asked.answer for asked in sent if asked.answer is not None])

    def _put(self, asked: _Asked, rows: list[list[bytes | None]], *, may_lack: bool) -> bool:
        """Puts what came into its places; whether it was an answer to what was asked."""
        for lookup, row, indexes in zip(self._step.lookups, rows, asked.indexes, strict=True):
            entities = _entities_of(asked.payload, lookup.response_key, len(indexes))
            if entities is None and not may_lack:
                return False
            for index, entity in zip(indexes, entities or [], strict=False):
                if row[index] is None:  # else `_take` has written it
                    row[index] = dumps(entity)
        return True

    def _replaced(self, asked: _Asked, errors: list[Any]) -> list[Any]:
        """The errors with the places that the entities have in the whole request."""
        by_key = {
            lookup.response_key: indexes for lookup, indexes in zip(self._step.lookups, asked.indexes, strict=True)
        }
        return [_at_its_place(error, by_key) for error in errors]

    def _count(self, slots: list[Slot], result: str) -> None:
        for type_name, number in Counter(slot.type_name for slot in slots).items():
            ENTITY_CACHE_GETS.labels(self._step.subgraph, type_name, result).inc(number)
            if result == "hit" and self._execution.note_kept is not None:
                self._execution.note_kept(self._step.subgraph, type_name, number)


def _entities_of(payload: Tree, response_key: str, count: int) -> list[Any] | None:
    data = payload.get("data")
    entities = data.get(response_key) if isinstance(data, dict) else None
    return entities if isinstance(entities, list) and len(entities) == count else None


def _at_its_place(error: Any, indexes: dict[str, list[int]]) -> Any:
    """`indexes` are, by response key, those that the entities of a request have in the whole."""
    match error:
        case {"path": [str(key), int(place), *rest]} if key in indexes and 0 <= place < len(indexes[key]):
            return {**error, "path": [key, indexes[key][place], *rest]}
    return error


def _blamed(errors: Any) -> set[tuple[str, int]] | None:
    """The entities that errors are about; None where that is not known of all of them."""
    if not errors:
        return set()
    if not isinstance(errors, list):
        return None
    blamed: set[tuple[str, int]] = set()
    for error in errors:
        path = error.get("path") if isinstance(error, dict) else None
        if not isinstance(path, list) or len(path) < 2 or not isinstance(path[0], str) or not isinstance(path[1], int):
            return None
        blamed.add((path[0], path[1]))
    return blamed
