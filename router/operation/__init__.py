"""From an operation's text to the normalised `Operation` and its coerced variables."""

from router.operation.document import (
    DEFAULT_LIMITS,
    DocumentLimits,
    parse_and_validate,
    parse_document,
    validate_document,
)
from router.operation.normalize import normalize
from router.operation.operation import OPERATION_BYTES_PER_FIELD, Operation
from router.operation.variables import VariableCoercion, coerce_variables

__all__ = [
    "DEFAULT_LIMITS",
    "OPERATION_BYTES_PER_FIELD",
    "DocumentLimits",
    "Operation",
    "VariableCoercion",
    "coerce_variables",
    "normalize",
    "parse_and_validate",
    "parse_document",
    "validate_document",
]
