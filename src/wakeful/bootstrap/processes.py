"""Several server processes on one host behind one socket, started, watched and stopped together."""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType

from wakeful.contracts.errors import ConfigurationError

PAUSE_SECONDS = 1.0
"""How long the place of a process that ended by itself stays empty."""
SETTLED_SECONDS = 5.0
LOOK_SECONDS = 0.1

log = logging.getLogger("wakeful")


def listening(host: str, port: int) -> socket.socket:
    """A socket that all processes accept connections from. Raises `ConfigurationError` when it cannot be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    bound.set_inheritable(True)
    return bound


class Processes:
    """Keeps `count` processes of one command running until it is asked to stop; each inherits `shared`.

    One that has lived for `settled_seconds` proves that the command starts.
    """

    def __init__(
        self, command: Sequence[str], count: int, shared: socket.socket, *, settled_seconds: float = SETTLED_SECONDS
    ) -> None:
        if sys.platform == "win32":
            raise ConfigurationError(
                "several processes behind one port need a POSIX system; on Windows start `wakeful serve --port` "
                "several times behind a proxy"
            )
        self._command = list(command)
        self._count = count
        self._shared = shared
        self._settled_seconds = settled_seconds
        self._children: dict[int, tuple[subprocess.Popen[bytes], float]] = {}
        self._stopping = threading.Event()
        self._proven = False

    def run(self) -> int:
        """Return the exit code once all have ended: 0, or 1 when the command does not even start.

        Signals are passed on: the first SIGTERM or SIGINT lets the processes finish their steps, the second does not.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)
        for _ in range(self._count):
            self._start()
        status = 0
        while self._children:
            status = self._look() or status
            time.sleep(LOOK_SECONDS)
        return status

    def _start(self) -> None:
        child = subprocess.Popen(  # noqa: S603 - our own command line
            self._command, pass_fds=[self._shared.fileno()], start_new_session=True
        )
        self._children[child.pid] = (child, time.monotonic())
        log.info("process %d serves", child.pid)
        if self._stopping.is_set():  # a signal came before the child was known
            child.send_signal(signal.SIGTERM)

    def _look(self) -> int:
        """Replace processes that ended by themselves; 1 when none has ever lasted and one gave up.

        Once the command has proved to start, a process that does not is tried again: its database may be away.
        """
        for pid, (child, began) in list(self._children.items()):
            if child.poll() is None:
                self._proven = self._proven or time.monotonic() - began >= self._settled_seconds
                continue
            del self._children[pid]
            if self._stopping.is_set():
                continue
            if child.returncode > 0 and not self._proven:
                log.error("process %d ended with %s as it started; all are stopped", pid, child.returncode)
                self._stop(signal.SIGTERM)
                return 1
            log.warning("process %d ended with %s; another one takes its place", pid, child.returncode)
            if not self._stopping.wait(PAUSE_SECONDS):
                self._start()
        return 0

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self._stop(number)

    def _stop(self, number: int) -> None:
        self._stopping.set()
        for child, _ in list(self._children.values()):
            child.send_signal(number)
