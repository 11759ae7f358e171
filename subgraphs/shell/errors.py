"""The errors that commands, resolvers and `auth` raise for clients to see. `graphql_schema` tells all others apart.

graphql-core copies an exception's `extensions` to the client's error, so whatever has none is either a server that is
away, and becomes UNAVAILABLE, or a fault of ours, and is logged and masked. Codes of requests that are never executed,
such as GRAPHQL_PARSE_FAILED, are given by `graphql_schema` and `graphql_http`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar


class SubgraphError(Exception):
    """A refusal that the client may read. `code` never changes once published."""

    code: ClassVar[str]
    #: Whether a person can mend it by giving something else: a mutation then answers it in `userErrors`.
    is_mendable = False

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.extensions: Mapping[str, Any] = {"code": self.code, **details}


class NobodyReason(StrEnum):
    """Why somebody counts as nobody: `extensions.reason` beside UNAUTHENTICATED. A client renews its token where it is
    EXPIRED, and asks the person to sign in where it is anything else.
    """

    NO_TOKEN = "NO_TOKEN"  # noqa: S105 - a reason
    EXPIRED = "EXPIRED"
    INVALID = "INVALID"  # no token of ours, or for another use
    SESSION_ENDED = "SESSION_ENDED"  # signed out, suspended, or the password was changed
    BAD_CREDENTIALS = "BAD_CREDENTIALS"
    SECOND_FACTOR = "SECOND_FACTOR"  # address and password fit; a code of the second factor is to come with them
    REUSED = "REUSED"  # a refresh token that was used before: the session has ended


class UnauthenticatedError(SubgraphError):
    """No token, or one that does not hold; `extensions.reason` says which."""

    code = "UNAUTHENTICATED"

    def __init__(self, message: str, reason: NobodyReason = NobodyReason.INVALID) -> None:
        super().__init__(message, reason=reason.value)


class ForbiddenError(SubgraphError):
    """The viewer is known, and this is not the viewer's."""

    code = "FORBIDDEN"


class NotFoundError(SubgraphError):
    """There is no such thing, or none that the viewer may know of. With `field`, what an input names beside its target."""

    code = "NOT_FOUND"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.is_mendable = "field" in details


class ConflictError(SubgraphError):
    """What was asked for contradicts what exists, such as an e-mail address taken by another account."""

    code = "CONFLICT"
    is_mendable = True


class StaleVersionError(SubgraphError):
    """The caller changed a version that is no longer the newest."""

    code = "STALE_VERSION"
    is_mendable = True

    def __init__(self, what: str, *, expected: int, current: int, field: str = "expectedVersion") -> None:
        super().__init__(
            f"This {what} was changed in the meantime: version {expected} was expected, it has version {current}.",
            currentVersion=current,
            field=field,
        )


def expect_version(what: str, *, expected: int | None, current: int, field: str = "expectedVersion") -> None:
    """Raises StaleVersionError where a change was made from another version than the newest; None expects nothing.

    `field` is where the input tells the version.
    """
    if expected is not None and expected != current:
        raise StaleVersionError(what, expected=expected, current=current, field=field)


class ValidationError(SubgraphError):
    """Input that breaks rules; `extensions.validationErrors` lists [{field, message}]."""

    code = "VALIDATION_ERROR"
    is_mendable = True

    def __init__(self, *violations: tuple[str, str]) -> None:
        self.violations = violations
        sentence = "; ".join(f"{name}: {message}" for name, message in violations)
        super().__init__(
            f"The input is not valid. {sentence}",
            validationErrors=[{"field": name, "message": message} for name, message in violations],
        )


class SyncAnewReason(StrEnum):
    """Why a token of changes holds no more: `extensions.reason` beside SYNC_TOKEN_EXPIRED."""

    TOO_OLD = "TOO_OLD"  # deletions since may have been forgotten
    OTHER_EPOCH = "OTHER_EPOCH"  # the database was restored, and may have lost what the token counts as told


class SyncTokenExpiredError(SubgraphError):
    """What changed since a token cannot be told any more: the client begins anew, without a token. `extensions.reason` says why."""

    code = "SYNC_TOKEN_EXPIRED"

    def __init__(self, reason: SyncAnewReason) -> None:
        super().__init__(
            "What changed since then is not known any more: synchronise anew, without a token.", reason=reason.value
        )


class RateLimitedError(SubgraphError):
    """Too many attempts; `extensions.retryAfterSeconds` says when to come back."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message, retryAfterSeconds=retry_after_seconds)


class UnavailableError(SubgraphError):
    """A server that is needed does not answer now; `extensions.retryAfterSeconds` says when to come back."""

    code = "UNAVAILABLE"
    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__(
            f"This is not available for the moment. Try again in {self.retry_after_seconds} seconds; a change without"
            " an idempotency key may have been made already.",
            retryAfterSeconds=self.retry_after_seconds,
        )


@dataclass(slots=True)
class Checks:
    """Collects every broken rule of an input, so that the client hears of all of them at once."""

    violations: list[tuple[str, str]] = field(default_factory=list)

    def require(self, holds: bool, name: str, message: str) -> bool:
        if not holds:
            self.violations.append((name, message))
        return holds

    def done(self) -> None:
        """Raises ValidationError if any rule was broken."""
        if self.violations:
            raise ValidationError(*self.violations)


class LiveUpdatesOffError(SubgraphError):
    """Subscriptions need Redis, and this process has none."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("This server has no Redis, so it has no live updates.")
