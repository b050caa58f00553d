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
        lines = (self._rest + self._unified(read)).split(b"\n")
        self._rest = lines.pop()
        self._guard(len(self._rest))
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if line[:5] == b"data:":
                data.append(line[6:] if line[5:6] == b" " else line[5:])
                self._size += len(line)
                self._guard(self._size)
            elif not line and data:
                events.append(b"\n".join(data))
                data.clear()
                self._size = 0
        return events

    def _unified(self, read: bytes) -> bytes:
        """The read with LF for every line ending; a CR counts at once, and an LF right behind it is skipped."""
        if self._after_cr and read.startswith(b"\n"):
            read = read[1:]
        self._after_cr = read.endswith(b"\r")
        return read.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in read else read

    def _guard(self, size: int) -> None:
        if size > MAX_EVENT_BYTES:
            raise MalformedReply(f"an event of the stream is larger than {MAX_EVENT_BYTES} bytes")
