"""Judges every message of both sides by the schema of its version.

The SDK's types of the wire are generated from the schemas that the protocol publishes. Here they are read as JSON
Schema, so that nothing is converted before it is judged, what may be absent may not be null, and members that the types
do not have are refused, but for what the protocol leaves open: `_meta`, capabilities and the schemas of tools. The
shapes of the tasks extension are written down here, as it publishes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

import jsonschema_rs
import mcp_types as types
from mcp_types import _v2025_11_25 as v2025
from mcp_types import methods
from pydantic import TypeAdapter

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
META = "io.modelcontextprotocol/"
NULL = {"type": "null"}
TEXT = {"type": "string"}
OBJECT = {"type": "object"}
ERROR = {
    "type": "object",
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"type": ["string", "integer"]},
        "error": {
            "type": "object",
            "properties": {"code": {"type": "integer"}, "message": TEXT, "data": {}},
            "required": ["code", "message"],
            "additionalProperties": False,
        },
    },
    "required": ["jsonrpc", "error"],
    "additionalProperties": False,
}
"""Both schemas let an error that answers no known request have no id, but not null; the SDK's type wants null."""
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
STATUSES = ["working", "input_required", "completed", "failed", "cancelled"]
TASK = {
    "type": "object",
    "properties": {
        "resultType": TEXT,
        "_meta": OBJECT,
        "taskId": TEXT,
        "status": {"enum": STATUSES},
        "statusMessage": TEXT,
        "createdAt": TIME,
        "lastUpdatedAt": TIME,
        "ttlMs": {"anyOf": [{"type": "integer", "minimum": 0}, NULL]},
        "pollIntervalMs": {"type": "integer", "minimum": 0},
    },
    "required": ["taskId", "status", "createdAt", "lastUpdatedAt", "ttlMs"],
    "unevaluatedProperties": False,
}
DETAILED = {
    **TASK,
    "oneOf": [
        {"properties": {"status": {"const": "completed"}, "result": OBJECT}, "required": ["result"]},
        {"properties": {"status": {"const": "failed"}, "error": OBJECT}, "required": ["error"]},
        {"properties": {"status": {"const": "input_required"}, "inputRequests": OBJECT}, "required": ["inputRequests"]},
        {"properties": {"status": {"enum": ["working", "cancelled"]}}},
    ],
}
OF_TASK = {
    "type": "object",
    "properties": {"taskId": TEXT, "_meta": OBJECT},
    "required": ["taskId", "_meta"],
    "additionalProperties": False,
}
ANSWERED = {**OF_TASK, "properties": {**OF_TASK["properties"], "inputResponses": OBJECT}}
ACKNOWLEDGED = {"type": "object", "properties": {"resultType": TEXT, "_meta": OBJECT}, "additionalProperties": False}
TASK_PARAMS: dict[str, Any] = {
    "tasks/get": OF_TASK,
    "tasks/cancel": OF_TASK,
    "tasks/update": {**ANSWERED, "required": [*OF_TASK["required"], "inputResponses"]},
    "notifications/tasks": DETAILED,
}
TASK_RESULTS: dict[str, Any] = {"tasks/get": DETAILED, "tasks/cancel": ACKNOWLEDGED, "tasks/update": ACKNOWLEDGED}
LEGACY_TASKS: dict[str, tuple[Any, Any]] = {
    "tasks/get": (v2025.GetTaskRequest, v2025.GetTaskResult),
    "tasks/list": (v2025.ListTasksRequest, v2025.ListTasksResult),
    "tasks/cancel": (v2025.CancelTaskRequest, v2025.CancelTaskResult),
    "tasks/result": (v2025.GetTaskPayloadRequest, v2025.CallToolResult),
}
"""Requests and results of the tasks of the old era, which the SDK has types for, but no use."""
DATA = frozenset({"default", "examples", "const", "enum", "required"})
OPEN = frozenset({"ClientCapabilities", "ServerCapabilities"})


def version_of(message: Mapping[str, Any]) -> str:
    """The version that a request is in, by itself."""
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    return MODERN if isinstance(meta, dict) and f"{META}protocolVersion" in meta else LEGACY


def judge_sent(version: str, message: dict[str, Any]) -> None:
    """A request or a notification of a client."""
    table = methods.CLIENT_REQUESTS if "id" in message else methods.CLIENT_NOTIFICATIONS
    _judge_frame(table, version, message)


