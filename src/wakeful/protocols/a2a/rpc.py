"""The JSON-RPC binding: one path, in 1.0 and in 0.3."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.errors import BadRequest, WakefulError
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.a2a import legacy, wire
from wakeful.protocols.a2a.calls import Calls
from wakeful.protocols.a2a.card import with_legacy
from wakeful.protocols.a2a.decode import camel_case, read
from wakeful.protocols.a2a.encode import Dialect
from wakeful.protocols.a2a.faults import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    VERSION_NOT_SUPPORTED,
    Fault,
    Violation,
    fault_of,
    rpc_answer,
)
from wakeful.protocols.a2a.version import HEADER, spoken
from wakeful.server.body import parse_json, read_json

T = TypeVar("T")
Method = Callable[["Rpc", Request, JsonObject, Dialect], Awaitable[object]]


class Rpc:
    """Answers JSON-RPC requests."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def answer(self, request: Request) -> Response:
        """One request; what goes wrong is a JSON-RPC error."""
        rpc_id: str | int | None = None
        try:
            self._calls.caller(request)
            asked = _parsed(await read_json(request))
            rpc_id = _id(asked)
            dialect = Dialect(version=spoken(request), rpc_id=rpc_id, rpc=True)
            name, params = _method(asked, dialect)
            result = await METHODS[name](self, request, params, dialect)
        except WakefulError as error:
            return rpc_answer(fault_of(error), rpc_id)
        if isinstance(result, Response):
            return result
        body = {"jsonrpc": "2.0", "id": rpc_id, "result": result if dialect.version == "1.0" else _legacy(result)}
        return Response(msgspec.json.encode(body), media_type="application/json")

    async def send(self, request: Request, params: JsonObject, dialect: Dialect) -> object:
        """SendMessage."""
        asked = read(params, wire.SendRequest)
        return await self._calls.send(self._calls.caller(request, asked.tenant), asked, dialect)

    async def stream(self, request: Request, params: JsonObject, dialect: Dialect) -> object:
        """SendStreamingMessage."""
        asked = read(params, wire.SendRequest)
        return await self._calls.stream(self._calls.caller(request, asked.tenant), asked, dialect)

    async def get(self, request: Request, params: JsonObject, dialect: Dialect) -> object:
        """GetTask."""
        asked = read(params, wire.TaskRequest)
        return await self._calls.get(self._calls.caller(request, asked.tenant), asked)

    async def list(self, request: Request, params: JsonObject, dialect: Dialect) -> object:
        """ListTasks."""
        asked = read(params, wire.ListRequest)
        return await self._calls.list(self._calls.caller(request, asked.tenant), asked)

    async def cancel(self, request: Request, params: JsonObject, dialect: Dialect) -> object:
        """CancelTask."""
        asked = read(params, wire.TaskRequest)
        return await self._calls.cancel(self._calls.caller(request, asked.tenant), asked)

    async def subscribe(self, request: Request, params: JsonObject, dialect: Dialect) -> object:
        """SubscribeToTask."""
        asked = read(params, wire.TaskRequest)
        return await self._calls.subscribe(self._calls.caller(request, asked.tenant), asked.id, dialect, request)

    async def create_push(self, request: Request, params: JsonObject, dialect: Dialect) -> object:
        """CreateTaskPushNotificationConfig."""
        asked = read(params, wire.PushConfig)
        return await self._calls.create_push(self._calls.caller(request, asked.tenant), asked, dialect)

    async def get_push(self, request: Request, params: JsonObject, dialect: Dialect) -> object:
        """GetTaskPushNotificationConfig."""
        asked = read(params, wire.PushRequest)
        return await self._calls.get_push(self._calls.caller(request, asked.tenant), asked)

    async def list_push(self, request: Request, params: JsonObject, dialect: Dialect) -> object:
        """ListTaskPushNotificationConfigs."""
        asked = read(params, wire.PushRequest)
        return await self._calls.list_push(self._calls.caller(request, asked.tenant), asked)

    async def delete_push(self, request: Request, params: JsonObject, dialect: Dialect) -> object:
        """DeleteTaskPushNotificationConfig."""
        asked = read(params, wire.PushRequest)
        await self._calls.delete_push(self._calls.caller(request, asked.tenant), asked)
        return None if dialect.version == "0.3" else {}

    async def extended_card(self, request: Request, params: JsonObject, dialect: Dialect) -> object:
        """GetExtendedAgentCard."""
        tenant = params.get("tenant")
        found = self._calls.extended_card(
            self._calls.caller(request, tenant if isinstance(tenant, str) else ""), request
        )
        return with_legacy(found) if dialect.version == "0.3" else found


