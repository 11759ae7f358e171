"""Root operations whose data belongs deeper in the tree, at objects of a root type (`{ pay { query { me } } }`).

Made by `execute` around an ordinary `RootFetch`, which fills a tree of its own that is then put in its places.
"""

from __future__ import annotations

from router.errors import ErrorEntry
from router.executor.fetch import MAX_ERROR_POSITIONS, Execution, RootFetch, Tree
from router.executor.merge import copy_tree, merge_object
from router.executor.object_path import ClientPath, positions_at
from router.executor.response_size import way_of
from router.executor.sharing import response_keys_of
from router.executor.subgraph_errors import ClientErrors
from router.query_plan import Path


class NestedRootFetch:
    """A query is sent once, however many objects stand at the path; a mutation once for each of them, in their order, as
    one server would run it. Neither is sent where there are none.
    """

    def __init__(self, fetch: RootFetch, path: Path, client_errors: ClientErrors) -> None:
        self._fetch = fetch
        self.is_query = fetch.is_query
        self._path = path
        self._way = way_of(response_keys_of(path))
        self._client_errors = client_errors

    async def run(self, execution: Execution) -> None:
        places = positions_at(execution.tree, self._path)
        if self.is_query:
            await self._run_for(execution, list(places))
        else:
            for place in list(places):
                await self._run_for(execution, [place])

    async def _run_for(self, execution: Execution, places: list[tuple[ClientPath, Tree]]) -> None:
        if not places:
            return
        before = execution.fetched_bytes
        own = Execution(
            execution.transport,
            execution.variables,
            headers=execution.headers,
            has_files=execution.has_files,
            max_fetched_bytes=execution.max_fetched_bytes,
            fetched_bytes=before,
        )
        await self._fetch.run(own)
        execution.fetched_bytes += own.fetched_bytes - before  # other fetches may have come meanwhile
        execution.spread_bytes += own.spread_bytes * execution.known_occurrences().of_nested_root(
            self._way, len(places)
        )
        execution.cache_controls.extend(own.cache_controls)
        execution.answer_headers.extend(own.answer_headers)
        seen: set[int] = set()
        for number, (position, target) in enumerate(places):
            if id(target) not in seen:  # equal entities above may be one object
                self._merge(own, target, is_copied=bool(seen))
                seen.add(id(target))
            if number < MAX_ERROR_POSITIONS:
                execution.errors.extend(self._at(position, error) for error in own.errors)

    def _merge(self, own: Execution, target: Tree, *, is_copied: bool) -> None:
        try:
            merge_object(target, copy_tree(own.tree) if is_copied else own.tree)
        except RecursionError:
            self._fetch.fail_deep(own)
            own.tree = {}

    def _at(self, position: ClientPath, error: ErrorEntry) -> ErrorEntry:
        return {**error, "path": list(self._client_errors.visible((*position, *error.get("path", ()))))}
