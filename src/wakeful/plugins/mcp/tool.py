"""A tool of an MCP server, called through whatever connection its source has at the moment."""

from __future__ import annotations

import asyncio
from typing import Protocol

from mcp.shared.exceptions import MCPError
from mcp.types import (
    CONNECTION_CLOSED,
    REQUEST_TIMEOUT,
    URL_ELICITATION_REQUIRED,
    CallToolResult,
    ElicitationRequiredErrorData,
    InputRequiredResult,
)
from pydantic import ValidationError

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ToolError
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.tool import ToolContext, ToolSpec
from wakeful.plugins.mcp.connection import Asking, Connection
from wakeful.plugins.mcp.listing import Offer, plain_text
from wakeful.plugins.mcp.questions import MAX_QUESTIONS, Note, asked, asked_in, noted, question
from wakeful.plugins.mcp.results import result_of

ROUNDS = 10
"""How often a server may answer "not yet" before its call has failed."""
ROUND_MS = 250


class Line(Protocol):
    """The way to a server, as its tools see it."""

    @property
    def server(self) -> str:
        """The server's id."""
        ...

    def connection(self) -> Connection:
        """The present connection; raises `ToolError` when there is none."""
        ...

    def doubt(self) -> None:
        """Have somebody look whether the server still answers."""
        ...


class McpTool:
    """Keeps the promise of `contracts.tool.Tool`: every failure of the server is a `ToolError`, a question of its a
    `ToolQuestion`, after whose answer the call is made again."""

    def __init__(self, offer: Offer, line: Line, clock: Clock) -> None:
        self._offer = offer
        self._line = line
        self._clock = clock

    @property
    def spec(self) -> ToolSpec:
        """What the model is told."""
        return self._offer.spec

    def check(self, arguments: JsonObject) -> JsonObject:
        """The arguments themselves; raises `ToolInputInvalid` naming every problem."""
        return self._offer.check(arguments)

    async def call(self, arguments: JsonObject, context: ToolContext) -> JsonValue:
        """Call it, from the beginning or with the answer to its last question."""
        note = noted(context.answer)
        for _ in range(ROUNDS):
            if note.open:
                raise question(self._line.server, note)
            answer = await self._send(arguments, note, context)
            if isinstance(answer, CallToolResult):
                self._check_promise(answer)
                return result_of(answer, context)
            note = asked_in(answer)
            if not note.open:
                await self._clock.sleep(ROUND_MS)
        raise ToolError(f"The MCP server {self._line.server} answered {ROUNDS} times that it needs to be asked again.")

    def _check_promise(self, answer: CallToolResult) -> None:
        """Raise `ToolError` for a result that is not what the tool's `outputSchema` promises."""
        if answer.is_error or not self._offer.promises:
            return
        if answer.structured_content is None:
            misfit = "it has no structured content"
        else:
            misfit = self._offer.misfit(answer.structured_content)
        if misfit is not None:
            raise ToolError(
                f"The MCP server {self._line.server} made the call, but its result is not what it promises in its "
                f"outputSchema: {plain_text(misfit, 1000)}"
            )

    async def _send(
        self, arguments: JsonObject, note: Note, context: ToolContext
    ) -> CallToolResult | InputRequiredResult:
        """One request; raises `ToolQuestion` for what a server of the older era asks."""
        server = self._line.server
        try:
            return await self._line.connection().call(self._offer.remote_name, arguments, note, context)
        except asyncio.CancelledError:  # it took too long, or nobody wants it any more
            self._line.doubt()
            raise
        except Asking as asking:
            raise question(server, asking.note) from None
        except MCPError as error:
            if error.code == URL_ELICITATION_REQUIRED:
                raise question(server, _pages(error)) from None
            if error.code in {CONNECTION_CLOSED, REQUEST_TIMEOUT} or error.code <= -32000:
                self._line.doubt()
            raise _failure(server, error) from None
        except ValidationError:
            raise ToolError(f"The MCP server {server} answered with something that is no result.") from None


def _failure(server: str, error: MCPError) -> ToolError:
    if error.code == CONNECTION_CLOSED:
        return ToolError(
            f"The connection to the MCP server {server} ended during the call. Whether it had an effect is unknown."
        )
    return ToolError(f"The MCP server {server} failed the call: {plain_text(error.message, 1000)}")


def _pages(error: MCPError) -> Note:
    """The pages a server of revision 2025-11-25 wants opened before it is called again ("URL elicitation required")."""
    try:
        pages = ElicitationRequiredErrorData.model_validate(error.data).elicitations
    except ValidationError:
        pages = []
    if not 0 < len(pages) <= MAX_QUESTIONS:
        raise ToolError("The MCP server wants pages opened and does not say which.")
    return Note(open=tuple(asked(str(number), page) for number, page in enumerate(pages)))
