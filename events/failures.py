"""Whose fault a failure is, told by error class and SQLSTATE for every driver: asyncpg, SQLAlchemy, aiokafka, redis.

Asked by `consumer` (may this record be parked?), `parked` (may it be replayed?), `measurement` (is the number only unknown?),
`conflicts` (is it to be begun anew?) and the subgraphs' shell (is the client to come back later?).
"""

from collections.abc import Iterator
from enum import StrEnum

import msgspec
from aiokafka.errors import KafkaError
from asyncpg.exceptions import InterfaceError, InternalClientError
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from events.upcast import UnknownEventError

# SQLSTATE classes (PostgreSQL documentation, appendix A) in which the same statement may succeed later.
_INFRASTRUCTURE_CLASSES = frozenset(
    {
        "08",  # connection exception
        "28",  # invalid authorization: a role or a password that is being changed
        "40",  # transaction rollback: serialization failure, deadlock
        "53",  # insufficient resources: disk full, out of memory, too many connections
        "55",  # object not in prerequisite state: lock not available
        "57",  # operator intervention: shutting down, starting up, statement cancelled
        "58",  # system error: input or output of the server itself
    }
)
_CONFLICTS = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_READ_ONLY_TRANSACTION = "25006"  # the server was demoted to a replica
# What is stored can never be: a value out of range, a broken constraint, a text that no index takes.
_DATA_CLASSES = frozenset({"22", "23", "54"})


# What uvloop raises for a write to a connection that was reset a moment ago, whoever wrote.
_CLOSED = "the handler is closed"


class BadRecordError(Exception):
    """A record that contradicts its own contract, whatever the state of the servers; raised by handlers too."""


class Fault(StrEnum):
    """`RECORD`: it will fail for ever. `INFRASTRUCTURE`: waiting helps. `UNKNOWN`: nobody foresaw this failure."""

    RECORD = "record"
    INFRASTRUCTURE = "infrastructure"
    UNKNOWN = "unknown"


def fault_of(failure: BaseException) -> Fault:
    """Whose fault it is. Only what is known to be the record's is said to be: all else is waited for."""
    if isinstance(failure, BaseExceptionGroup):
        return _worst([fault_of(each) for each in failure.exceptions])
    if isinstance(failure, BadRecordError | UnknownEventError | msgspec.MsgspecError):
        return Fault.RECORD
    if isinstance(failure, DBAPIError) and failure.connection_invalidated:
        return Fault.INFRASTRUCTURE
    for each in _with_what_it_wraps(failure):
        state = getattr(each, "sqlstate", None)
        if isinstance(state, str):
            return _fault_of_state(state)
        if isinstance(each, _INFRASTRUCTURE) or (isinstance(each, RuntimeError) and _CLOSED in str(each)):
            return Fault.INFRASTRUCTURE
    return Fault.UNKNOWN


def is_conflict(failure: BaseException) -> bool:
    """Whether Postgres rolled a transaction back, all of it, so that another could go on."""
    return any(getattr(each, "sqlstate", None) in _CONFLICTS for each in _with_what_it_wraps(failure))


# asyncpg's InterfaceError and InternalClientError are about a connection in a state that does not allow the call.
_INFRASTRUCTURE = (
    OSError,  # TimeoutError and ConnectionError are
    EOFError,
    InterfaceError,
    InternalClientError,
    InvalidatePoolError,
    KafkaError,
    MemoryError,  # of this process: less is asked of it later
    PoolTimeoutError,
    RedisError,
)


def _with_what_it_wraps(failure: BaseException) -> Iterator[BaseException]:
    """The failure and, where SQLAlchemy wrapped a driver's, those inside it, outermost first."""
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [failure]
    while todo:
        each = todo.pop(0)
        if each is None or each in seen:
            continue
        seen.append(each)
        yield each
        if isinstance(each, DBAPIError):
            todo.append(each.orig)
        elif isinstance(failure, DBAPIError):
            todo.append(each.__cause__)


def _fault_of_state(state: str) -> Fault:
    if state[:2] in _INFRASTRUCTURE_CLASSES or state == _READ_ONLY_TRANSACTION:
        return Fault.INFRASTRUCTURE
    return Fault.RECORD if state[:2] in _DATA_CLASSES else Fault.UNKNOWN


def _worst(faults: list[Fault]) -> Fault:
    """One fault of many failures at once: a single unknown one makes all of them so."""
    for fault in (Fault.UNKNOWN, Fault.INFRASTRUCTURE):
        if fault in faults:
            return fault
    return Fault.RECORD


def reason_of(failure: BaseException) -> str:
    """One line for logs and tables, of at most 2,000 characters; of a group, one of each failure."""
    if isinstance(failure, BaseExceptionGroup):
        return "; ".join(map(reason_of, failure.exceptions))[:2000]
    return f"{type(failure).__name__}: {failure}"[:2000]
