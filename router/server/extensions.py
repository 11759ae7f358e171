"""Code of the operator's own at six stages of a request, in Python, loaded when the router starts.

An extension is a module, or an object, with any of the async functions that `Extension` names. `app` loads those of the
settings; a stage that no extension has costs nothing.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Protocol

from router.pipeline import Response
from router.prepared_request import OperationRequest
from router.query_plan import QueryPlan
from router.settings import SettingsError
from router.transport.pending_answer import CancellableAnswer
from router.transport.protocol import SubgraphAnswer, SubgraphRequest, SubgraphTransport

ENTRY_POINTS = "router.extensions"


class Extension(Protocol):
    """The stages. Each gets what was made so far and gives back what goes on, changed or as it was.

    Raising RequestError at `on_request` refuses the operation, with the error's code; raising SubgraphError at the
    subgraph stages is as if the subgraph had failed. Whatever else is raised is a fault of the router, status 500.
    """

    async def on_request(self, request: OperationRequest) -> OperationRequest:
        """Before anything is looked up: the text, the variables and the headers may change, who asks may not."""
        ...

    async def on_subgraph_request(self, request: SubgraphRequest) -> SubgraphRequest:
        """Of queries and mutations, before equal requests are joined: what makes a request differ keeps it apart."""
        ...

    async def on_subgraph_answer(self, request: SubgraphRequest, answer: SubgraphAnswer) -> SubgraphAnswer: ...

    async def on_plan(self, request: OperationRequest, plan: QueryPlan) -> None:
        """Before the first fetch, of queries and mutations that are answered in one piece and of subscriptions: to look at
        it, or to refuse. Plans are shared by all requests of an operation.
        """
        ...

    async def on_response(self, request: OperationRequest, response: Response) -> Response:
        """Of valid queries and mutations that are answered in one piece, whether they could be run or not."""
        ...

    async def on_event(self, request: OperationRequest, body: bytes) -> bytes | None:
        """Each response body of a subscription, the last with an error included; None keeps it from the client."""
        ...


Stage = Callable[..., Awaitable[Any]]
STAGES = ("on_request", "on_plan", "on_subgraph_request", "on_subgraph_answer", "on_response", "on_event")


class Extensions:
    """All that are loaded, in their order, by stage."""

    def __init__(self, loaded: Sequence[Any] = ()) -> None:
        stages = {name: [getattr(each, name) for each in loaded if hasattr(each, name)] for name in STAGES}
        self._request: list[Stage] = stages["on_request"]
        self._subgraph_request: list[Stage] = stages["on_subgraph_request"]
        self._subgraph_answer: list[Stage] = stages["on_subgraph_answer"]
        self._response: list[Stage] = stages["on_response"]
        self._plan: list[Stage] = stages["on_plan"]
        self._event: list[Stage] = stages["on_event"]

    @property
    def watch_subgraphs(self) -> bool:
        return bool(self._subgraph_request or self._subgraph_answer)

    @property
    def watch_plans(self) -> bool:
        return bool(self._plan)

    @property
    def watch_events(self) -> bool:
        return bool(self._event)

    async def plan(self, request: OperationRequest, plan: QueryPlan) -> None:
        for stage in self._plan:
            await stage(request, plan)

    async def events(self, request: OperationRequest, bodies: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        async with _closed_at_the_end(bodies):
            async for body in bodies:
                wanted: bytes | None = body
                for stage in self._event:
                    wanted = await stage(request, wanted) if wanted is not None else None
                if wanted is not None:
                    yield wanted

    async def request(self, request: OperationRequest) -> OperationRequest:
        for stage in self._request:
            request = await stage(request)
        return request

    async def response(self, request: OperationRequest, response: Response) -> Response:
        for stage in self._response:
            response = await stage(request, response)
        return response

    async def subgraph_request(self, request: SubgraphRequest) -> SubgraphRequest:
        for stage in self._subgraph_request:
            request = await stage(request)
        return request

    async def subgraph_answer(self, request: SubgraphRequest, answer: SubgraphAnswer) -> SubgraphAnswer:
        for stage in self._subgraph_answer:
            answer = await stage(request, answer)
        return answer


class ExtendedTransport:
    """A `SubgraphTransport` around another, with the stages of extensions before and after it."""

    def __init__(self, transport: SubgraphTransport, extensions: Extensions) -> None:
        self._transport = transport
        self._extensions = extensions

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        task = asyncio.ensure_future(self._answer(request))
        answer = CancellableAnswer()
        answer.on_cancel = task.cancel
        task.add_done_callback(lambda done: _hand_on(done, answer))
        return answer

    async def _answer(self, request: SubgraphRequest) -> SubgraphAnswer:
        request = await self._extensions.subgraph_request(request)
        return await self._extensions.subgraph_answer(request, await self._transport.send(request))


def _hand_on(done: asyncio.Future[SubgraphAnswer], answer: CancellableAnswer) -> None:
    if answer.done():
        if not done.cancelled():
            done.exception()  # nobody asks any more
    elif done.cancelled():
        answer.cancel()
    elif (error := done.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(done.result())


@asynccontextmanager
async def _closed_at_the_end(bodies: AsyncIterator[bytes]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        close = getattr(bodies, "aclose", None)
        if close is not None:
            await close()


def load_extensions(names: Sequence[str], further: Sequence[Any] = ()) -> Extensions:
    """`package.module`, `package.module:object`, `./file.py`, `./file.py:object`, or the name of an entry point in the
    group `router.extensions`; `further` ones are there already. Raises SettingsError for what cannot be loaded, or has none of the stages.
    """
    return Extensions([*(_loaded(name) for name in names), *further])


def _loaded(name: str) -> Any:
    try:
        found = _found(name)
    except Exception as error:
        raise SettingsError(f"the extension '{name}' cannot be loaded: {error!r}") from error
    has = [stage for stage in STAGES if hasattr(found, stage)]
    if not has:
        raise SettingsError(f"the extension '{name}' has none of {', '.join(STAGES)}")
    for stage in has:
        if not inspect.iscoroutinefunction(getattr(found, stage)):
            raise SettingsError(f"the extension '{name}' has a '{stage}' that is not an async function")
    return found


def _found(name: str) -> Any:
    for point in entry_points(group=ENTRY_POINTS, name=name):
        return point.load()
    place, _, attribute = name.partition(":")
    module = _module_of_file(Path(place)) if place.endswith(".py") else import_module(place)
    return getattr(module, attribute) if attribute else module


def _module_of_file(file: Path) -> Any:
    name = f"router_extension_{file.stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
