"""One UI message stream in the making: what is open on it, and the chunks that open and close that.

Text and reasoning never overlap; both are closed before a tool call, a file, a step's end and the stream's end. A
source may be named in the middle of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from wakeful.contracts.event import ReasoningSealed
from wakeful.contracts.message import FilePart, SourcePart
from wakeful.protocols.ai_sdk import build, chunks, parts
from wakeful.protocols.ai_sdk.dialects import Dialect

Block = Literal["text", "reasoning"]
_json = msgspec.json.encode


class Stream:
    """Collects chunks until they are taken. `opening` gives those that a segment begins with."""

    def __init__(self, dialect: Dialect, opening: Callable[[], Iterable[msgspec.Struct]]) -> None:
        self._dialect: Dialect = dialect
        self._opening = opening
        self._out: list[bytes] = []
        self._open: Block | None = None
        self._block_id = ""
        self._delta = b""
        self._blocks: dict[Block, int] = {"text": 0, "reasoning": 0}
        self._citations: list[parts.Citation] = []
        self.started = self.ended = False
        self.in_step = False
        self.stepped = False
        """Whether this segment has shown a step of its own."""

    def take(self) -> list[bytes]:
        """The chunks since the last time, each one JSON object without SSE framing."""
        taken, self._out = self._out, []
        return taken

    def put(self, chunk: msgspec.Struct) -> None:
        """Add a chunk that may stand here."""
        self._out.append(_json(chunk))

    def put_bytes(self, chunk: bytes) -> None:
        """Add a chunk that is JSON already."""
        self._out.append(chunk)

    # -- segments and steps

    def start(self) -> None:
        """Open the segment, unless it is."""
        if self.started:
            return
        self.started = True
        for chunk in self._opening():
            self.put(chunk)

    def go_on(self) -> None:
        """After the end of a segment: the next one may begin."""
        if self.ended:
            self.started = self.ended = self.stepped = False

    def end(self, *last: chunks.Chunk) -> None:
        """Close what is open and end the segment with these chunks."""
        self.leave_step()
        self.start()
        for chunk in last:
            self.put(chunk)
        self.ended = True

    def enter_step(self) -> None:
        """Be inside a step."""
        self.start()
        self.stepped = True
        if not self.in_step:
            self.in_step = True
            self.put(chunks.StartStep())

    def leave_step(self) -> None:
        """Be outside of any step."""
        self.close_block()
        if self.in_step:
            self.in_step = False
            self.put(chunks.FinishStep())

    # -- text, reasoning, sources and files

    def more(self, kind: Block, delta: str) -> None:
        """More text or reasoning."""
        if self._open != kind:
            self._open_block(kind)
        self._out.append(self._delta + _json(delta) + b"}")

    def close_block(self) -> None:
        """End the text or reasoning that is open, if any."""
        if self._open == "text":
            self.put(chunks.TextEnd(self._block_id, tuple(self._citations)))
            self._citations.clear()
        elif self._open == "reasoning":
            self.put(chunks.ReasoningEnd(self._block_id))
        self._open = None

    def seal(self, sealed: ReasoningSealed) -> None:
        """Signatures stay on the server, which owns the history; a cipher is passed on as the block's data."""
        block_id = self._block_id if self._open == "reasoning" else None
        self.close_block()
        if sealed.encrypted:
            self.enter_step()
            block_id = block_id or self._next_id("reasoning")
            data = {"encryptedValue": sealed.encrypted}
            self.put(chunks.DataReasoningEncrypted(id=block_id, data=data, transient=True))

    def cite(self, source: SourcePart) -> None:
        """A source of the reply; open text goes on after it and, from major 7 on, has it among its citations."""
        if self._open != "text":
            self.close_block()
        elif self._dialect == "7":
            self._citations.append(build.citation(source))
        self.enter_step()
        self.put(build.source(source))

    def add_file(self, file: FilePart) -> None:
        """A file of the reply."""
        self.add_part(parts.File(file.media_type, file.url))

    def add_part(self, part: parts.File | parts.DataValue | parts.Artifact) -> None:
        """A whole part of the reply; text and reasoning before it end."""
        self.close_block()
        self.enter_step()
        self.put(part)

    def _open_block(self, kind: Block) -> None:
        self.close_block()
        self.enter_step()
        self._open = kind
        self._block_id = self._next_id(kind)
        self._delta = f'{{"type":"{kind}-delta","id":"{self._block_id}","delta":'.encode()
        self.put(chunks.TextStart(self._block_id) if kind == "text" else chunks.ReasoningStart(self._block_id))

    def _next_id(self, kind: Block) -> str:
        number = self._blocks[kind]
        self._blocks[kind] = number + 1
        return f"txt_{number}" if kind == "text" else f"rsn_{number}"
