"""What resolvers are given: the viewer, the request's loaders and the process's resources. Made by `app` per operation."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import strawberry

from events.envelope import new_id
from events.supervision import Loops
from loaders.dataloader import DataLoader
from router.service_clock import ServiceClock
from subgraphs.shell.allowance import Stoppable
from subgraphs.shell.auth import KeyRing, Viewer, bearer_token
from subgraphs.shell.database import Database
from subgraphs.shell.errors import ForbiddenError, NobodyReason, UnauthenticatedError
from subgraphs.shell.grants import EndedGrants, Wanted, grant_reads
from subgraphs.shell.recent_clocks import RecentClocks
from subgraphs.shell.revocation import RevokedSessions
from subgraphs.shell.settings import Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from events.fanout import Fanout


#: The router's header that says why it kept a caller's token from us.
TOKEN_REFUSED = "x-token-refused"  # noqa: S105 - a header's name

#: The router's header with the address of whoever asked it.
CLIENT_ADDRESS = "x-client-address"


#: Whether a token holds by its own time, which is in whole seconds, is asked so often. Ended sessions are refused at once.
VERIFY_AGAIN_SECONDS = 1.0

#: The process's: commands, queries, loops and consumers all go by it. `app` has it compared with the database's.
utc_now = ServiceClock()


@dataclass(slots=True, kw_only=True, eq=False)
class Resources:
    """What lives as long as the process. `redis` and `fanout` are None where no REDIS_URL is named."""

    settings: Settings
    database: Database
    key_ring: KeyRing
    revoked_sessions: RevokedSessions = field(default_factory=RevokedSessions)
    ended_grants: EndedGrants = field(default_factory=EndedGrants)
    recent_clocks: RecentClocks = field(default_factory=RecentClocks)
    redis: "Redis | None" = None
    fanout: "Fanout | None" = None
    loops: Loops = field(default_factory=Loops)
    now: Callable[[], datetime] = utc_now
    #: What a subgraph has of its own that lives as long as the process, by a name.
    own: dict[str, Any] = field(default_factory=dict)


MakeLoaders: TypeAlias = Callable[[Resources], Any]


class Context:
    """One operation's context. On a WebSocket the connection has one too, of which each operation gets its own."""

    __slots__ = (
        "_authorization",
        "_grant_reads",
        "_make_loaders",
        "_reads_primary",
        "_refused",
        "_viewer",
        "_viewer_until",
        "client_address",
        "correlation_id",
        "loaders",
        "resources",
        "stoppable",
    )

    def __init__(
        self,
        resources: Resources,
        make_loaders: MakeLoaders,
        *,
        authorization: str | None = None,
        refused: str | None = None,
        correlation_id: str | None = None,
        client_address: str | None = None,
    ) -> None:
        """`refused` is why the router kept a token from us: a NobodyReason, or whatever somebody else sends.

        `client_address` is None where nobody tells, and as good as the network that lets only routers in.
        """
        self.resources = resources
        self.correlation_id = correlation_id or new_id()
        self.client_address = client_address
        self.stoppable: Stoppable | None = None
        self._make_loaders = make_loaders
        self._authorization = authorization
        self._refused = refused
        self._viewer: Viewer | None = None
        self._viewer_until = 0.0  # by the monotonic clock: until when the token need not be looked at again
        self._reads_primary = False
        self._grant_reads: DataLoader[Wanted, bool | None] | None = None

    if TYPE_CHECKING:
        #: The subgraph's own loader set; each subgraph has a typed `loaders_of(info)`.
        loaders: Any

    else:

        def __getattr__(self, name: str) -> Any:
            """`loaders` as long as nobody asked for them; resolvers ask by the hundred, and find them as any other attribute."""
            if name != "loaders":
                raise AttributeError(name)
            self.loaders = self._make_loaders(self.resources)
            return self.loaders

    def renew_loaders(self) -> None:
        """Forget what was loaded, and read the primary from now on: after a write, before a subscription's event."""
        self.loaders = self._make_loaders(replace(self.resources, database=self.resources.database.primary()))
        self._reads_primary = True

    def read_primary(self) -> None:
        """Read the primary from now on, for what must not be late; what was loaded from there already stays."""
        if not self._reads_primary and self.resources.database.has_replica:
            self.renew_loaders()

    @property
    def viewer(self) -> Viewer:
        """Whoever asks. Raises UnauthenticatedError without a token that holds; a token may expire on a long stream.

        One operation asks for it some dozens of times within milliseconds.
        """
        viewer = self._viewer
        if viewer is None or time.monotonic() >= self._viewer_until:
            viewer = self._viewer = self._verified()
            self._viewer_until = time.monotonic() + VERIFY_AGAIN_SECONDS
        if viewer.session_id in self.resources.revoked_sessions:
            raise UnauthenticatedError("The session has ended.", NobodyReason.SESSION_ENDED)
        return self.resources.recent_clocks.on(viewer)

    def _verified(self) -> Viewer:
        if self._viewer is not None and self._viewer.expires_at > self.resources.now().timestamp():
            return self._viewer
        token = bearer_token(self._authorization)
        if token is None:
            raise _nobody(self._refused)
        return self.resources.key_ring.verify(token)

    @property
    def viewer_or_none(self) -> Viewer | None:
        """Whoever asks, or None for nobody, for what is open to everybody: a token that does not hold is no obstacle."""
        try:
            return self.viewer if self._authorization else None
        except UnauthenticatedError:
            return None

    def check_token(self) -> None:
        """Raises UnauthenticatedError for a token that does not hold; whoever sent none is let in as nobody."""
        if self._authorization:
            _ = self.viewer

    def become(self, access_token: str) -> None:
        """The rest of the operation belongs to the session that it has just opened."""
        self._authorization = f"Bearer {access_token}"
        self._viewer = None
        self._grant_reads = None
        self.renew_loaders()

    async def may_read(self, wanted: Wanted) -> bool:
        """Whether the viewer may read this: as its owner, as an administrator, or by a grant, which notes that it was read.

        An API key reads what is its owner's, of the areas that its scopes name, and nothing by a grant.
        """
        viewer = self.viewer
        if viewer.is_limited:
            return viewer.may_read(wanted.owner_id) and viewer.reaches(wanted.area)
        if viewer.may_read(wanted.owner_id):
            return True
        if self._grant_reads is None:
            self._grant_reads = grant_reads(self.resources.database, viewer)
        return bool(await self._grant_reads.load(wanted))

    def require_scopes(self, any_of: Iterable[Iterable[str]]) -> None:
        """Raises ForbiddenError unless the viewer's token has all scopes of one of these sets."""
        granted = self.viewer.scopes
        for scopes in any_of:
            if granted.issuperset(scopes):
                return
        raise ForbiddenError("This needs rights that you do not have.")

    @property
    def connection_params(self) -> Any:
        return None

    @connection_params.setter
    def connection_params(self, payload: Any) -> None:
        """Browsers cannot set headers on a WebSocket: the token comes with connection_init."""
        if isinstance(payload, dict):
            for name, value in payload.items():
                if name.lower() == "authorization" and isinstance(value, str):
                    self._authorization = value
                elif name.lower() == TOKEN_REFUSED and isinstance(value, str):
                    self._refused = value

    def for_operation(self) -> "Context":
        """The same caller with loaders of its own."""
        return Context(
            self.resources,
            self._make_loaders,
            authorization=self._authorization,
            refused=self._refused,
            correlation_id=self.correlation_id,
            client_address=self.client_address,
        )


def _nobody(refused: str | None) -> UnauthenticatedError:
    if refused == NobodyReason.EXPIRED:
        return UnauthenticatedError("The token has expired.", NobodyReason.EXPIRED)
    if refused == NobodyReason.SESSION_ENDED:
        return UnauthenticatedError("The session has ended.", NobodyReason.SESSION_ENDED)
    if refused:
        return UnauthenticatedError("The token is not valid.", NobodyReason.INVALID)
    return UnauthenticatedError(
        "This needs a signed-in user: send Authorization: Bearer <token>.", NobodyReason.NO_TOKEN
    )


Info: TypeAlias = strawberry.Info[Context, None]
