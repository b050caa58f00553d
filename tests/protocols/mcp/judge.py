"""Judges every message of both sides by the schema of its version.

The SDK's types of the wire are generated from the schemas that the protocol publishes. Here they are read as JSON
Schema, so that nothing is converted before it is judged, and what may be absent may not be null. The shapes of the
tasks extension are written down here, as it publishes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

import jsonschema_rs
import mcp_types as types
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
            "properties": {"code": {"type": "integer"}, "message": TEXT},
            "required": ["code", "message"],
        },
    },
    "required": ["jsonrpc", "error"],
    "not": {"required": ["result"]},
}
"""Both schemas let an error that answers no known request have no id, but not null; the SDK's type wants null."""
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
STATUSES = ["working", "input_required", "completed", "failed", "cancelled"]
TASK = {
    "type": "object",
    "properties": {
        "taskId": TEXT,
        "status": {"enum": STATUSES},
        "statusMessage": TEXT,
        "createdAt": TIME,
        "lastUpdatedAt": TIME,
        "ttlMs": {"anyOf": [{"type": "integer", "minimum": 0}, NULL]},
        "pollIntervalMs": {"type": "integer", "minimum": 0},
    },
    "required": ["taskId", "status", "createdAt", "lastUpdatedAt", "ttlMs"],
    "not": {"required": ["requestState"]},
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
OF_TASK = {"type": "object", "properties": {"taskId": TEXT, "_meta": OBJECT}, "required": ["taskId", "_meta"]}
ANSWERED = {**OF_TASK, "properties": {**OF_TASK["properties"], "inputResponses": OBJECT}}
TASK_PARAMS: dict[str, Any] = {
    "tasks/get": OF_TASK,
    "tasks/cancel": OF_TASK,
    "tasks/update": {**ANSWERED, "required": [*OF_TASK["required"], "inputResponses"]},
    "notifications/tasks": DETAILED,
}
TASK_RESULTS: dict[str, Any] = {"tasks/get": DETAILED, "tasks/cancel": OBJECT, "tasks/update": OBJECT}


def version_of(message: Mapping[str, Any]) -> str:
    """The version that a request is in, by itself."""
    return MODERN if f"{META}protocolVersion" in message.get("params", {}).get("_meta", {}) else LEGACY


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


def judge_answer(version: str, method: str, message: dict[str, Any]) -> None:
    """The server's answer to a request."""
    if "error" in message:
        _fit(json.dumps(ERROR), message)
        assert message["error"]["message"], message
        return
    _fit(_schema(types.JSONRPCResponse), message)
    result = message["result"]
    if version == MODERN:
        assert result["resultType"] in ("complete", "input_required", "task"), result
        assert result["_meta"][f"{META}serverInfo"]["name"] == "wakeful", result
    if method in TASK_RESULTS:
        _fit(json.dumps(TASK_RESULTS[method]), result)
        if "result" in result:
            _fit(_schema(_result("tools/call", version, result["result"])), result["result"])
    elif result.get("resultType") == "task":
        _fit(json.dumps(TASK), result)
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
    return json.dumps(_without_nulls(TypeAdapter(shape).json_schema(by_alias=True)))


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
