"""Only what is known to be a record's own fault is told as such; each driver's failures are known by class."""

import asyncpg
import msgspec
import pytest
from aiokafka.errors import KafkaConnectionError, NotLeaderForPartitionError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from events.failures import BadRecordError, Fault, fault_of
from events.upcast import UnknownEventError


def wrapped(error: Exception) -> Exception:
    """As SQLAlchemy raises what asyncpg did."""
    dbapi = AsyncAdapt_asyncpg_dbapi(asyncpg)
    adapted = dbapi.Error("adapted", error)
    adapted.__cause__ = error
    return DBAPIError.instance("SELECT 1", {}, adapted, dbapi.Error)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.CrashShutdownError("of another process"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        asyncpg.DiskFullError("could not extend file"),
        asyncpg.OutOfMemoryError("out of memory"),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        asyncpg.SerializationError("could not serialize access"),
        asyncpg.LockNotAvailableError("lock timeout"),
        asyncpg.QueryCanceledError("statement timeout"),
        asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction"),
        asyncpg.InvalidPasswordError("password authentication failed"),
        asyncpg.PostgresIOError("could not read block"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("got result for unknown protocol state"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_server_may_get_over_is_infrastructure_wrapped_or_not(error: Exception) -> None:
    assert fault_of(error) is Fault.INFRASTRUCTURE
    assert fault_of(wrapped(error)) is Fault.INFRASTRUCTURE


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        EOFError(),
        MemoryError(),
        RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed"),
        PoolTimeoutError("QueuePool limit"),
        KafkaConnectionError(),
        NotLeaderForPartitionError(),
        RedisConnectionError(),
        RedisTimeoutError(),
        ExceptionGroup("of a task group", [OSError(), KafkaConnectionError()]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_network_and_the_other_drivers_raise_is_infrastructure(error: Exception) -> None:
    assert fault_of(error) is Fault.INFRASTRUCTURE


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.NumericValueOutOfRangeError("numeric field overflow"),
        asyncpg.NotNullViolationError("null value"),
        asyncpg.CheckViolationError("violates check constraint"),
        asyncpg.ProgramLimitExceededError("index row requires 40040 bytes, maximum size is 8191"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_data_that_can_never_be_stored_is_the_records_own(error: Exception) -> None:
    assert fault_of(error) is Fault.RECORD
    assert fault_of(wrapped(error)) is Fault.RECORD


@pytest.mark.parametrize("error", [BadRecordError("x"), UnknownEventError("x"), msgspec.ValidationError("x")])
def test_a_record_that_breaks_its_contract_is_the_records_own(error: Exception) -> None:
    assert fault_of(error) is Fault.RECORD


@pytest.mark.parametrize(
    "error",
    [
        ValueError("anything"),
        KeyError("of a handler with a fault"),
        asyncpg.UndefinedTableError("relation does not exist"),
        asyncpg.InternalServerError("cache lookup failed"),
        asyncpg.PostgresSyntaxError("syntax error"),
        ExceptionGroup("one of them unknown", [OSError(), ValueError()]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_all_else_is_unknown(error: Exception) -> None:
    assert fault_of(error) is Fault.UNKNOWN