def judge_told(version: str, message: dict[str, Any]) -> None:
    """A request or a notification of the server."""
    table = methods.SERVER_REQUESTS if "id" in message else methods.SERVER_NOTIFICATIONS
    _judge_frame(table, version, message)


def judge_reply(version: str, method: str, message: dict[str, Any]) -> None:
    """A client's answer to a request of the server."""
    if "error" in message:
        _fit(json.dumps(ERROR), message)
    else:
        _fit(_schema(types.JSONRPCResponse), message)
        _fit(_schema(methods.CLIENT_RESULTS[method, version]), message["result"])


def judge_answer(version: str, request: Mapping[str, Any], message: dict[str, Any]) -> None:
    """The server's answer to a request, which is empty where it answers none."""
    if "error" in message:
        _fit(json.dumps(ERROR), message)
        assert message["error"]["message"], message
        return
    method = request["method"]
    _fit(_schema(types.JSONRPCResponse), message)
    result = message["result"]
    if version == MODERN:
        assert result["resultType"] in ("complete", "input_required", "task"), result
        assert result["_meta"][f"{META}serverInfo"]["name"] == "wakeful", result
    if version == MODERN and method in TASK_RESULTS:
        _fit(json.dumps(TASK_RESULTS[method]), result)
        if "result" in result:
            _fit(_schema(_result("tools/call", version, result["result"])), result["result"])
    elif version == MODERN and result["resultType"] == "task":
        _fit(json.dumps(TASK), result)
    elif method in LEGACY_TASKS:
        _fit(_schema(LEGACY_TASKS[method][1]), result)
    elif "task" in request.get("params", {}):
        _fit(_schema(v2025.CreateTaskResult), result)
    else:
        _fit(_schema(_result(method, version, result)), result)


def _result(method: str, version: str, result: Mapping[str, Any]) -> Any:
    """The type of a result; of two that a method has, the one that it says to be."""
    found = methods.SERVER_RESULTS[method, version]
    asks = result.get("resultType") == "input_required"
    return next((one for one in get_args(found) if (one.__name__ == "InputRequiredResult") is asks), found)


def _judge_frame(table: Mapping[tuple[str, str], Any], version: str, message: dict[str, Any]) -> None:
    assert message["jsonrpc"] == "2.0", message
    if version == MODERN and message["method"] in TASK_PARAMS:
        _fit(json.dumps(TASK_PARAMS[message["method"]]), message["params"])
        return
    found = table.get((message["method"], version))
    if found is None and "id" in message and version == LEGACY and message["method"] in LEGACY_TASKS:
        found = LEGACY_TASKS[message["method"]][0]
        said = {name: value for name, value in message.get("params", {}).items() if name != "task"}
        message = {**message, "params": said}  # an official client repeats `task` in them
    assert found is not None, f"version {version} has no such message: {message}"
    _fit(_schema(found), message)


def _fit(schema: str, value: Any) -> None:
    errors = [f"{error.instance_path}: {error.message}" for error in _validator(schema).iter_errors(value)]
    assert not errors, (errors, value)


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema))


@cache
def _schema(shape: Any) -> str:
    return json.dumps(_closed(_without_nulls(TypeAdapter(shape).json_schema(by_alias=True))))


def _closed(schema: Any) -> Any:
    """The schema, in which objects have no members but those that are named; a listener may also ask after tasks."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: value if name in DATA else _closed(value) for name, value in schema.items()}
    for names in ("properties", "$defs"):
        if names in schema:
            found[names] = {name: _closed(one) for name, one in schema[names].items()}
    if "properties" not in schema or schema.get("title") in OPEN:
        return found
    if schema.get("title") == "SubscriptionFilter":
        found["properties"]["taskIds"] = {"type": "array", "items": TEXT}
    return {
        **found,
        "additionalProperties": schema.get("title") != "Result" and schema.get("additionalProperties", False),
    }


def _without_nulls(schema: Any) -> Any:
    """The schema, in which a member that may be absent may not be null instead."""
    if isinstance(schema, list):
        return [_without_nulls(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _without_nulls(value) for name, value in schema.items()}
    for name, member in (found.get("properties") or {}).items():
        if isinstance(member, dict) and member.get("default", "") is None and "anyOf" in member:
            kinds = [one for one in member["anyOf"] if one != NULL]
            found["properties"][name] = {"anyOf": kinds}
    return found
