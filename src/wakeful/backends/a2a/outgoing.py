"""The message of a step: what the user said, or what was answered to the step before."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from hashlib import blake2b
from urllib.parse import unquote_to_bytes

from a2a.types import a2a_pb2 as pb
from google.protobuf.json_format import ParseDict

from wakeful.backends.a2a.handle import Handle
from wakeful.backends.a2a.questions import all_declined, answering, json_part
from wakeful.contracts.backend import Turn
from wakeful.contracts.interrupt import ASK_AUTHORISATION, ASK_USER
from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import DataPart, FilePart, Message, TextPart, ToolResultPart
from wakeful.contracts.model_errors import ModelRequestInvalid


def message_id(turn: Turn) -> str:
    """The same for the same step, however often it is sent, and no other step's anywhere."""
    run = turn.run
    place = f"{run.scope}\n{run.thread_id}\n{run.id}\n{run.created_at}\n{turn.step}"
    return blake2b(place.encode(), digest_size=16).hexdigest()


def message(turn: Turn, handle: Handle, metadata: JsonObject) -> pb.Message:
    """What is sent in this step; raises `ModelRequestInvalid` when there is nothing to send."""
    parts = _parts(turn)
    if not parts:
        raise ModelRequestInvalid(f"agent {turn.agent.id} has nothing to send: the run brought no message")
    sent = pb.Message(
        message_id=handle.message_id,
        task_id=handle.task_id,
        context_id=handle.context_id,
        role=pb.ROLE_USER,
        parts=parts,
    )
    ParseDict(metadata, sent.metadata)
    return sent


def _parts(turn: Turn) -> list[pb.Part]:
    """The answers to what was asked last; input that came instead of them, or none was asked, is sent as it is."""
    asked = next((i for i in reversed(range(len(turn.history))) if _asks(turn.history[i], turn.run.id)), None)
    since = turn.history[0 if asked is None else asked + 1 :]
    said = [part for one in since if one.role == "user" and one.run_id == turn.run.id for part in _user_parts(one)]
    if asked is None:
        return said
    results = [part for one in since for part in one.parts if isinstance(part, ToolResultPart)]
    if said and all_declined(results):
        return said
    return [*answering(turn.history[asked].tool_calls, results), *said]


def _asks(one: Message, run_id: str) -> bool:
    return one.run_id == run_id and any(call.name in (ASK_USER, ASK_AUTHORISATION) for call in one.tool_calls)


def _user_parts(one: Message) -> Sequence[pb.Part]:
    found: list[pb.Part] = []
    for part in one.parts:
        match part:
            case TextPart(text):
                found.append(pb.Part(text=text))
            case DataPart(data, name):
                found.append(json_part(data))
                if name:
                    found[-1].metadata.update({"name": name})
            case FilePart():
                found.append(_file(part))
            case _:
                pass
    return found


def _file(file: FilePart) -> pb.Part:
    sent = pb.Part(media_type=file.media_type, filename=file.filename or "")
    if file.url[:5].lower() != "data:":
        sent.url = file.url
        return sent
    head, _, body = file.url.partition(",")
    try:
        sent.raw = b64decode(body) if head.endswith(";base64") else unquote_to_bytes(body)
    except binascii.Error:
        raise ModelRequestInvalid("a file of the message is a data: URL that cannot be read") from None
    return sent
