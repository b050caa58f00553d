"""One connected session with an MCP server, in whichever era it speaks: lists, calls, and word of changes."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, cast

import anyio
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import (
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    ElicitResult,
    Implementation,
    InputRequiredResult,
    PaginatedRequestParams,
    ToolListChangedNotification,
)
from pydantic import TypeAdapter

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ConfigurationError, ToolError
from wakeful.contracts.json import JsonObject
from wakeful.contracts.tool import ToolContext
from wakeful.plugins.mcp.guard import Guard
from wakeful.plugins.mcp.listing import plain_text
from wakeful.plugins.mcp.process import process_transport
from wakeful.plugins.mcp.questions import Note, asked, fingerprint
from wakeful.plugins.mcp.spec import McpServerSpec

if TYPE_CHECKING:
    import httpx2
    from mcp.client import ClientRequestContext, Transport
    from mcp.client.session import IncomingMessage
    from mcp.types import ElicitRequestParams
    from mcp.types import Tool as ListedTool

ANSWER: TypeAdapter[CallToolResult | InputRequiredResult] = TypeAdapter(CallToolResult | InputRequiredResult)
PAGES = 32
PROGRESS_MS = 250
MARGIN_SECONDS = 5
"""How much longer the session waits for an answer than the engine does, who ends a call by its own clock."""
log = logging.getLogger("wakeful.mcp")


class Asking(Exception):
    """A server of the older era asked the user in the middle of a call, which was given up for it."""

    def __init__(self, note: Note) -> None:
        super().__init__("the server asked the user")
        self.note = note


class Connection:
    """A session. Its methods may be called from any task of the loop until it is closed."""

    def __init__(self, spec: McpServerSpec, clock: Clock, changed: Callable[[], None]) -> None:
        self._spec = spec
        self._clock = clock
        self._changed = changed
        self._ongoing: list[_Ongoing] = []
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The SDK's client, once it is connected."""
        if self._client is None:
            raise RuntimeError("a connection is used between connect() and its end only")
        return self._client

    def attach(self, client: Client) -> None:
        """Take the connected client."""
        self._client = client

    async def tools(self) -> list[ListedTool]:
        """All pages of the server's list, and a little more than what can be offered at most."""
        found: list[ListedTool] = []
        cursor: str | None = None
        for _ in range(PAGES):
            page = await self.client.session.list_tools(params=PaginatedRequestParams(cursor=cursor))
            found += page.tools
            cursor = page.next_cursor
            if not cursor or len(found) > 4 * self._spec.max_tools:
                break
        return found

    async def listen(self) -> None:
        """Hear of changes until the server ends that; returns at once where it announces none.

        A server of the older era tells without being asked.
        """
        client = self.client
        offers = client.server_capabilities.tools
        if offers is None or not offers.list_changed or client.session.discover_result is None:
            return
        async with client.listen(tools_list_changed=True) as changes:
            self._changed()  # perhaps it did between the first list and now
            async for _ in changes:
                self._changed()

    async def call(
        self, name: str, arguments: JsonObject, note: Note, context: ToolContext
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool with what was answered so far.

        Raises `Asking`, `MCPError` and what pydantic raises for an answer that is none.
        """
        modern = self.client.session.discover_result is not None
        params: JsonObject = {"name": name, "arguments": arguments}
        if modern and note.given:
            params["inputResponses"] = dict(note.given)
        if modern and note.request_state is not None:
            params["requestState"] = note.request_state
        ongoing = _Ongoing(note)
        self._ongoing.append(ongoing)
        try:
            with ongoing.scope:
                # Not `call_tool`, which judges the result by the server's own schema, whatever that costs.
                return await self.client.session.send_request(
                    CallToolRequest(params=CallToolRequestParams.model_validate(params)),
                    ANSWER,
                    request_read_timeout_seconds=self._spec.call_timeout_seconds + MARGIN_SECONDS,
                    progress_callback=_Progress(context, self._clock).show,
                )
        finally:
            self._ongoing.remove(ongoing)
        raise Asking(ongoing.left)

    async def elicited(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Answer an elicitation of the older era, or give up the call it belongs to, so that the user is asked first.

        Nothing in it says which call it belongs to: with more than one under way it is declined.
        """
        del context
        if len(self._ongoing) != 1:
            log.warning("MCP server %s asked during %d calls: declined", self._spec.id, len(self._ongoing))
            return ElicitResult(action="decline")
        try:
            return self._ongoing[0].answer(params)
        except ToolError as refusal:
            log.warning("MCP server %s: %s", self._spec.id, refusal.message)
            return ElicitResult(action="decline")

    async def heard(self, message: IncomingMessage) -> None:
        """Take notice of what the server said unasked."""
        if isinstance(message, ToolListChangedNotification):
            self._changed()


class _Ongoing:
    """One call under way; `left` is what to go on from when the server asks during it."""

    def __init__(self, note: Note) -> None:
        self.scope = anyio.CancelScope()
        self._note = note
        self._seen: Counter[str] = Counter()
        self.left = note

    def answer(self, params: ElicitRequestParams) -> ElicitResult:
        """What was answered before; else the call ends here."""
        print_ = fingerprint(params)
        key = f"{print_}:{self._seen[print_]}"
        self._seen[print_] += 1
        given = self._note.given.get(key)
        if given is not None:
            return ElicitResult.model_validate(given)
        if not self.left.open:
            self.left = Note(open=(asked(key, params),), given=self._note.given)
            self.scope.cancel()
        return ElicitResult(action="cancel")


class _Progress:
    """Shows progress of a call, no more often than anybody can look."""

    def __init__(self, context: ToolContext, clock: Clock) -> None:
        self._context = context
        self._clock = clock
        self._next = 0

    async def show(self, progress: float, total: float | None, message: str | None) -> None:
        """Show it, or leave it out."""
        now = self._clock.now()
        if now >= self._next:
            self._next = now + PROGRESS_MS
            told = None if message is None else plain_text(message, 500)
            self._context.progress(told, progress=progress, total=total)


@asynccontextmanager
async def connect(
    spec: McpServerSpec,
    clock: Clock,
    *,
    auth: httpx2.Auth | None,
    changed: Callable[[], None],
    closed: Callable[[str], None],
) -> AsyncGenerator[Connection]:
    """A connection while it is used. Raises what starting, reaching and greeting the server raises."""
    connection = Connection(spec, clock, changed)
    client = Client(
        _transport(spec, Guard(clock, spec.id), auth, closed),
        read_timeout_seconds=spec.connect_timeout_seconds,
        elicitation_callback=connection.elicited,
        message_handler=connection.heard,
        client_info=Implementation(name="wakeful", version=version("wakeful")),
        cache=None,
        mode=spec.era,
    )
    async with client:
        connection.attach(client)
        yield connection


def _transport(spec: McpServerSpec, guard: Guard, auth: httpx2.Auth | None, closed: Callable[[str], None]) -> Transport:
    if spec.http is not None:
        from wakeful.plugins.mcp.http import http_transport

        return http_transport(
            spec.http,
            guard=guard,
            max_message_bytes=spec.max_message_bytes,
            connect_seconds=spec.connect_timeout_seconds,
            auth=auth,
        )
    if spec.stdio is not None:
        return process_transport(
            spec.stdio, server=spec.id, guard=guard, max_message_bytes=spec.max_message_bytes, closed=closed
        )
    raise ConfigurationError(f"MCP server {spec.id}: expected stdio or http")


def reason_of(error: BaseException) -> str:
    """Why a connection failed, in words that hold nothing of ours: what the server said, or the kind of failure."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    if isinstance(error, MCPError):
        return f"it answered with error {error.code}: {plain_text(error.message, 200)}"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, FileNotFoundError | PermissionError):
        return f"its command cannot be started: {error.strerror}"
    return plain_text(str(error), 200) or type(error).__name__