METHODS: dict[str, Method] = {
    "SendMessage": Rpc.send,
    "SendStreamingMessage": Rpc.stream,
    "GetTask": Rpc.get,
    "ListTasks": Rpc.list,
    "CancelTask": Rpc.cancel,
    "SubscribeToTask": Rpc.subscribe,
    "CreateTaskPushNotificationConfig": Rpc.create_push,
    "GetTaskPushNotificationConfig": Rpc.get_push,
    "ListTaskPushNotificationConfigs": Rpc.list_push,
    "DeleteTaskPushNotificationConfig": Rpc.delete_push,
    "GetExtendedAgentCard": Rpc.extended_card,
}


REQUIRED: dict[str, tuple[str, ...]] = {
    "GetTask": ("id",),
    "CancelTask": ("id",),
    "SubscribeToTask": ("id",),
    "CreateTaskPushNotificationConfig": ("taskId", "url"),
    "GetTaskPushNotificationConfig": ("taskId", "id"),
    "ListTaskPushNotificationConfigs": ("taskId",),
    "DeleteTaskPushNotificationConfig": ("taskId", "id"),
}
"""Fields that a method's request must have in 1.0; over HTTP+JSON they are in the path."""


def _parsed(body: bytes) -> JsonObject:
    try:
        asked = parse_json(body)
    except BadRequest as error:
        raise Fault(PARSE_ERROR, error.message) from None
    if not isinstance(asked, dict):
        raise Fault(INVALID_REQUEST, "expected one JSON-RPC request object; batches are not taken")
    return cast("JsonObject", asked)


def _id(asked: JsonObject) -> str | int | None:
    """The request's id, where it is one an answer can carry."""
    found = asked.get("id")
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def _method(asked: JsonObject, dialect: Dialect) -> tuple[str, JsonObject]:
    """The method's name in 1.0, and its parameters."""
    name, params = asked.get("method"), asked.get("params")
    if asked.get("jsonrpc") != "2.0" or not isinstance(name, str) or dialect.rpc_id is None:
        raise Fault(INVALID_REQUEST, 'expected {"jsonrpc": "2.0", "id": …, "method": …, "params": …}')
    if not isinstance(params, dict | None):
        raise Fault(INVALID_PARAMS, "'params' is no object")
    found = cast("JsonObject", params or {})
    if dialect.version == "0.3":
        if name in METHODS:
            raise Fault(
                VERSION_NOT_SUPPORTED,
                f"{name} is a method of A2A 1.0, and a request without {HEADER} speaks 0.3; send {HEADER}: 1.0",
                metadata={"requestedVersion": "0.3", "supportedVersions": "1.0"},
            )
        return legacy.method(name), legacy.params(name, found)
    if name not in METHODS:
        raise Fault(METHOD_NOT_FOUND, f"unknown method {name!r}; A2A 1.0 has {', '.join(METHODS)}")
    _check_present(name, found)
    return name, found


def _check_present(name: str, params: JsonObject) -> None:
    """Raise `Fault` for a field that the method's request must have and that is not there, or is empty."""
    sent = {camel_case(field) for field, value in params.items() if value}
    missing = [Violation(field, "is missing") for field in REQUIRED.get(name, ()) if field not in sent]
    if missing:
        told = "; ".join(f"{violation.field}: {violation.description}" for violation in missing)
        raise Fault(INVALID_PARAMS, told, violations=missing)


def _legacy(result: object) -> JsonValue:
    match result:
        case wire.SendResponse(task=task):
            return legacy.task(task)
        case wire.Task():
            return legacy.task(result)
        case wire.PushConfig():
            return legacy.push_config(result)
        case wire.PushConfigPage(configs=configs):
            return [legacy.push_config(one) for one in configs]
        case _:
            return result
