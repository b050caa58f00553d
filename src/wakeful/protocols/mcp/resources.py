"""What may be read: what the author registered, and the scope's threads and runs as JSON."""

from __future__ import annotations

import base64
from urllib.parse import quote, unquote

import msgspec

from wakeful.contracts.errors import NotFound
from wakeful.contracts.exposure import ExposedResource
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import Message
from wakeful.contracts.query import MessageQuery, ThreadQuery
from wakeful.contracts.run import Run
from wakeful.contracts.thread import Thread
from wakeful.protocols.mcp import wire
from wakeful.protocols.mcp.client import Client
from wakeful.server import pages
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations

THREADS = "wakeful://threads/"
RUNS = "wakeful://runs/"
JSON = "application/json"
PAGE = 50
LONGEST = 1000
"""Most messages of a transcript; the newest ones."""
TEMPLATES: list[JsonValue] = [
    {
        "uriTemplate": f"{THREADS}{{threadId}}",
        "name": "thread",
        "description": "A conversation: its messages, oldest first.",
        "mimeType": JSON,
    },
    {
        "uriTemplate": f"{RUNS}{{runId}}",
        "name": "run",
        "description": "One answer: how it went, and the messages it took in and wrote.",
        "mimeType": JSON,
    },
]

OWN_VARIABLES = {f"{THREADS}{{threadId}}": "threadId", f"{RUNS}{{runId}}": "runId"}


class Resources:
    """Lists and reads. Whatever the client's scope does not hold does not exist for it."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def listed(self, principal: Principal, cursor: str | None) -> JsonObject:
        """One page: the author's first, then threads, newest activity first. Raises `BadRequest` for a bad cursor."""
        seen = pages.decode_cursor(cursor, {}) if cursor is not None else None
        rows = await self._operations.threads(
            ThreadQuery(scope=principal.scope, after=(seen[0], str(seen[1])) if seen else None, limit=PAGE)
        )
        exposed = self._operations.exposure.resources.values()
        found = [] if seen else [_registered(one) for one in exposed if not one.variables]
        page: JsonObject = {"resources": [*found, *(_thread(thread) for thread in rows.items)]}
        if rows.has_more:
            last = rows.items[-1]
            page["nextCursor"] = pages.encode_cursor({}, (last.updated_at, last.id))
        return page

    def registered(self, uri: str) -> bool:
        """Whether the author offers something at a URI."""
        return any(one.values_in(uri) is not None for one in self._operations.exposure.resources.values())

    def templates(self) -> list[JsonValue]:
        """The author's, and where transcripts are."""
        exposed = self._operations.exposure.resources.values()
        return [*(_template(one) for one in exposed if one.variables), *TEMPLATES]

    async def read(self, client: Client, uri: str) -> JsonObject:
        """The contents under a URI. Raises `Refused` when there is nothing."""
        try:
            content = await self._content(client.principal, uri)
        except NotFound as error:
            code = wire.INVALID_PARAMS if client.modern else wire.RESOURCE_NOT_FOUND
            raise wire.Refused(code, f"resource not found: {uri}", data={"uri": uri}) from error
        return {"contents": [{"uri": uri, **content}]}

    async def _content(self, principal: Principal, uri: str) -> JsonObject:
        for registered in self._operations.exposure.resources.values():
            values = registered.values_in(uri)
            if values is not None:
                found = await registered.read(values)
                body = {"text": found} if isinstance(found, str) else {"blob": base64.b64encode(found).decode()}
                return {"mimeType": registered.media_type, **body}
        if uri.startswith(THREADS):
            thread = await self._operations.thread(principal, unquote(uri.removeprefix(THREADS)))
            return _json(await self._transcript(thread))
        if uri.startswith(RUNS):
            return _json(await self._run(await self._operations.run(principal, unquote(uri.removeprefix(RUNS)))))
        raise NotFound("resource", uri)

    async def _transcript(self, thread: Thread) -> JsonObject:
        messages = await self._messages(MessageQuery(thread_key=thread.key, order="desc", limit=LONGEST))
        return {"threadId": thread.id, "title": thread.title, "updatedAt": thread.updated_at, "messages": messages}

    async def _run(self, run: Run) -> JsonObject:
        query = MessageQuery(thread_key=run.thread_key, run_id=run.id, order="desc", limit=LONGEST)
        return {
            "runId": run.id,
            "threadId": run.thread_id,
            "agentId": run.agent_id,
            "status": run.status.value,
            "stopReason": run.stop_reason,
            "error": msgspec.to_builtins(run.error),
            "usage": {"inputTokens": run.usage.input_tokens, "outputTokens": run.usage.output_tokens},
            "createdAt": run.created_at,
            "finishedAt": run.finished_at,
            "messages": await self._messages(query),
        }

    async def _messages(self, query: MessageQuery) -> list[JsonValue]:
        rows = await self._operations.messages(query)
        return [_message(message) for _, message in reversed(rows.items)]


def _registered(found: ExposedResource) -> JsonObject:
    return {"uri": found.uri, "name": found.name, "description": found.description, "mimeType": found.media_type}


def _template(found: ExposedResource) -> JsonObject:
    shown = _registered(found)
    return {"uriTemplate": shown.pop("uri"), **shown}


def _thread(thread: Thread) -> JsonObject:
    name = thread.title or thread.id
    return {"uri": f"{THREADS}{quote(thread.id, safe='')}", "name": name, "mimeType": JSON}


def _message(message: Message) -> JsonObject:
    shown = msgspec.to_builtins(message.parts)
    return {"id": message.id, "role": message.role, "createdAt": message.created_at, "parts": shown}


def _json(value: JsonObject) -> JsonObject:
    return {"mimeType": JSON, "text": msgspec.json.encode(value).decode()}
