"""Turns what the database driver raises into errors of our own tree."""

from __future__ import annotations

import sqlite3

from wakeful.contracts.errors import BadRequest, Conflict, StoreUnavailable, WakefulError

DRIVER_ERRORS = (sqlite3.Error, OverflowError, UnicodeEncodeError)


def readable(error: Exception, database: str) -> Exception:
    """The error to raise instead; `database` is the file's name. Ours, and defects, stay as they are."""
    match error:
        case WakefulError():
            return error
        case OverflowError() | UnicodeEncodeError():
            return BadRequest("a number or text is outside what the database can hold; send a smaller or valid one")
        case sqlite3.IntegrityError():
            return Conflict("the database already holds another row with this identity; read it again and retry")
        case sqlite3.Error():
            return StoreUnavailable(f"database {database}: {_advice(error)}")
        case _:
            return error


def _advice(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return {
        sqlite3.SQLITE_BUSY: "locked by another process; close it or try again",
        sqlite3.SQLITE_LOCKED: "locked by another connection; try again",
        sqlite3.SQLITE_FULL: "the disk is full; free some space",
        sqlite3.SQLITE_READONLY: "the file or its folder is read-only; make both writable for this user",
        sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; check that its folder exists and is writable",
        sqlite3.SQLITE_PERM: "access was denied; make the file and its folder accessible to this user",
        sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a backup",
        sqlite3.SQLITE_NOTADB: "the file is not a SQLite database; choose another path",
        sqlite3.SQLITE_IOERR: "reading or writing the disk failed; check the disk and the room on it",
    }.get(code, f"the database failed ({getattr(error, 'sqlite_errorname', 'closed')})")
