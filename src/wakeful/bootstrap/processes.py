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
SHORT_LIFE_SECONDS = 5.0
"""A process that gives up sooner than this did not start properly; another one would not either."""
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
    """Keeps `count` processes of one command running until it is asked to stop; each inherits `shared`."""

    def __init__(self, command: Sequence[str], count: int, shared: socket.socket) -> None:
        if sys.platform == "win32":
            raise ConfigurationError(
                "several processes behind one port need a POSIX system; on Windows start `wakeful serve --port` "
                "several times behind a proxy"
            )
        self._command = list(command)
        self._count = count
        self._shared = shared
        self._children: dict[int, tuple[subprocess.Popen[bytes], float]] = {}
        self._stopping = threading.Event()

    def run(self) -> int:
        """Return the exit code once all have ended: 0, or 1 when one could not be started.

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

    def _look(self) -> int:
        """Replace processes that ended by themselves; 1 when one of them did not even start."""
        for pid, (child, began) in list(self._children.items()):
            if child.poll() is None:
                continue
            del self._children[pid]
            if self._stopping.is_set():
                continue
            if child.returncode > 0 and time.monotonic() - began < SHORT_LIFE_SECONDS:
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
