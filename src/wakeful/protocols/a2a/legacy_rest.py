"""The HTTP+JSON binding of A2A 0.3: its paths begin with `/v1` below the address of the card."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.errors import BadRequest, WakefulError
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.a2a import legacy_proto, wire
from wakeful.protocols.a2a.calls import Calls
from wakeful.protocols.a2a.card import with_legacy
from wakeful.protocols.a2a.decode import read
from wakeful.protocols.a2a.encode import Dialect
from wakeful.protocols.a2a.faults import INVALID_REQUEST, Fault, fault_of, legacy_answer
from wakeful.protocols.a2a.rest import Handler, push_named, queried
from wakeful.server.body import parse_json, read_json

OLD = Dialect(version="0.3")


def faulty(handler: Handler) -> Handler:
    """The handler, its errors as those of 0.3."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except WakefulError as error:
            return legacy_answer(fault_of(error))

    return handle


class LegacyRest:
    """One method per operation."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def send(self, request: Request) -> Response:
        """POST message:send."""
        caller = self._calls.caller(request)
        asked = read(legacy_proto.send(await _body(request)), wire.SendRequest)
        found = await self._calls.send(caller, asked, OLD)
        return _json({"task": legacy_proto.task(found.task)})

    async def stream(self, request: Request) -> Response:
        """POST message:stream."""
        caller = self._calls.caller(request)
        asked = read(legacy_proto.send(await _body(request)), wire.SendRequest)
        return await self._calls.stream(caller, asked, OLD)

    async def get(self, request: Request) -> Response:
        """GET tasks/{id}; a `historyLength` of 0 is no limit."""
        asked = queried(request, wire.TaskRequest)
        length = asked.history_length or None
        found = msgspec.structs.replace(asked, id=request.path_params["task"], history_length=length)
        return _json(legacy_proto.task(await self._calls.get(self._calls.caller(request), found)))

    async def cancel(self, request: Request) -> Response:
        """POST tasks/{id}:cancel."""
        asked = wire.TaskRequest(id=request.path_params["task"])
        return _json(legacy_proto.task(await self._calls.cancel(self._calls.caller(request), asked)))

    async def subscribe(self, request: Request) -> Response:
        """GET or POST tasks/{id}:subscribe."""
        return await self._calls.subscribe(self._calls.caller(request), request.path_params["task"], OLD, request)

    async def create_push(self, request: Request) -> Response:
        """POST tasks/{id}/pushNotificationConfigs."""
        caller = self._calls.caller(request)
        asked = read(legacy_proto.push(await _body(request), request.path_params["task"]), wire.PushConfig)
        return _json(legacy_proto.push_config(await self._calls.create_push(caller, asked, OLD)))

    async def get_push(self, request: Request) -> Response:
        """GET tasks/{id}/pushNotificationConfigs/{config}."""
        found = await self._calls.get_push(self._calls.caller(request), push_named(request))
        return _json(legacy_proto.push_config(found))

    async def list_push(self, request: Request) -> Response:
        """GET tasks/{id}/pushNotificationConfigs."""
        asked = msgspec.structs.replace(queried(request, wire.PushRequest), task_id=request.path_params["task"])
        return _json(legacy_proto.push_configs(await self._calls.list_push(self._calls.caller(request), asked)))

    async def delete_push(self, request: Request) -> Response:
        """DELETE tasks/{id}/pushNotificationConfigs/{config}."""
        await self._calls.delete_push(self._calls.caller(request), push_named(request))
        return _json({})

    async def extended_card(self, request: Request) -> Response:
        """GET card: the extended one."""
        found = self._calls.extended_card(self._calls.caller(request), request)
        return _json(legacy_proto.card(with_legacy(found)))


async def _body(request: Request) -> JsonValue:
    body = await read_json(request)
    try:
        return parse_json(body)
    except BadRequest as error:
        raise Fault(INVALID_REQUEST, error.message) from None


def _json(body: JsonObject) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
