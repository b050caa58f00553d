"""The HTTP+JSON binding of A2A 1.0."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.errors import BadRequest, WakefulError
from wakeful.protocols.a2a import wire
from wakeful.protocols.a2a.calls import Calls
from wakeful.protocols.a2a.decode import read
from wakeful.protocols.a2a.encode import Dialect
from wakeful.protocols.a2a.faults import INVALID_REQUEST, Fault, fault_of, invalid, rest_answer
from wakeful.protocols.a2a.version import only_1_0
from wakeful.protocols.a2a.wire import MEDIA_TYPE
from wakeful.server.body import parse_json, read_json

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
PLAIN = Dialect()


def faulty(handler: Handler) -> Handler:
    """The handler, its errors as A2A's; it is only asked in 1.0."""

    async def handle(request: Request) -> Response:
        try:
            only_1_0(request)
            return await handler(request)
        except WakefulError as error:
            return rest_answer(fault_of(error))

    return handle


class Rest:
    """One method per operation."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def send(self, request: Request) -> Response:
        """POST message:send."""
        asked = await self._body(request, wire.SendRequest)
        return _json(await self._calls.send(self._calls.caller(request, asked.tenant), asked, PLAIN))

    async def stream(self, request: Request) -> Response:
        """POST message:stream."""
        asked = await self._body(request, wire.SendRequest)
        return await self._calls.stream(self._calls.caller(request, asked.tenant), asked, PLAIN)

    async def get(self, request: Request) -> Response:
        """GET tasks/{id}."""
        asked = queried(request, wire.TaskRequest)
        found = msgspec.structs.replace(asked, id=request.path_params["task"])
        return _json(await self._calls.get(self._calls.caller(request, asked.tenant), found))

    async def list(self, request: Request) -> Response:
        """GET tasks."""
        asked = queried(request, wire.ListRequest)
        return _json(await self._calls.list(self._calls.caller(request, asked.tenant), asked))

    async def cancel(self, request: Request) -> Response:
        """POST tasks/{id}:cancel."""
        asked = wire.TaskRequest(id=request.path_params["task"])
        return _json(await self._calls.cancel(self._calls.caller(request), asked))

    async def subscribe(self, request: Request) -> Response:
        """GET or POST tasks/{id}:subscribe."""
        task_id = request.path_params["task"]
        return await self._calls.subscribe(self._calls.caller(request), task_id, PLAIN, request)

    async def create_push(self, request: Request) -> Response:
        """POST tasks/{id}/pushNotificationConfigs."""
        asked = await self._body(request, wire.PushConfig)
        task_id = request.path_params["task"]
        if asked.task_id not in ("", task_id):
            raise invalid("taskId", f"the path names task {task_id}, the body {asked.task_id}; expected the same")
        config = msgspec.structs.replace(asked, task_id=task_id)
        return _json(await self._calls.create_push(self._calls.caller(request, asked.tenant), config, PLAIN))

    async def get_push(self, request: Request) -> Response:
        """GET tasks/{id}/pushNotificationConfigs/{config}."""
        return _json(await self._calls.get_push(self._calls.caller(request), push_named(request)))

    async def list_push(self, request: Request) -> Response:
        """GET tasks/{id}/pushNotificationConfigs."""
        asked = msgspec.structs.replace(queried(request, wire.PushRequest), task_id=request.path_params["task"])
        return _json(await self._calls.list_push(self._calls.caller(request), asked))

    async def delete_push(self, request: Request) -> Response:
        """DELETE tasks/{id}/pushNotificationConfigs/{config}."""
        await self._calls.delete_push(self._calls.caller(request), push_named(request))
        return _json({})

    async def extended_card(self, request: Request) -> Response:
        """GET extendedAgentCard."""
        return _json(self._calls.extended_card(self._calls.caller(request), request))

    async def _body(self, request: Request, shape: type[T]) -> T:
        self._calls.caller(request)
        body = await read_json(request)
        try:
            sent = parse_json(body)
        except BadRequest as error:
            raise Fault(INVALID_REQUEST, error.message) from None
        return read(sent, shape)


def push_named(request: Request) -> wire.PushRequest:
    """The subscription that the path names."""
    return wire.PushRequest(task_id=request.path_params["task"], id=request.path_params["config"])


def queried(request: Request, shape: type[T]) -> T:
    """The query parameters in a shape; those of other purposes are not looked at."""
    return read(dict(request.query_params), shape)


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type=MEDIA_TYPE)
