"""A client of the public graph for long jobs: signs in, renews its token, and waits where the server asks it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from deploy.errors import FriendlyError

ANSWER_SECONDS = 60.0
#: Before each repetition of a question that got no answer, or one that may be better later.
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
LONGEST_PAUSE = 120.0
#: HTTP statuses and codes of answers that say "not now". All others say "not like this", and are not asked again.
BUSY_STATUSES = frozenset({429, 502, 503, 504})
BUSY_CODES = frozenset(
    {
        "RATE_LIMITED",
        "UNAVAILABLE",
        "REQUEST_TIMEOUT",
        "PLANNING_TIMEOUT",
        "DEADLINE_EXCEEDED",
        "TOOK_TOO_LONG",
        "SUBREQUEST_HTTP_ERROR",
        "SUBGRAPH_TIMEOUT",
        "SUBGRAPH_CIRCUIT_OPEN",
    }
)

_LOGIN = """mutation ExportLogin($input: LoginInput!) {
  login(input: $input) { accessToken refreshToken userErrors { message } }
}"""
_REFRESH = """mutation ExportRefresh($input: RefreshInput!) {
  refresh(input: $input) { accessToken refreshToken userErrors { message } }
}"""
_LOGOUT = "mutation ExportLogout { logout(input: {}) { endedSessions } }"


@dataclass(frozen=True, slots=True)
class Credentials:
    """With what somebody signs in; `ask_code` asks the person for the code of the second factor, if one is needed."""

    email: str
    password: str
    ask_code: Callable[[], str]


class GraphError(FriendlyError):
    """The server answered with errors: what the first of them says, its code and its reason."""

    def __init__(self, message: str, code: str | None, reason: str | None) -> None:
        super().__init__(f"the server refused: {message}" + (f" ({code})" if code else ""))
        self.code = code
        self.reason = reason


class _BusyError(Exception):
    """Worth another try, after so many seconds where the server says how many."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class GraphClient:
    """Asks the graph at `url` as one person."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._access_token: str | None = None
        self._refresh_token: str | None = None
        self._has_answered = False

    def use_token(self, access_token: str) -> None:
        """Asks with this token, which cannot be renewed."""
        self._access_token = access_token

    async def sign_in(self, credentials: Credentials) -> None:
        """Opens a session. Raises GraphError where the server refuses, FriendlyError where none answers."""
        given = {"email": credentials.email, "password": credentials.password, "deviceName": "fittracker export"}
        try:
            data = await self._patiently(_LOGIN, {"input": given})
        except GraphError as error:
            if error.reason != "SECOND_FACTOR":
                raise
            data = await self._patiently(_LOGIN, {"input": {**given, "secondFactor": credentials.ask_code()}})
        self._keep_tokens(data["login"])

    async def sign_out(self) -> None:
        """Ends the session that `sign_in` opened, if the server can be reached; else it ends by its age."""
        if self._refresh_token is not None:
            with suppress(_BusyError, FriendlyError):
                await self._once(_LOGOUT, {})

    async def ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The whole data of the answer: an answer with errors has no part that counts.

        Renews a token that has ended, and asks again while the server is busy. Raises GraphError, FriendlyError.
        """
        try:
            return await self._patiently(query, variables)
        except GraphError as error:
            if error.reason != "EXPIRED" or self._refresh_token is None:
                raise
        self._keep_tokens(
            (await self._patiently(_REFRESH, {"input": {"refreshToken": self._refresh_token}}))["refresh"]
        )
        return await self._patiently(query, variables)

    def _keep_tokens(self, given: Mapping[str, Any]) -> None:
        if given["accessToken"] is None:
            raise FriendlyError("; ".join(error["message"] for error in given["userErrors"]))
        self._access_token, self._refresh_token = given["accessToken"], given["refreshToken"]

    async def _patiently(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        told = ""
        for pause in (*PAUSES, None):
            try:
                return await self._once(query, variables)
            except _BusyError as busy:
                told = str(busy)
                if pause is not None:
                    await asyncio.sleep(min(pause if busy.seconds is None else busy.seconds, LONGEST_PAUSE))
        raise FriendlyError(
            f"{self._url} gave no answer: {told}", "run the same command again: it goes on where it was"
        )

    async def _once(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._access_token}"} if self._access_token else {}
        try:
            async with self._session.post(
                self._url, json={"query": query, "variables": variables}, headers=headers
            ) as response:
                self._has_answered = True
                if response.status in BUSY_STATUSES:
                    raise _BusyError(f"HTTP {response.status}", _seconds(response.headers.get("retry-after")))
                answer = await response.json(content_type=None)
        except aiohttp.ClientConnectorError as error:
            if not self._has_answered:  # a wrong address, rather than a server that starts anew
                told = f"{self._url} cannot be reached: {error.os_error}"
                raise FriendlyError(told, "does it run? --url names another address") from None
            raise _BusyError(str(error)) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _BusyError(f"{type(error).__name__}: {error}".rstrip(": ")) from None
        except ValueError:
            raise FriendlyError(
                f"{self._url} does not answer in JSON", "name the address that ends in /graphql"
            ) from None
        return _data_of(answer)


def _data_of(answer: Any) -> dict[str, Any]:
    """Raises _BusyError or GraphError for an answer with errors."""
    if not isinstance(answer, dict):
        raise FriendlyError("the answer is none of a GraphQL server", "name the address that ends in /graphql")
    if errors := answer.get("errors"):
        message = str(errors[0].get("message"))
        told = errors[0].get("extensions") or {}
        if told.get("code") in BUSY_CODES:
            raise _BusyError(message, _seconds(told.get("retryAfterSeconds")))
        raise GraphError(message, told.get("code"), told.get("reason"))
    data: dict[str, Any] = answer["data"]
    return data


def _seconds(told: Any) -> float | None:
    """What a server says to wait; None for a date or for nothing."""
    try:
        return float(told)
    except (TypeError, ValueError):
        return None


@asynccontextmanager
async def graph_client(url: str, *, credentials: Credentials | None, token: str | None) -> AsyncIterator[GraphClient]:
    """A client that is signed in until the block ends, or one that uses a token that somebody else got."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)) as session:
        client = GraphClient(session, url)
        if token is not None:
            client.use_token(token)
        elif credentials is not None:
            await client.sign_in(credentials)
        try:
            yield client
        finally:
            await client.sign_out()
