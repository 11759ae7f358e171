"""Root queries whose data belongs deeper in the tree, at objects of the root type (`{ pay { query { me } } }`).

Made by `execute` around an ordinary `RootFetch`, which fills a tree of its own that is then put in its places.
"""

from __future__ import annotations

from router.errors import ErrorEntry
from router.executor.fetch import MAX_ERROR_POSITIONS, Execution, RootFetch, Tree
from router.executor.merge import copy_tree, merge_object
from router.executor.object_path import ClientPath, positions_at
from router.executor.subgraph_errors import ClientErrors
from router.query_plan import Path


class NestedRootFetch:
    """Sent once, however many objects stand at the path, and not at all where there are none."""

    def __init__(self, fetch: RootFetch, path: Path, client_errors: ClientErrors) -> None:
        self._fetch = fetch
        self._path = path
        self._client_errors = client_errors

    async def run(self, execution: Execution) -> None:
        if next(positions_at(execution.tree, self._path), None) is None:
            return
        own = Execution(execution.transport, execution.variables, headers=execution.headers)
        await self._fetch.run(own)
        execution.cache_controls.extend(own.cache_controls)
        seen: set[int] = set()
        for number, (position, target) in enumerate(positions_at(execution.tree, self._path)):
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
