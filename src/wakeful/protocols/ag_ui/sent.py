"""What a client of AG-UI sends: the input of a run.

Source: AG-UI specification 1.0, `schema.json`. Read tolerantly: unknown keys are ignored, older spellings are known.
"""

from __future__ import annotations

import msgspec

from wakeful.contracts.json import JsonObject, JsonValue


class SentMessage(msgspec.Struct, frozen=True):
    """One message of the input. Content stays undecoded: most of it is history, which lives on the server."""

    role: str
    id: str | None = None
    content: msgspec.Raw = msgspec.Raw(b"null")
    tool_call_id: str | None = msgspec.field(default=None, name="toolCallId")
    error: JsonValue = None


class SentSource(msgspec.Struct, frozen=True, rename="camel"):
    """Where a part's content is: `data` (base64 in `value`) or `url`."""

    type: str
    value: str = ""
    mime_type: str | None = None


class SentPart(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a message; `mime_type` and `data` belong to the older `binary` parts."""

    type: str
    text: str | None = None
    source: SentSource | None = None
    mime_type: str | None = None
    data: str | None = None
    filename: str | None = None


class SentTool(msgspec.Struct, frozen=True):
    """A tool the client offers; `execute: "backend"` names one that is not the client's."""

    name: str
    description: str | None = None
    parameters: JsonObject | None = None
    execute: str | None = None


class SentResume(msgspec.Struct, frozen=True):
    """The answer to one interrupt. The payload for an approval is {approved, reason?, editedArgs?}.

    Loose because whatever is not resolved with `approved: true` refuses; a question takes any payload.
    """

    interrupt_camel: str | None = msgspec.field(default=None, name="interruptId")
    interrupt_snake: str | None = msgspec.field(default=None, name="interrupt_id")
    status: JsonValue = None
    payload: JsonValue = None


class SentContext(msgspec.Struct, frozen=True):
    """A fact about the client's surroundings."""

    description: str | None = None
    value: JsonValue = None


class RunInput(msgspec.Struct, frozen=True):
    """`RunAgentInput`. Both spellings of the ids are read; `resume` may be one answer or a list of them."""

    thread_camel: str | None = msgspec.field(default=None, name="threadId")
    thread_snake: str | None = msgspec.field(default=None, name="thread_id")
    run_camel: str | None = msgspec.field(default=None, name="runId")
    run_snake: str | None = msgspec.field(default=None, name="run_id")
    agent_camel: str | None = msgspec.field(default=None, name="agentId")
    agent_snake: str | None = msgspec.field(default=None, name="agent_id")
    parent_run_id: str | None = msgspec.field(default=None, name="parentRunId")
    protocol_version: str | None = msgspec.field(default=None, name="protocolVersion")
    messages: list[SentMessage] | None = None
    tools: list[SentTool] | None = None
    context: list[SentContext] | JsonObject | None = None
    state: JsonValue = None
    resume: list[SentResume] | SentResume | None = None
