"""A2A 0.3 over JSON-RPC, translated to 1.0 and back. Pure. Over HTTP+JSON it has other shapes: `legacy_proto.py`.

Differences: `kind` tells shapes apart, states and roles are lower-case words, a status update says whether it is
`final`, files have a member of their own, data is always an object, and `blocking` stands for not returning at once.
"""

from __future__ import annotations

from typing import cast

from msgspec import to_builtins

from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.a2a.faults import METHOD_NOT_FOUND, Fault, invalid
from wakeful.protocols.a2a.wire import (
    Artifact,
    ArtifactUpdate,
    Message,
    Part,
    PushConfig,
    State,
    Status,
    StatusUpdate,
    StreamResponse,
    Task,
)

METHODS = {
    "message/send": "SendMessage",
    "message/stream": "SendStreamingMessage",
    "tasks/get": "GetTask",
    "tasks/cancel": "CancelTask",
    "tasks/resubscribe": "SubscribeToTask",
    "tasks/pushNotificationConfig/set": "CreateTaskPushNotificationConfig",
    "tasks/pushNotificationConfig/get": "GetTaskPushNotificationConfig",
    "tasks/pushNotificationConfig/list": "ListTaskPushNotificationConfigs",
    "tasks/pushNotificationConfig/delete": "DeleteTaskPushNotificationConfig",
    "agent/getAuthenticatedExtendedCard": "GetExtendedAgentCard",
}
RESTING = frozenset(
    {
        State.COMPLETED,
        State.FAILED,
        State.CANCELED,
        State.REJECTED,
        State.INPUT_REQUIRED,
        State.AUTH_REQUIRED,
    }
)
WRAPPED = "data_part_compat"
"""Marks data that is no object and was put into one, as the SDK does."""

# What a client sends.


def method(name: str) -> str:
    """The method's name in 1.0; raises `Fault`."""
    if name not in METHODS:
        raise Fault(METHOD_NOT_FOUND, f"unknown method {name!r}; A2A 0.3 has {', '.join(METHODS)}")
    return METHODS[name]


def params(name: str, sent: JsonObject) -> JsonObject:
    """The parameters of a 0.3 method as those of 1.0; raises `Fault`."""
    match name:
        case "message/send" | "message/stream":
            return _send(sent)
        case "tasks/pushNotificationConfig/set":
            return {"taskId": sent.get("taskId"), **push(_object(sent.get("pushNotificationConfig")))}
        case (
            "tasks/pushNotificationConfig/get"
            | "tasks/pushNotificationConfig/list"
            | "tasks/pushNotificationConfig/delete"
        ):
            return {"taskId": sent.get("id"), "id": sent.get("pushNotificationConfigId")}
        case "tasks/get":
            return {"id": sent.get("id"), "historyLength": sent.get("historyLength") or None}
        case _:
            return {"id": sent.get("id")}


def _send(sent: JsonObject) -> JsonObject:
    message = _object(sent.get("message"))
    role = {"user": "ROLE_USER", "agent": "ROLE_AGENT"}.get(str(message.get("role")), str(message.get("role") or ""))
    parts = message.get("parts")
    if not isinstance(parts, list):
        raise invalid("message.parts", "expected a list of parts")
    listed = cast("list[JsonValue]", parts)
    asked: JsonObject = {
        "message": {**message, "role": role, "parts": [_part(part, i) for i, part in enumerate(listed)]},
        "metadata": sent.get("metadata"),
    }
    configuration = sent.get("configuration")
    if isinstance(configuration, dict):
        asked["configuration"] = _configuration(cast("JsonObject", configuration))
    return asked


def _configuration(sent: JsonObject) -> JsonObject:
    config = sent.get("pushNotificationConfig")
    return {
        "acceptedOutputModes": sent.get("acceptedOutputModes"),
        "historyLength": sent.get("historyLength") or None,
        "returnImmediately": sent.get("blocking") is False,
        "taskPushNotificationConfig": push(cast("JsonObject", config)) if isinstance(config, dict) else None,
    }


def _part(sent: JsonValue, at: int) -> JsonObject:
    part = _object(sent)
    metadata = part.get("metadata")
    match part.get("kind"):
        case "text":
            return {"text": part.get("text"), "metadata": metadata}
        case "data":
            data, metadata = unwrapped(part.get("data"), metadata)
            return {"data": data, "metadata": metadata}
        case "file":
            file = _object(part.get("file"))
            content = {"raw": file["bytes"]} if "bytes" in file else {"url": file.get("uri")}
            return {**content, "mediaType": file.get("mimeType"), "filename": file.get("name"), "metadata": metadata}
        case kind:
            raise invalid(f"message.parts[{at}]", f"expected the kind text, file or data, found {kind!r}")


