"""A2A 0.3 over HTTP+JSON, translated to 1.0 and back: ProtoJSON of the `a2a.proto` of 0.3, package `a2a.v1`. Pure.

Differences from 0.3 over JSON-RPC: nothing has a `kind`, states and roles are those of the proto, a message's parts are
its `content`, and a subscription has a resource name. Fields may have their JSON names or the proto's own.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import cast

from msgspec import to_builtins

from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.a2a import legacy
from wakeful.protocols.a2a.faults import invalid
from wakeful.protocols.a2a.wire import (
    Artifact,
    ArtifactUpdate,
    Message,
    Part,
    PushConfig,
    PushConfigPage,
    State,
    Status,
    StatusUpdate,
    StreamResponse,
    Task,
)

CONTENT = "message.content"

# What a client sends.


def send(sent: JsonValue) -> JsonObject:
    """A message that is sent, as a SendMessage request of 1.0; raises `Fault`."""
    request = _object(sent)
    message = _object(_field(request, "message", "request"))
    content = message.get("content")
    if not isinstance(content, list):
        raise invalid(CONTENT, "expected a list of parts")
    parts = cast("list[JsonValue]", content)
    rest: JsonObject = {name: value for name, value in message.items() if name != "content"}
    asked: JsonObject = {
        "message": {**rest, "parts": [_part(part, at) for at, part in enumerate(parts)]},
        "metadata": request.get("metadata"),
    }
    if "configuration" in request:
        asked["configuration"] = _configuration(_object(request["configuration"]))
    return asked


def push(sent: JsonValue, task_id: str) -> JsonObject:
    """A subscription as 1.0 has it, from the whole request or from its `config` alone."""
    request = _object(sent)
    config = _object(request["config"]) if "config" in request else request
    found = legacy.push(_object(_field(config, "pushNotificationConfig", "push_notification_config")))
    return {**found, "id": found["id"] or _field(request, "configId", "config_id"), "taskId": task_id}


def _configuration(sent: JsonObject) -> JsonObject:
    subscription = _field(sent, "pushNotification", "push_notification")
    return {
        "acceptedOutputModes": _field(sent, "acceptedOutputModes", "accepted_output_modes"),
        "historyLength": _field(sent, "historyLength", "history_length") or None,
        "returnImmediately": sent.get("blocking") is False,
        "taskPushNotificationConfig": legacy.push(_object(subscription)) if subscription else None,
    }


def _part(sent: JsonValue, at: int) -> JsonObject:
    part = _object(sent)
    if "text" in part:
        return {"text": part["text"], "metadata": part.get("metadata")}
    if "data" in part:
        data, metadata = legacy.unwrapped(_object(part["data"]).get("data"), part.get("metadata"))
        return {"data": data, "metadata": metadata}
    if "file" in part:
        return {**_file(_object(part["file"])), "metadata": part.get("metadata")}
    raise invalid(f"{CONTENT}[{at}]", "expected one of text, file and data")


def _file(file: JsonObject) -> JsonObject:
    described: JsonObject = {"mediaType": _field(file, "mimeType", "mime_type"), "filename": file.get("name")}
    if "fileWithBytes" in file:
        return {**described, "raw": file["fileWithBytes"]}
    if "file_with_bytes" in file:
        return {**described, "raw": _once_encoded(file["file_with_bytes"])}
    return {**described, "url": _field(file, "fileWithUri", "file_with_uri")}


def _once_encoded(sent: JsonValue) -> JsonValue:
    """The Python SDK, which alone uses the proto's own names, sends the base64 of the content's base64."""
    try:
        inner = b64decode(str(sent), validate=True)
        if b64encode(b64decode(inner, validate=True)) == inner:
            return inner.decode("ascii")
    except binascii.Error:
        pass
    return sent


def _field(found: JsonObject, name: str, proto_name: str) -> JsonValue:
    return found[name] if name in found else found.get(proto_name)


def _object(value: JsonValue) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}


# What it is answered.


def streamed(response: StreamResponse) -> JsonObject:
    """What a stream brings."""
    if response.task is not None:
        return {"task": task(response.task)}
    if response.status_update is not None:
        return {"statusUpdate": _status_update(response.status_update)}
    if response.artifact_update is not None:
        return {"artifactUpdate": _artifact_update(response.artifact_update)}
    raise AssertionError("a stream brings a task or a change of it")


def task(found: Task) -> JsonObject:
    """A task."""
    shown: JsonObject = {"id": found.id, "contextId": found.context_id, "status": _status(found.status)}
    if found.artifacts:
        shown["artifacts"] = [_artifact(one) for one in found.artifacts]
    if found.history:
        shown["history"] = [_message(one) for one in found.history]
    return shown


def push_config(found: PushConfig) -> JsonObject:
    """A subscription to notifications, without its secrets."""
    name = f"tasks/{found.task_id}/pushNotificationConfigs/{found.id}"
    return {"name": name, "pushNotificationConfig": legacy.push_config(found)["pushNotificationConfig"]}


def push_configs(page: PushConfigPage) -> JsonObject:
    """One page of them."""
    return {"configs": [push_config(one) for one in page.configs], "nextPageToken": page.next_page_token}


def card(shown: JsonObject) -> JsonObject:
    """A card with the fields of 0.3, its security as the proto of 0.3 has it."""
    if "securityRequirements" not in shown:
        return shown
    return {**shown, "security": shown["securityRequirements"]}


def _status(status: Status) -> JsonObject:
    state = "TASK_STATE_CANCELLED" if status.state is State.CANCELED else status.state.value
    shown: JsonObject = {"state": state, "timestamp": status.timestamp}
    if status.message is not None:
        shown["message"] = _message(status.message)
    return shown


def _status_update(update: StatusUpdate) -> JsonObject:
    return {
        "taskId": update.task_id,
        "contextId": update.context_id,
        "status": _status(update.status),
        "final": update.status.state in legacy.RESTING,
    }


def _artifact_update(update: ArtifactUpdate) -> JsonObject:
    return {
        "taskId": update.task_id,
        "contextId": update.context_id,
        "artifact": _artifact(update.artifact),
        "append": update.append,
        "lastChunk": update.last_chunk,
    }


def _artifact(artifact: Artifact) -> JsonObject:
    shown = cast("JsonObject", to_builtins(artifact))
    shown["parts"] = [_shown(part) for part in artifact.parts]
    return shown


def _message(message: Message) -> JsonObject:
    shown = cast("JsonObject", to_builtins(message))
    del shown["parts"]
    shown["content"] = [_shown(part) for part in message.parts]
    return shown


def _shown(part: Part) -> JsonObject:
    """A part. Bytes are a `data:` URL: of `fileWithBytes` the clients of 0.3 think differently, of that they do not."""
    metadata = part.metadata
    if isinstance(part.text, str):
        shown: JsonObject = {"text": part.text}
    elif isinstance(part.raw, str) or isinstance(part.url, str):
        inline = f"data:{part.media_type or 'application/octet-stream'};base64,{part.raw}"
        named: JsonObject = {"mimeType": part.media_type, "name": part.filename}
        uri = inline if isinstance(part.raw, str) else part.url
        shown = {"file": {"fileWithUri": uri, **{name: value for name, value in named.items() if value}}}
    else:
        data, metadata = legacy.wrapped(part.data, part.metadata)
        shown = {"data": {"data": data}}
    if metadata:
        shown["metadata"] = metadata
    return shown
