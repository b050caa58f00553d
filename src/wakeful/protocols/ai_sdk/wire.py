"""The shape of a chat request.

Source: `http-chat-transport.ts` and `ui-messages.ts` of npm `ai` 5.0.277, 6.0.326 and 7.0.173. Requests are read
tolerantly: unknown keys are ignored.
"""

from __future__ import annotations

import msgspec

from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.ai_sdk.dialects import OPTION

EditedArguments = JsonObject | list[msgspec.Raw] | str | float | bool | None
"""Whatever stands where edited arguments are looked for."""


class ChatMessage(msgspec.Struct, frozen=True):
    """One message of a request. Parts stay undecoded: most of them are history, which lives on the server."""

    role: str
    id: str | None = None
    parts: list[msgspec.Raw] | None = None
    content: str | list[msgspec.Raw] | None = None


class ChatRequest(msgspec.Struct, frozen=True):
    """The body of a chat request. `id`, `threadId` and `thread_id` all name the thread.

    `state` and `version` (`aiSdkVersion`) are ours: the client's shared state, and the major version it speaks.
    `session_id` and `input` belong to a retired body and are looked at only to say so.
    """

    messages: list[ChatMessage] | None = None
    trigger: str | None = None
    message_id: str | None = msgspec.field(name="messageId", default=None)
    id: str | None = None
    thread_camel: str | None = msgspec.field(default=None, name="threadId")
    thread_snake: str | None = msgspec.field(default=None, name="thread_id")
    run_camel: str | None = msgspec.field(default=None, name="runId")
    run_snake: str | None = msgspec.field(default=None, name="run_id")
    agent_camel: str | None = msgspec.field(default=None, name="agentId")
    agent_snake: str | None = msgspec.field(default=None, name="agent_id")
    session_id: JsonValue = msgspec.field(default=None, name="sessionId")
    input: JsonValue = None
    state: JsonValue = None
    version: JsonValue = msgspec.field(default=None, name=OPTION)


class SentApproval(msgspec.Struct, frozen=True, rename="camel"):
    """The approval of a sent tool part; loose because whatever is not `approved: true` refuses.

    `edited_args` is ours, named as in AG-UI: the arguments the call is to run with instead of the model's.
    """

    id: JsonValue = None
    approved: JsonValue = None
    reason: JsonValue = None
    edited_args: EditedArguments = None


class SentPart(msgspec.Struct, frozen=True, rename="camel"):
    """Any part of a sent message, of which only `type` is sure; loose where an odd value must not refuse the rest."""

    type: str
    data: JsonValue = None
    text: str | None = None
    media_type: str | None = None
    url: str | None = None
    filename: str | None = None
    tool_call_id: str | None = None
    state: str | None = None
    output: JsonValue = None
    error_text: JsonValue = None
    provider_executed: JsonValue = None
    preliminary: JsonValue = None
    approval: SentApproval | None = None
    approval_id: str | None = None
    approved: JsonValue = None
    reason: JsonValue = None
    edited_args: EditedArguments = None
