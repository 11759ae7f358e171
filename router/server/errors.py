"""What the HTTP edge refuses before any GraphQL is read: one class for each status that a client can act on."""

from __future__ import annotations

from typing import Any

from router.errors import RouterError


class HttpError(RouterError):
    """Answered with `status` whatever media type the client prefers; `headers` go with it."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        extensions: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, extensions=extensions)
        self.status = status
        self.error_code = code
        self.headers = headers

    def entries(self) -> list[dict[str, Any]]:
        return [{"message": self.message, "extensions": {"code": self.error_code, **self.extensions}}]


def bad_request(message: str, code: str = "BAD_REQUEST") -> HttpError:
    return HttpError(400, code, message)


def out_of_memory() -> HttpError:
    """In place of a MemoryError: this process may find some later, and another one may have some now."""
    return HttpError(503, "OUT_OF_MEMORY", "The server has no memory for this now. Try again later.")


def method_not_allowed(allowed: str, message: str) -> HttpError:
    return HttpError(405, "METHOD_NOT_ALLOWED", message, headers=((b"allow", allowed.encode()),))
