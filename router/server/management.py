"""The second port of a router: what operators ask, apart from what clients may reach.

`app` serves it for as long as its lifespan lasts, so it still answers while the router drains; where settings are reloaded,
`settings_reload` does, for all the applications that come and go.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import uvicorn
from starlette.types import ASGIApp

from router.server.http_protocol import StrictHttpProtocol
from router.server.side_server import accepting
from router.server.workers import bound_socket
from router.settings import Settings

log = structlog.get_logger(__name__)


@asynccontextmanager
async def management_server(application: ASGIApp, settings: Settings) -> AsyncIterator[None]:
    """Serves until the block ends, if the settings name a port. Raises OSError where it is taken.

    Each worker process listens there, and the kernel chooses one for each connection.
    """
    own = settings.management
    if own.port is None:
        yield
        return
    with bound_socket(own.host, own.port, is_shared=settings.workers > 1) as listener:
        configuration = uvicorn.Config(
            application,
            http=StrictHttpProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        async with accepting((configuration, listener)):
            log.info("management_listening", address="http://{}:{}".format(*listener.getsockname()[:2]))
            yield
