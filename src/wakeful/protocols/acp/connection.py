"""JSON-RPC 2.0 over lines: requests of both sides, each one message a line (ACP version 1, transports)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TypeVar

import msgspec

from wakeful.contracts.errors import BadRequest, NotFound, Unauthorised, WakefulError
from wakeful.contracts.json import JsonValue
from wakeful.protocols.acp import content, decode, requests
from wakeful.protocols.acp.client import Client, ClientRefused
from wakeful.protocols.acp.methods import MethodNotFound, Methods, NotInitialized, Reply, RunFailed
from wakeful.server.pipes import Lines

S = TypeVar("S")
MOST_REQUESTS = 100
"""How many requests of a client may be open at a time."""
LONGEST_MESSAGE = 1000
PARSE, INVALID, UNKNOWN_METHOD, BAD_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
CANCELLED, UNAUTHORISED, MISSING = -32800, -32000, -32002
CODES: dict[type[WakefulError], int] = {
    WakefulError: INTERNAL,
    BadRequest: BAD_PARAMS,
    NotFound: MISSING,
    Unauthorised: UNAUTHORISED,
    MethodNotFound: UNKNOWN_METHOD,
    NotInitialized: INVALID,
}
_json = msgspec.json.encode
_messages = msgspec.json.Decoder(requests.Incoming)
log = logging.getLogger("wakeful.acp")


class Connection:
    """One client. `run` returns at the end of its input, or when it does not listen any more."""

    def __init__(self, lines: Lines, methods: Callable[[Client], Methods]) -> None:
        self._lines = lines
        self._methods = methods(self)
        self._asked: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._count = 0
        self._answering: set[requests.RequestId] = set()
        self._prompts: dict[requests.RequestId, msgspec.Raw] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._over = False

    async def run(self) -> None:
        """Serve. What still goes on at the end is left: its runs do not need the client."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                while (line := await self._next()) is not None:
                    await self._take(line)
                self._over = True
                for task in self._tasks:
                    task.cancel()
        except* OSError:  # nobody listens any more
            pass

    # -- to the client

    async def update(self, session_id: str, payload: bytes) -> None:
        """One `session/update`."""
        head = b'{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":'
        await self._lines.write(b'%b%b,"update":%b}}' % (head, _json(session_id), payload))

    async def ask(self, method: str, params: msgspec.Struct, answer: type[S]) -> S:
        """A request of ours."""
        self._count += 1
        number = self._count
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            await self._lines.write(_json({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
            return msgspec.json.decode(await future, type=answer)
        except asyncio.CancelledError:
            await self._call_off(number)
            raise
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise ClientRefused(f"the client's answer to {method} cannot be read: {error}") from None
        finally:
            del self._asked[number]

    async def _call_off(self, number: int) -> None:
        if self._over:
            return
        params = {"requestId": number}
        with suppress(OSError):
            await self._lines.write(_json({"jsonrpc": "2.0", "method": "$/cancel_request", "params": params}))

    async def _refuse(self, request_id: requests.RequestId, code: int, message: str, reason: str | None) -> None:
        error: dict[str, JsonValue] = {"code": code, "message": content.one_line(message, LONGEST_MESSAGE)}
        if reason is not None:
            error["data"] = {"code": reason}
        await self._lines.write(_json({"jsonrpc": "2.0", "id": request_id, "error": error}))

    # -- from the client

    async def _next(self) -> bytes | None:
        while True:
            try:
                return await self._lines.read()
            except BadRequest as error:
                await self._refuse(None, INVALID, error.message, error.code)

    async def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            message = _messages.decode(line)
        except (msgspec.ValidationError, RecursionError) as error:
            await self._refuse(None, INVALID, f"expected one JSON-RPC 2.0 message: {error}", None)
            return
        except (msgspec.DecodeError, UnicodeError) as error:
            await self._refuse(None, PARSE, f"expected one line of JSON: {error}", None)
            return
        if isinstance(message.method, str):
            await self._take_call(message, message.method)
        elif isinstance(message.id, int) and (asked := self._asked.get(message.id)) and not asked.done():
            _settle(asked, message)
        elif message.result is msgspec.UNSET and message.error is msgspec.UNSET:
            request_id = None if message.id is msgspec.UNSET else message.id
            await self._refuse(request_id, INVALID, "expected a method, a result or an error", None)

    async def _take_call(self, message: requests.Incoming, method: str) -> None:
        request_id = message.id
        if request_id is msgspec.UNSET:
            self._spawn(self._notice(method, message.params))
        elif message.jsonrpc != "2.0":
            await self._refuse(request_id, INVALID, "expected the member jsonrpc to be '2.0'", None)
        elif request_id in self._answering:
            await self._refuse(request_id, INVALID, f"the id {request_id!r} is in use; give each request its own", None)
        elif len(self._answering) >= MOST_REQUESTS:
            await self._refuse(request_id, INTERNAL, f"more than {MOST_REQUESTS} requests are open; wait", "backlogged")
        else:
            self._answering.add(request_id)
            if method == "session/prompt":
                self._prompts[request_id] = message.params
            self._spawn(self._answer(request_id, method, message.params))

    async def _notice(self, method: str, params: msgspec.Raw) -> None:
        """Notifications are never answered; unknown ones are nothing to us."""
        if method == "session/cancel":
            self._methods.cancel(params)
        elif method == "$/cancel_request":
            with suppress(BadRequest):
                prompt = self._prompts.get(decode.params(params, requests.CancelRequest).request_id)
                if prompt is not None:
                    self._methods.cancel(prompt)

    async def _answer(self, request_id: requests.RequestId, method: str, params: msgspec.Raw) -> None:
        try:
            reply = await self._methods.call(method, params)
        except WakefulError as error:
            code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
            reason = error.reason if isinstance(error, RunFailed) else error.code
            await self._refuse(request_id, code, error.message, reason)
            return
        except Exception:
            log.exception("a %s request failed", method)
            await self._refuse(request_id, INTERNAL, "something went wrong inside the agent; its log says what", None)
            return
        finally:
            self._answering.discard(request_id)
            self._prompts.pop(request_id, None)
        await self._lines.write(_json({"jsonrpc": "2.0", "id": request_id, "result": reply.result}))
        await self._after(reply)

    async def _after(self, reply: Reply) -> None:
        if reply.then is None:
            return
        try:
            await reply.then()
        except Exception:
            log.exception("a session cannot be followed any more")

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        assert self._group is not None, "run comes first"  # noqa: S101 - an invariant of this class
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _settle(asked: asyncio.Future[msgspec.Raw], message: requests.Incoming) -> None:
    if message.result is not msgspec.UNSET:
        asked.set_result(message.result)
    else:
        asked.set_exception(ClientRefused("the client answered a request of ours with an error"))
