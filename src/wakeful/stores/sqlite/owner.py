"""Whether this process is the only one that has a database file open.

Everybody who opens the database holds a shared lock on `<database>-owner`, which the operating system drops when a
process ends, however it ends. Who gets the lock for itself alone while opening is alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class Owner:
    """A lock held until `release`. `alone` is how it was on opening.

    Another process may open the database a moment later, while this one still acts on being alone. That breaks at
    most the leases granted in this moment, which the tokens make harmless: that work is done again.
    """

    def __init__(self, database: Path) -> None:
        self._file: int | None = None
        self.alone = False
        if sys.platform == "win32":
            return  # nobody is ever known to be alone: leases simply run out
        try:
            self._file = os.open(f"{database}-owner", os.O_RDWR | os.O_CREAT, 0o644)
            self.alone = _lock_alone(self._file)
            fcntl.flock(self._file, fcntl.LOCK_SH)
        except OSError:
            self.alone = False  # a file system without locks

    def release(self) -> None:
        """Let others be alone. Idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _lock_alone(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
