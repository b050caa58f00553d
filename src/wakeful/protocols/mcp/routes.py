"""MCP over HTTP: one endpoint for both eras (Streamable HTTP, 2026-07-28 and 2025-11-25)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.errors import NotFound, Unauthorised, UnsupportedMediaType, WakefulError
from wakeful.protocols.mcp import envelope, legacy, mirrored, wire
from wakeful.protocols.mcp.calls import Calls, Following, Said
from wakeful.protocols.mcp.catalogue import Catalogue
from wakeful.protocols.mcp.changes import Changes
from wakeful.protocols.mcp.hearing import SUBSCRIBE, UNSUBSCRIBE
from wakeful.protocols.mcp.legacy import Legacy
from wakeful.protocols.mcp.listening import LISTEN, Listening
from wakeful.protocols.mcp.modern import Modern
from wakeful.protocols.mcp.origins import Origins
from wakeful.protocols.mcp.session_streams import SessionStreams
from wakeful.protocols.mcp.sessions import Session, Sessions, call_key
from wakeful.protocols.mcp.streams import Accompanied, CancelledWithItsClient, frames, plain, resumed_at
from wakeful.server import problems, sse
from wakeful.server.auth import Principal
from wakeful.server.body import read_json
from wakeful.server.config import ServerConfig
from wakeful.server.operations import Operations
from wakeful.server.routing import Route

PATH = "/v1/mcp"
SESSION_HEADER = "mcp-session-id"
JSON = "application/json"
STREAM = "text/event-stream"

log = logging.getLogger("wakeful.http")


def routes(operations: Operations, config: ServerConfig) -> list[Route]:
    """All routes of the protocol."""
    door = Door(operations, config)
    return [
        Route(PATH, door.post, methods=["POST"]),
        Route(PATH, door.get, methods=["GET"]),
        Route(PATH, door.delete, methods=["DELETE"]),
    ]


class Door:
    """The endpoint: who asks, in which era, and the answer as JSON or as a stream."""

    def __init__(self, operations: Operations, config: ServerConfig) -> None:
        self._operations = operations
        self._origins = Origins(config)
        self._calls = Calls(operations)
        catalogue = Catalogue(operations, self._calls.tools)
        self._modern = Modern(operations, self._calls, catalogue)
        self._legacy = Legacy(operations, self._calls, catalogue)
        self._listening = Listening(operations, self._modern.tasks, Changes(operations))
        self._sessions = Sessions(operations)
        self._streams = SessionStreams(operations, self._sessions, catalogue)
        self._catalogue = catalogue

    async def post(self, request: Request) -> Response:
        """One message of a client."""
        body = b""
        try:
            self._check_page(request)
            principal = self._operations.principal(request)
            body = await read_json(request)
            _check_accept(request)
            message = wire.parse(body)
            if envelope.speaks_modern(message, request.headers.get(envelope.VERSION_HEADER)):
                return await self._post_modern(principal, message, request)
            return await self._post_legacy(principal, message, request)
        except (Unauthorised, UnsupportedMediaType):
            raise
        except WakefulError as error:
            return _refusal(wire.id_of(body), error)
        except Exception:
            log.exception("POST %s failed", PATH)
            defect = wire.Refused(wire.INTERNAL_ERROR, "internal error; the server's log says more", status=500)
            return _refusal(wire.id_of(body), defect)

    async def get(self, request: Request) -> Response:
        """Go on with the stream of a call after its `Last-Event-ID`, or open the session's own."""
        try:
            self._check_page(request)
            principal = self._operations.principal(request)
            last = request.headers.get("last-event-id")
            if SESSION_HEADER not in request.headers:  # the new era has no such streams
                return Response(status_code=405, headers={"allow": "POST"})
            session = await self._session(principal, request)
            if last is None:
                heard = await self._streams.open(session)
                return Accompanied(self._stream_of(plain(heard.messages())), heard.work)
            key, after = resumed_at(last)
            found = await self._sessions.recall(session, key)
            if found is None:
                raise wire.Refused(wire.INVALID_REQUEST, f"there is no stream {last!r} in this session", status=404)
            run = await self._operations.run(principal, found.run_id)
            following = Following(run=run, call=found.call, client=session.client, after=after)
            return self._resumable(session, following)
        except wire.Refused as error:
            return _refusal(None, error)

    async def delete(self, request: Request) -> Response:
        """End a session."""
        try:
            self._check_page(request)
            await self._sessions.close(await self._session(self._operations.principal(request), request))
        except wire.Refused as error:
            return _refusal(None, error)
        return Response(status_code=204)

    # -- the new era

    async def _post_modern(self, principal: Principal, message: wire.Received, request: Request) -> Response:
        if not isinstance(message, wire.Call):
            if isinstance(message, wire.Reply):
                raise wire.Refused(wire.INVALID_REQUEST, "a server of this version sends no requests to be answered")
            envelope.check_version(request.headers.get(envelope.VERSION_HEADER, wire.MODERN))
            return Response(status_code=202)
        envelope.check_headers(message, request.headers.items())
        client = envelope.read(principal, message)
        if message.method == "tools/call":
            parameters = self._calls.tools.parameters(str(message.params.get("name")))
            mirrored.check(parameters, wire.object_of(message.params, "arguments"), request.headers.items())
        if message.method == LISTEN:
            heard = await self._listening.open(client, message)
            return Accompanied(self._stream_of(plain(heard.messages())), heard.work)
        found = await self._modern.answer(client, message)
        if not isinstance(found, Following):
            return Response(wire.result(message.id, found), media_type=JSON)
        if found.announced:
            return await self._announce(found, request)
        stream = self._stream_of(frames(self._calls.follow(found), key=None, primed=False))
        return CancelledWithItsClient(stream, lambda: self._calls.cancel(principal, found.run.id))

    async def _announce(self, following: Following, request: Request) -> Response:
        """The result of a call, or its task; a client that goes before that has cancelled the call."""
        call = following.call
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._cancel_with_client(following, request))
            try:
                found = Response(wire.result(call.id, await self._modern.announced(following)), media_type=JSON)
            except WakefulError as error:
                found = _refusal(call.id, error)
            watching.cancel()
        return found

    async def _cancel_with_client(self, following: Following, request: Request) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        await self._calls.cancel(following.client.principal, following.run.id)

    # -- the old era

    async def _post_legacy(self, principal: Principal, message: wire.Received, request: Request) -> Response:
        if isinstance(message, wire.Call) and message.method == legacy.INITIALIZE:
            return await self._initialize(principal, message, request)
        session = await self._session(principal, request)
        match message:
            case wire.Reply():
                await self._calls.reply(principal, message)
                return Response(status_code=202)
            case wire.Note():
                await self._noted(session, message)
                return Response(status_code=202)
            case wire.Call():
                try:
                    return await self._called(session, message)
                except WakefulError as error:  # the message was taken: only its answer is an error
                    return Response(wire.failure(message.id, error), media_type=JSON)

    async def _initialize(self, principal: Principal, call: wire.Call, request: Request) -> Response:
        if SESSION_HEADER in request.headers:
            raise wire.Refused(wire.INVALID_REQUEST, f"initialize begins a session; leave out {SESSION_HEADER}")
        client = legacy.newcomer(principal, call)
        session = await self._sessions.open(client, self._catalogue.offer(client))
        body = wire.result(call.id, self._legacy.welcome(client, outlived=True))
        return Response(body, media_type=JSON, headers={SESSION_HEADER: session.id})

    async def _called(self, session: Session, call: wire.Call) -> Response:
        if call.method == legacy.SET_LEVEL:
            await self._sessions.set_level(session, legacy.level_asked(call))
            return Response(wire.result(call.id, {}), media_type=JSON)
        if call.method in (SUBSCRIBE, UNSUBSCRIBE):
            await self._streams.subscribe(session, call)
            return Response(wire.result(call.id, {}), media_type=JSON)
        found = await self._legacy.answer(session.client, call)
        if not isinstance(found, Following):
            return Response(wire.result(call.id, found), media_type=JSON)
        await self._sessions.remember(session, call, found.run)
        return self._resumable(session, found)

    def _resumable(self, session: Session, following: Following) -> Response:
        async def unless_given_up() -> AsyncGenerator[Said | None]:
            async with aclosing(self._calls.follow(following)) as messages:
                async for said in messages:
                    if said is not None and said.response and await self._given_up(session, key):
                        return
                    yield said

        key = call_key(following.call.id)
        primed = session.client.version == wire.LATEST_LEGACY and not following.after
        return self._stream_of(frames(unless_given_up(), key=key, primed=primed))

    async def _given_up(self, session: Session, key: str) -> bool:
        found = await self._sessions.recall(session, key)
        return found is not None and found.cancelled

    async def _noted(self, session: Session, note: wire.Note) -> None:
        given_up = legacy.cancelled_id(note)
        run_id = None if given_up is None else await self._sessions.give_up(session, given_up)
        if run_id is not None:
            await self._calls.cancel(session.client.principal, run_id)

    async def _session(self, principal: Principal, request: Request) -> Session:
        sent = request.headers.get(SESSION_HEADER)
        if not sent:
            raise wire.Refused(
                wire.INVALID_REQUEST,
                f"expected a header {SESSION_HEADER} from initialize, or a request of version {wire.MODERN}",
            )
        found = await self._sessions.find(principal, sent)
        if found is None:
            raise wire.Refused(
                wire.SESSION_NOT_FOUND, f"there is no session {sent!r}; begin with initialize", status=404
            )
        spoken = request.headers.get(envelope.VERSION_HEADER)
        if spoken is not None and spoken != found.client.version:
            raise wire.Refused(
                wire.INVALID_REQUEST,
                f"expected {envelope.VERSION_HEADER} to be {found.client.version} in this session, found {spoken!r}",
            )
        return found

    def _stream_of(self, found: AsyncGenerator[bytes]) -> Response:
        return sse.EventStream(found, going_down=lambda: self._operations.going_down)

    def _check_page(self, request: Request) -> None:
        if not self._origins.allow(request):
            raise wire.Refused(
                wire.INVALID_REQUEST,
                f"pages of {request.headers['origin']} may not call; list them in WAKEFUL_CORS_ORIGINS",
                status=403,
            )


def _check_accept(request: Request) -> None:
    accepted = request.headers.get("accept")
    if accepted is None or "*/*" in accepted:
        return
    kinds = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    if not ({JSON, "application/*"} & kinds and {STREAM, "text/*"} & kinds):
        raise wire.Refused(
            wire.INVALID_REQUEST, f"expected Accept to name {JSON} and {STREAM}, found {accepted!r}", status=406
        )


def _refusal(id: wire.RequestId | None, error: WakefulError) -> Response:
    status = error.status if isinstance(error, wire.Refused) else problems.status_of(error)
    if isinstance(error, NotFound):  # 404 says that there is no such method, or no such session
        status = 400
    return Response(wire.failure(id, error), status, media_type=JSON)
