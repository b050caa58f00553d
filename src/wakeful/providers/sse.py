"""Reads server-sent events out of arbitrary network reads, incrementally and without decoding text.

Source: WHATWG HTML, "Server-sent events", 9.2.5 and 9.2.6. Only the `data` field matters to the model vendors; the
event name repeats what the data says.
"""

from __future__ import annotations

from wakeful.contracts.model_errors import MalformedReply

MAX_EVENT_BYTES = 8 * 1024 * 1024


class EventReader:
    """Collects network reads and hands out the `data` of each event they complete.

    Works on bytes, so a read may end anywhere: inside a line, between CR and LF, inside a UTF-8 sequence. An event
    that no blank line closed is not handed out.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._after_cr = False
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, read: bytes) -> list[bytes]:
        """The data of all events completed by `read`, in order. Raises `MalformedReply` on an endless event."""
        return [data for line in self._lines(read) if (data := self._take(line)) is not None]

    def _lines(self, read: bytes) -> list[bytes]:
        if self._after_cr and read.startswith(b"\n"):
            read = read[1:]
        self._after_cr = read.endswith(b"\r")
        lines = (self._rest + read).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith((b"\r", b"\n")) else b""
        self._guard(len(self._rest))
        return [line.rstrip(b"\r\n") for line in lines]

    def _take(self, line: bytes) -> bytes | None:
        if line.startswith(b"data:"):
            value = line[6:] if line.startswith(b"data: ") else line[5:]
            self._data.append(value)
            self._size += len(value)
            self._guard(self._size)
        elif not line and self._data:
            data = b"\n".join(self._data)
            self._data.clear()
            self._size = 0
            return data
        return None

    def _guard(self, size: int) -> None:
        if size > MAX_EVENT_BYTES:
            raise MalformedReply(f"an event of the stream is larger than {MAX_EVENT_BYTES} bytes")
