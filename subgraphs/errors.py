"""The errors that clients see and their codes. Raised by commands, resolvers and `auth`; masked and logged by `schema`.

graphql-core copies an exception's `extensions` to the client's error, so whatever has none is internal and is masked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


class SubgraphError(Exception):
    """A refusal that the client may read. `code` never changes once published."""

    code: ClassVar[str]

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.extensions: Mapping[str, Any] = {"code": self.code, **details}


class UnauthenticatedError(SubgraphError):
    """No token, or one that does not hold."""

    code = "UNAUTHENTICATED"


class ForbiddenError(SubgraphError):
    """The viewer is known, and this is not the viewer's."""

    code = "FORBIDDEN"


class NotFoundError(SubgraphError):
    """There is no such thing, or none that the viewer may know of."""

    code = "NOT_FOUND"


class ConflictError(SubgraphError):
    """What was asked for contradicts what exists, such as an e-mail address taken by another account."""

    code = "CONFLICT"


class StaleVersionError(SubgraphError):
    """The caller changed a version that is no longer the newest."""

    code = "STALE_VERSION"

    def __init__(self, what: str, *, expected: int, current: int) -> None:
        super().__init__(
            f"This {what} was changed in the meantime: version {expected} was expected, it has version {current}.",
            currentVersion=current,
        )


class ValidationError(SubgraphError):
    """Input that breaks rules; `extensions.validationErrors` lists [{field, message}]."""

    code = "VALIDATION_ERROR"

    def __init__(self, *violations: tuple[str, str]) -> None:
        sentence = "; ".join(f"{name}: {message}" for name, message in violations)
        super().__init__(
            f"The input is not valid. {sentence}",
            validationErrors=[{"field": name, "message": message} for name, message in violations],
        )


class RateLimitedError(SubgraphError):
    """Too many attempts; `extensions.retryAfterSeconds` says when to come back."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message, retryAfterSeconds=retry_after_seconds)


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