def push(sent: JsonObject) -> JsonObject:
    """A subscription to notifications as 1.0 has it."""
    config = {name: sent.get(name) for name in ("id", "url", "token")}
    authentication = sent.get("authentication")
    if isinstance(authentication, dict):
        found = cast("JsonObject", authentication)
        schemes = found.get("schemes")
        first = cast("list[JsonValue]", schemes)[0] if isinstance(schemes, list) and schemes else ""
        config["authentication"] = {"scheme": first, "credentials": found.get("credentials")}
    return config


def unwrapped(data: JsonValue, metadata: JsonValue) -> tuple[JsonValue, JsonValue]:
    """A data part's value and metadata: what was put into an object because it is none is taken out of it."""
    extra = dict(_object(metadata))
    if extra.pop(WRAPPED, False):
        data = _object(data).get("value")
    return data, extra or None


def _object(value: JsonValue) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}


# What it is answered.


def streamed(response: StreamResponse) -> JsonObject:
    """What a stream brings."""
    if response.task is not None:
        return task(response.task)
    if response.status_update is not None:
        return _status_update(response.status_update)
    if response.artifact_update is not None:
        return _artifact_update(response.artifact_update)
    raise AssertionError("a stream brings a task or a change of it")


def task(found: Task) -> JsonObject:
    """A task."""
    shown: JsonObject = {
        "kind": "task",
        "id": found.id,
        "contextId": found.context_id,
        "status": _status(found.status),
    }
    if found.artifacts:
        shown["artifacts"] = [_artifact(one) for one in found.artifacts]
    if found.history:
        shown["history"] = [_message(one) for one in found.history]
    return shown


def push_config(found: PushConfig) -> JsonObject:
    """A subscription to notifications."""
    config: JsonObject = {"id": found.id, "url": found.url}
    if found.authentication is not None:
        config["authentication"] = {"schemes": [found.authentication.scheme]}
    return {"taskId": found.task_id, "pushNotificationConfig": config}


def wrapped(data: JsonValue, metadata: JsonObject | None) -> tuple[JsonValue, JsonObject | None]:
    """A value as the object that a data part of 0.3 has, and the part's metadata."""
    if isinstance(data, dict):
        return cast("JsonObject", data), metadata
    return {"value": data}, {**(metadata or {}), WRAPPED: True}


def _status(status: Status) -> JsonObject:
    shown: JsonObject = {"state": _state(status.state), "timestamp": status.timestamp}
    if status.message is not None:
        shown["message"] = _message(status.message)
    return shown


def _state(state: State) -> str:
    return state.removeprefix("TASK_STATE_").lower().replace("_", "-")


def _status_update(update: StatusUpdate) -> JsonObject:
    return {
        "kind": "status-update",
        "taskId": update.task_id,
        "contextId": update.context_id,
        "status": _status(update.status),
        "final": update.status.state in RESTING,
    }


def _artifact_update(update: ArtifactUpdate) -> JsonObject:
    return {
        "kind": "artifact-update",
        "taskId": update.task_id,
        "contextId": update.context_id,
        "artifact": _artifact(update.artifact),
        "append": update.append,
        "lastChunk": update.last_chunk,
    }


def _artifact(artifact: Artifact) -> JsonObject:
    shown: JsonObject = {"artifactId": artifact.artifact_id, "parts": [_shown(part) for part in artifact.parts]}
    if artifact.name:
        shown["name"] = artifact.name
    if artifact.description:
        shown["description"] = artifact.description
    return shown


def _message(message: Message) -> JsonObject:
    shown = cast("JsonObject", to_builtins(message))
    shown["kind"] = "message"
    shown["role"] = "agent" if message.role == "ROLE_AGENT" else "user"
    shown["parts"] = [_shown(part) for part in message.parts]
    return shown


def _shown(part: Part) -> JsonObject:
    metadata = part.metadata
    if isinstance(part.text, str):
        shown: JsonObject = {"kind": "text", "text": part.text}
    elif isinstance(part.raw, str) or isinstance(part.url, str):
        content = {"bytes": part.raw} if isinstance(part.raw, str) else {"uri": part.url}
        named = {"mimeType": part.media_type, "name": part.filename}
        shown = {"kind": "file", "file": content | {name: value for name, value in named.items() if value}}
    else:
        data, metadata = wrapped(part.data, metadata)
        shown = {"kind": "data", "data": data}
    if metadata:
        shown["metadata"] = metadata
    return shown
