"""`fittracker up` from start to Ctrl-C: brings the stack up, says where everything is, waits, takes it down."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine

from deploy.child import ChildError
from deploy.control import control_socket
from deploy.data_directory import DataDirectory
from deploy.embedded import HOST, SERVER_NAMES
from deploy.stack import Stack, StackOptions
from deploy.terminal import Terminal
from deploy.welcome import Row, show
from deploy.workbench import DEMO_PATH


def run_stack(options: StackOptions, terminal: Terminal) -> None:
    """Raises ChildError, PortTakenError, DirectoryInUseError or UnusableDirectoryError where it cannot start."""
    with DataDirectory(options.data_dir) as directory:
        asyncio.run(_run(options, directory, terminal))


async def _run(options: StackOptions, directory: DataDirectory, terminal: Terminal) -> None:
    stack = Stack(options, directory, terminal)
    asked_to_stop = asyncio.Event()
    resources = contextlib.AsyncExitStack()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked_to_stop.set)
    is_stopping_told = True
    try:
        if not await _unless_stopped(stack.start(), asked_to_stop):
            return
        stack.control = str(await resources.enter_async_context(control_socket(stack.change)))
        stack.write_state()
        show(terminal, "FitTracker Pro is up", _rows(stack))
        keeper = asyncio.create_task(_keep_state(stack))
        tasks = [keeper]
        if options.watch and options.in_process:
            stack.news("one process does not follow changes of code: restart it, or run it with --processes")
        elif options.watch:
            tasks.append(asyncio.create_task(_follow_code(stack)))
        await asked_to_stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    except Exception:
        is_stopping_told = False  # what went wrong is told instead
        raise
    finally:
        await resources.aclose()
        if is_stopping_told:
            terminal.say("\nStopping; the data stays.")
        await stack.stop()


async def _unless_stopped(start: Coroutine[None, None, None], asked_to_stop: asyncio.Event) -> bool:
    """Whether the start came to its end before somebody asked to stop. What fails after that is no news: a Ctrl-C reaches
    `initdb` too.
    """
    starting = asyncio.create_task(start)
    stopping = asyncio.create_task(asked_to_stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not asked_to_stop.is_set():
        stopping.cancel()
        starting.result()
        return True
    starting.cancel()
    await asyncio.wait({starting})
    if (
        not starting.cancelled()
        and (failure := starting.exception()) is not None
        and not isinstance(failure, ChildError)
    ):
        raise failure
    return False


async def _keep_state(stack: Stack) -> None:
    """stack.json names the children that run now; a restarted one has a new pid."""
    known = stack.supervisor.pids
    while True:
        await asyncio.sleep(0.5)
        if stack.supervisor.pids != known:
            known = stack.supervisor.pids
            stack.write_state()


async def _follow_code(stack: Stack) -> None:
    from deploy.dev_loop import follow_code

    try:
        await follow_code(stack)
    except Exception as error:  # such as a system's limit of watched files; what runs is not concerned
        stack.news(f"changes of code are not followed: {error}")


def _rows(stack: Stack) -> list[Row]:
    rows: list[Row] = [("GraphQL, GraphiQL" if stack.serves_pages else "GraphQL", stack.router_url)]
    if stack.serves_pages:
        rows.append(("console", stack.router_url.removesuffix("graphql")))
        rows.append(("demo", stack.router_url.removesuffix("/graphql") + f"{DEMO_PATH}/"))
    # no links: they answer no browser
    rows += [(name, f"POST {HOST}:{port}/graphql") for name, port in stack.subgraph_ports.items()]
    rows += [(name, f"127.0.0.1:{port}") for name, port in stack.supervisor.ports.items() if name in SERVER_NAMES]
    rows.append(("log files", str(stack.directory.logs)))
    if stack.directory.has_loaded("sample-data"):
        rows.append(("sign in as", "john.doe@example.com, Password123!"))
    return rows
