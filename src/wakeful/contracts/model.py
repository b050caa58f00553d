"""The model socket: one request in, batches of events out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

import msgspec

from wakeful.contracts.event import (
    FileGenerated,
    FinishReason,
    ReasoningDelta,
    ReasoningSealed,
    SourceCited,
    TextDelta,
    ToolCallDelta,
    ToolCallProposed,
)
from wakeful.contracts.message import Message
from wakeful.contracts.spec import ReasoningEffort
from wakeful.contracts.tool import ToolSpec
from wakeful.contracts.usage import Usage


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Knobs of one call; `None` leaves the vendor's default."""

    max_output_tokens: int | None = None
    temperature: float | None = None
    reasoning_effort: ReasoningEffort | None = None


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a model. Every tool call in `messages` has its result there; data and artifacts come as text.

    `thread_id` and `run_id` say whose call it is, for who routes calls; vendors are not told.
    """

    model: str
    instructions: str
    messages: Sequence[Message]
    tools: Sequence[ToolSpec] = ()
    settings: ModelSettings = ModelSettings()
    thread_id: str = ""
    run_id: str = ""


class ReplyFinished(msgspec.Struct, frozen=True):
    """The last chunk of every reply. `model` is the name the vendor reports, where it does.

    `provider` is who answered, where that is another than was asked.
    """

    reason: FinishReason
    usage: Usage = Usage()
    model: str | None = None
    provider: str | None = None


ReplyChunk = (
    TextDelta | ReasoningDelta | ReasoningSealed | SourceCited | FileGenerated | ToolCallProposed | ToolCallDelta
)
"""What a model says. A backend says more, see `BackendChunk`."""
ModelChunk = ReplyChunk | ReplyFinished


class Provider(Protocol):
    """One vendor's models.

    `stream` yields the chunks of each network read as one batch, so that a batch costs one task switch. It ends
    after exactly one `ReplyFinished`; everything that goes wrong is raised as a `ModelError`. Call ids are unique
    within the thread. It never retries, never sleeps, and releases its connection when closed early.
    """

    @property
    def name(self) -> str:
        """The prefix in `"name:model"`."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        """Ask the model."""
        ...

    async def aclose(self) -> None:
        """Release connections; the provider is not used afterwards."""
        ...
