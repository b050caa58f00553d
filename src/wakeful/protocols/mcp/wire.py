"""JSON-RPC 2.0 as MCP uses it (MCP 2026-07-28 and 2025-11-25, basic protocol): no batches, no null ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import msgspec

from wakeful.contracts.errors import BadRequest, NotFound, WakefulError
from wakeful.contracts.json import JsonObject, JsonValue

MODERN = "2026-07-28"
LATEST_LEGACY = "2025-11-25"
LEGACY = (LATEST_LEGACY, "2025-06-18", "2025-03-26")
SUPPORTED = (MODERN, *LEGACY)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SESSION_NOT_FOUND = -32001
RESOURCE_NOT_FOUND = -32002
HEADER_MISMATCH = -32020
MISSING_CAPABILITY = -32021
UNSUPPORTED_VERSION = -32022

RequestId = str | int


class Refused(BadRequest):
    """A request that is answered with this JSON-RPC error `rpc` and its `data`, over HTTP with `status`."""

    def __init__(self, rpc: int, message: str, *, data: JsonValue = None, status: int = 400) -> None:
        super().__init__(message, details=data)
        self.rpc = rpc
        self.status = status


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `params` is an object, empty where none was sent."""

    id: RequestId
    method: str
    params: JsonObject


@dataclass(frozen=True, slots=True)
class Note:
    """A notification."""

    method: str
    params: JsonObject


@dataclass(frozen=True, slots=True)
class Reply:
    """The client's answer to a request of ours; `result` is None when it answered with an error."""

    id: RequestId
    result: JsonObject | None


Received = Call | Note | Reply


def parse(body: bytes) -> Received:
    """What one body, or one line, holds. Raises `Refused`."""
    try:
        found = msgspec.json.decode(body.decode())
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Refused(PARSE_ERROR, f"expected one JSON object, found what is no JSON: {error}") from None
    sent = as_object(found)
    if sent is None:
        raise Refused(INVALID_REQUEST, "expected one JSON-RPC message as an object; batches are not taken")
    if sent.get("jsonrpc") != "2.0":
        raise Refused(INVALID_REQUEST, 'expected "jsonrpc": "2.0"')
    if "method" not in sent:
        return _reply(sent)
    method, params = sent["method"], as_object(sent.get("params", {}))
    if not isinstance(method, str) or params is None:
        raise Refused(INVALID_REQUEST, "expected 'method' to be a text and 'params', if any, an object")
    return Call(_id(sent), method, params) if "id" in sent else Note(method, params)


def _reply(sent: JsonObject) -> Reply:
    if "error" in sent and "result" not in sent:
        return Reply(_id(sent), None)
    result = as_object(sent.get("result"))
    if result is None or "error" in sent:
        raise Refused(INVALID_REQUEST, "expected a 'method', a 'result' object or an 'error'")
    return Reply(_id(sent), result)


def _id(sent: JsonObject) -> RequestId:
    found = sent.get("id")
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise Refused(INVALID_REQUEST, "expected 'id' to be a text or an integer")
    return found


def id_of(body: bytes) -> RequestId | None:
    """The id of a message that was refused, where it can be read."""
    try:
        sent = as_object(msgspec.json.decode(body))
        return None if sent is None else _id(sent)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, Refused):
        return None


def result(id: RequestId, value: JsonObject) -> bytes:
    """A response."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": id, "result": value})


def request(id: str, method: str, params: JsonObject) -> bytes:
    """A request of ours to the client."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": id, "method": method, "params": params})


def notification(method: str, params: JsonObject) -> bytes:
    """A notification of ours."""
    return msgspec.json.encode({"jsonrpc": "2.0", "method": method, "params": params})


def failure(id: RequestId | None, error: WakefulError) -> bytes:
    """An error response, without an id when it answers nothing that has one; defects say nothing about themselves."""
    told: JsonObject = {"code": rpc_code(error), "message": error.message}
    if isinstance(error, Refused) and error.details is not None:
        told["data"] = error.details
    answered: JsonObject = {} if id is None else {"id": id}
    return msgspec.json.encode({"jsonrpc": "2.0", **answered, "error": told})


def rpc_code(error: WakefulError) -> int:
    """The JSON-RPC code of an error of ours."""
    if isinstance(error, Refused):
        return error.rpc
    return INVALID_PARAMS if isinstance(error, BadRequest | NotFound) else INTERNAL_ERROR


def text_of(params: JsonObject, name: str) -> str:
    """A required text among the parameters. Raises `Refused`."""
    found = params.get(name)
    if not isinstance(found, str) or not found:
        raise Refused(INVALID_PARAMS, f"expected params.{name} to be a text")
    return found


def object_of(params: JsonObject, name: str) -> JsonObject:
    """An object among the parameters, empty when absent. Raises `Refused`."""
    found = as_object({} if params.get(name) is None else params[name])
    if found is None:
        raise Refused(INVALID_PARAMS, f"expected params.{name} to be an object")
    return found


def as_object(value: JsonValue) -> JsonObject | None:
    """The value, where it is an object; the cast says that decoded JSON objects have text keys."""
    return cast("JsonObject", value) if isinstance(value, dict) else None
