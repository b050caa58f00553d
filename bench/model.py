"""A model server that costs little: it streams what the last user message asks for. `python -m bench.model`.

Speaks the streaming part of chat completions (OpenAI API reference, "Chat completions"). What it understands:

| the user says | the reply |
|---|---|
| `say 200` | 200 words as fast as the socket takes them, in bytes that were made before |
| `say 40 every 25 ms` | 40 words, each `<nanoseconds of the machine's monotonic clock>;` |
| `flood` | words without end, as fast as they are read |
| `hang` | nothing, for ever |
| `call look_up then say 1` | a call of that tool, and after its result the rest of the sentence |
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from functools import lru_cache
from typing import Any, cast

import msgspec

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
REFUSED = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
SCRIPT = re.compile(
    r"(?:call (?P<tool>\w+) then )?(?:say (?P<words>\d+)(?: every (?P<pause>\d+) ms)?|(?P<rest>hang|flood))"
)
WORD = "word and "
BLOCK = 100
"""Words of a flood that are written at once."""
BACKLOG = 8192


class Said(msgspec.Struct, frozen=True):
    """A message of the prompt."""

    role: str
    content: Any = None


class Prompt(msgspec.Struct, frozen=True):
    """What matters of a request."""

    messages: list[Said]


_prompts = msgspec.json.Decoder(Prompt)


def chunk(content: bytes) -> bytes:
    """A piece of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def frame(delta: Any, finish: str | None = None) -> bytes:
    """One event: a piece of the reply."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    event = {"id": "reply", "object": "chat.completion.chunk", "model": "scripted", "choices": [choice]}
    return b"data: %b\n\n" % msgspec.json.encode(event)


def ending(finish: str, words: int) -> bytes:
    """The events after the last word, and the end of the body."""
    usage = {"prompt_tokens": 1, "completion_tokens": words, "total_tokens": words + 1}
    last = msgspec.json.encode({"id": "reply", "object": "chat.completion.chunk", "choices": [], "usage": usage})
    return chunk(frame({}, finish) + b"data: %b\n\ndata: [DONE]\n\n" % last) + b"0\r\n\r\n"


@lru_cache(maxsize=64)
def burst(words: int) -> bytes:
    """A whole reply of so many words."""
    return HEAD + chunk(frame({"content": WORD}) * words) + ending("stop", words)


@lru_cache(maxsize=8)
def calling(tool: str) -> bytes:
    """A whole reply that calls a tool."""
    call = {"index": 0, "id": "call-1", "type": "function", "function": {"name": tool, "arguments": '{"city":"Paris"}'}}
    return HEAD + chunk(frame({"tool_calls": [call]})) + ending("tool_calls", 1)


FLOOD = chunk(frame({"content": WORD}) * BLOCK)


class Reply(asyncio.Protocol):
    """One connection; one request at a time is answered."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None
        self._flooding = False
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head) if found else None
        if length is not None and len(rest) >= int(length[1]):
            self._received = rest[int(length[1]) :]
            self._answer(rest[: int(length[1])])

    def connection_lost(self, exc: Exception | None) -> None:
        self._flooding = False
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if self._flooding:
            self._timer = self._loop.call_soon(self._flood)

    def _answer(self, body: bytes) -> None:
        messages = _prompts.decode(body).messages
        script = SCRIPT.fullmatch(next(str(said.content) for said in reversed(messages) if said.role == "user"))
        if script is None:
            self._transport.write(REFUSED)
        elif script["tool"] and messages[-1].role != "tool":
            self._transport.write(calling(script["tool"]))
        elif script["rest"]:
            self._transport.write(HEAD)
            self._flooding = script["rest"] == "flood"
            if self._flooding:
                self._flood()
        elif script["pause"]:
            self._transport.write(HEAD)
            self._say(int(script["words"]), int(script["words"]), int(script["pause"]) / 1000, self._loop.time())
        else:
            self._transport.write(burst(int(script["words"])))

    def _flood(self) -> None:
        self._transport.write(FLOOD)
        if not self._full and self._flooding:
            self._timer = self._loop.call_soon(self._flood)

    def _say(self, left: int, words: int, pause: float, at: float) -> None:
        """Say a word at its time; one that is late does not make the next one late."""
        if left == 0:
            self._transport.write(ending("stop", words))
            return
        self._transport.write(chunk(frame({"content": f"{time.monotonic_ns()};"})))
        self._timer = self._loop.call_at(at + pause, self._say, left - 1, words, pause, at + pause)


async def answering(port: int = 0) -> asyncio.Server:
    """A model server on this machine; `server.sockets[0].getsockname()[1]` is its port."""
    return await asyncio.get_running_loop().create_server(Reply, "127.0.0.1", port, backlog=BACKLOG)


async def serve() -> None:
    """Answer until killed, or until whoever started it is gone: then its input ends."""
    server = await answering()
    sys.stdout.write(f"running on http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Serve on a free port, which is printed."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    from bench.machine import run

    run(serve())


if __name__ == "__main__":
    main()
