"""Turns what the database driver raises into errors of our own tree."""

from __future__ import annotations

from asyncpg import exceptions  # pyright: ignore[reportMissingTypeStubs]  the driver brings no types

from wakeful.contracts.errors import BadRequest, ConfigurationError, Conflict, Damaged, StoreUnavailable, WakefulError

DRIVER_ERRORS = (
    exceptions.PostgresError,
    exceptions.InterfaceError,
    exceptions.InternalClientError,
    OSError,  # TimeoutError among them
    OverflowError,
    UnicodeEncodeError,
)

# Nothing was written, and the same transaction may well succeed now that another one is through.
TRY_AGAIN = (
    exceptions.SerializationError,
    exceptions.DeadlockDetectedError,
    exceptions.IntegrityConstraintViolationError,
    exceptions.InvalidCachedStatementError,
    exceptions.OutdatedSchemaCacheError,
)

# Asked of the server, or found by the driver before it asks: NUL characters, lone surrogates, numbers beyond 64 bits.
OUT_OF_RANGE = (exceptions.DataError, OverflowError, UnicodeEncodeError)

ADVICE: dict[type[Exception], str] = {
    exceptions.InvalidPasswordError: "the password is wrong; correct the store URL",
    exceptions.InvalidAuthorizationSpecificationError: "the user may not connect; correct the store URL or the rights",
    exceptions.InvalidCatalogNameError: "there is no such database; create it",
    exceptions.TooManyConnectionsError: "the server has no connection left; lower pool_size or raise max_connections",
    exceptions.CannotConnectNowError: "the server is starting or stopping; try again",
    exceptions.AdminShutdownError: "the server ended the connection; try again",
    exceptions.CrashShutdownError: "the server ended the connection; try again",
    exceptions.QueryCanceledError: "the statement was cancelled; try again",
    exceptions.LockNotAvailableError: "another transaction holds a lock for too long; look for a stuck one",
    exceptions.IdleInTransactionSessionTimeoutError: "the process paused inside a transaction; try again",
    exceptions.DiskFullError: "the server's disk is full; free some space",
    exceptions.ReadOnlySQLTransactionError: "the server is read-only; connect to the primary",
    exceptions.InsufficientPrivilegeError: "the user lacks a right; grant it the tables and the schema",
    exceptions.UndefinedTableError: "a table is missing; run `wakeful db upgrade`",
    exceptions.UndefinedColumnError: "a column is missing; run `wakeful db upgrade`",
    exceptions.UndefinedObjectError: "the server knows no such setting; correct the parameters of the store URL",
    TimeoutError: "no answer in time; check the server and the network",
    ConnectionRefusedError: "nobody listens there; start the server or correct the store URL",
    OSError: "the connection failed; check the server and the network",
    exceptions.InterfaceError: "the connection was closed; try again",
    exceptions.InternalClientError: "the connection was lost or not understood; try again",
    exceptions.PostgresConnectionError: "the connection was lost; try again",
}
"""What an operator is told, by the nearest class of the error."""


def readable(error: BaseException, database: str) -> BaseException:
    """The error to raise instead; `database` is its name. Ours, and defects, stay as they are."""
    if isinstance(error, WakefulError) or not isinstance(error, DRIVER_ERRORS):
        return error
    return _translated(error, database)


def _translated(error: Exception, database: str) -> WakefulError:
    match error:
        case exceptions.ClientConfigurationError():
            return ConfigurationError(f"store URL: the driver cannot use it ({error}); correct it and start again")
        case _ if isinstance(error, OUT_OF_RANGE):
            return BadRequest("a number or text is outside what the database can hold; send a smaller or valid one")
        case exceptions.IntegrityConstraintViolationError():
            return Conflict("the database already holds another row with this identity; read it again and retry")
        case exceptions.DataCorruptedError() | exceptions.IndexCorruptedError():
            return Damaged(f"database {database}: its files are damaged; restore it from a backup")
        case _:
            return StoreUnavailable(f"database {database}: {_advice(error)}")


def _advice(error: Exception) -> str:
    for ancestor in type(error).__mro__:
        if ancestor in ADVICE:
            return ADVICE[ancestor]
    return f"the database failed ({getattr(error, 'sqlstate', None) or type(error).__name__}); see the server's log"
