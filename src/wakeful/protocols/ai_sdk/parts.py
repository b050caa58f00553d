"""The shapes of UI messages and their parts, as a client keeps them.

Source: `ui-messages.ts` and `validate-ui-messages.ts` of npm `ai` 5.0.277, 6.0.326 and 7.0.173; what not all of them
know says from which major on. Absent optional fields are left out, never null. Some parts arrive in the stream in the
very shape in which the client keeps them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.json import JsonObject, JsonValue


class Part(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="type"):
    """A part, told apart by `type`."""


# Text, reasoning, files and sources.


class CitedSource(Part, frozen=True, tag="source"):
    """The source of a citation: a `url`, or a document with `media_type` and `title`."""

    source_type: Literal["url", "document"]
    id: str
    url: str | None = None
    media_type: str | None = None
    title: str | None = None
    filename: str | None = None


class Citation(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a text rests on, and the characters of the text that it supports."""

    source: CitedSource
    start_index: int | None = None
    end_index: int | None = None
    cited_text: str | None = None


class Text(Part, frozen=True, tag="text"):
    """Text. `citations` from 7 on."""

    text: str
    state: Literal["done"] | None = None
    citations: tuple[Citation, ...] = ()


class Reasoning(Part, frozen=True, tag="reasoning"):
    """Reasoning that is complete."""

    text: str
    state: Literal["done"] | None = None


class File(Part, frozen=True, tag="file"):
    """A file by URL. In a stream it has no `filename`: clients do not take one."""

    media_type: str
    url: str
    filename: str | None = None


class SourceUrl(Part, frozen=True, tag="source-url"):
    """A page the answer rests on."""

    source_id: str
    url: str
    title: str | None = None


class SourceDocument(Part, frozen=True, tag="source-document"):
    """A document the answer rests on."""

    source_id: str
    media_type: str
    title: str
    filename: str | None = None


class SteeringMessage(Part, frozen=True, tag="steering-message"):
    """A message that a user sent while the run went on. From 7 on."""

    id: str
    parts: tuple[Text | File, ...]


class StepStart(Part, frozen=True, tag="step-start"):
    """The boundary before each step's parts."""


# Tool calls.


class Approval(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The question about a call and its answer. `request_reason`, the question in words, from 7 on."""

    id: str
    approved: bool | None = None
    reason: str | None = None
    request_reason: str | None = None


class Tool(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", kw_only=True):
    """A call and how far it got; `type` is `tool-<name>`. `approval` and the states that go with it from 6 on."""

    type: str
    tool_call_id: str
    state: Literal[
        "input-available",
        "approval-requested",
        "approval-responded",
        "output-available",
        "output-error",
        "output-denied",
    ]
    input: JsonValue
    output: JsonValue = msgspec.UNSET
    error_text: str | None = None
    provider_executed: bool = False
    approval: Approval | None = None


class ApprovalRequest(Part, frozen=True, tag="data-approval-request"):
    """May this call run? For 5, which has no other way to ask. `data`: {approvalId, toolCallId, toolName, input}."""

    id: str
    data: JsonObject


class QuestionData(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a running call asks: `message` in words, `schema` of the answer; `answered` once it was, or was refused."""

    interrupt_id: str
    tool_call_id: str
    tool_name: str
    message: str
    schema: JsonObject | None = None
    answered: bool = False


class Question(Part, frozen=True, tag="data-question"):
    """A call asks before it can go on; a client answers with an output of that call. `id` is the interrupt's."""

    id: str
    data: QuestionData


# Values and artifacts.


class DataValue(msgspec.Struct, frozen=True):
    """A JSON value; `type` is `data-<name>`. `id` is the message's with the value's place among its values."""

    type: str
    id: str
    data: JsonValue


class Datum(Part, frozen=True, tag="data"):
    """A JSON value inside an artifact."""

    data: JsonValue
    name: str = ""


class ArtifactData(msgspec.Struct, frozen=True, omit_defaults=True):
    """An artifact and its content in order."""

    id: str
    parts: tuple[Text | File | Datum, ...]
    name: str | None = None
    description: str | None = None


class Artifact(Part, frozen=True, tag="data-artifact"):
    """Something made beside the words; `id` is the message's with the artifact's own."""

    id: str
    data: ArtifactData


AnyPart = (
    Text
    | Reasoning
    | File
    | SourceUrl
    | SourceDocument
    | SteeringMessage
    | StepStart
    | Tool
    | ApprovalRequest
    | Question
    | DataValue
    | Artifact
)


# Messages.


class Usage(msgspec.Struct, frozen=True, rename="camel"):
    """Tokens, under the AI SDK's names."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    reasoning_tokens: int
    cached_input_tokens: int


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What history knows of an answer: its run, when it began (ms), the last model asked, what the model calls took.

    `duration_ms` is the sum over the model calls: tools and waits do not count.
    """

    run_id: str
    created_at: int
    model: str | None = None
    usage: Usage | None = None
    duration_ms: int | None = None


class UIMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message as the client keeps it."""

    id: str
    role: Literal["system", "user", "assistant"]
    parts: list[AnyPart]
    metadata: Metadata | None = None
