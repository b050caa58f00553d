"""AG-UI's routes: one handler behind every path layout."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.errors import NotFound
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.run import Run
from wakeful.protocols.ag_ui import wire
from wakeful.protocols.ag_ui.decode import decode
from wakeful.protocols.ag_ui.encode import Encoder
from wakeful.protocols.ag_ui.history import ag_ui_messages, before
from wakeful.server import sse
from wakeful.server.body import read_json
from wakeful.server.operations import Operations, Watch
from wakeful.server.routing import Route

PREFIX = "/v1/ag-ui"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the run id to be echoed, and the version of AG-UI the client declared."""

    run_id: str
    protocol_version: str | None


def routes(operations: Operations) -> list[Route]:
    """All routes of the protocol."""

    async def run(request: Request) -> Response:
        """Submit a turn or the answers to open questions, and stream what follows."""
        principal = operations.principal(request)
        ids = request.path_params
        asked = decode(
            await read_json(request),
            thread_id=ids.get("thread"),
            agent_id=ids.get("agent"),
            strict_ids="agent" in ids,
        )
        receipt = await operations.submit(principal, asked.request, origin="ag_ui")
        reader = Reader(asked.client_run_id or receipt.run.id, asked.protocol_version)
        return operations.watch(receipt.run, _watch(receipt.run, reader, start=receipt.after, after=receipt.after))

    async def run_stream(request: Request) -> Response:
        """Show a run again; raises `NotFound`."""
        ids = request.path_params
        run = await operations.run(operations.principal(request), ids["run"])
        if ids.get("agent", run.agent_id) != run.agent_id:
            raise NotFound("run", run.id)
        return await attach(request, run)

    async def thread_stream(request: Request) -> Response:
        """Show the thread's present run again, else its last one; an empty stream when there was none.

        That is no 204, because the protocol's own client cannot read one.
        """
        principal, store = operations.principal(request), operations.store
        thread = await store.get_thread(principal.scope, request.path_params["thread"])
        run = await store.active_run(thread.key) or await store.latest_run(thread.key) if thread else None
        return await attach(request, run) if run else Response(sse.HEARTBEAT, media_type="text/event-stream")

    async def attach(request: Request, run: Run) -> Response:
        """With `Last-Event-ID` what came after it; else the run from its beginning, after the messages before it.

        So a client may hold any part of the run's messages, or none: those it is not given again are dropped.
        """
        query = request.query_params
        reader = Reader(query.get("runId") or run.id, query.get("protocolVersion"))
        seen = sse.last_event_id(request.headers.get("last-event-id"))
        if seen or (run.status is RunStatus.QUEUED and run.started_at is None):  # more may come before it
            return operations.watch(run, _watch(run, reader, after=seen))
        stored, _ = await operations.conversation(await operations.thread(operations.principal(request), run.thread_id))
        return operations.watch(run, _watch(run, reader, messages=ag_ui_messages(before(stored, run.id))))

    async def messages(request: Request) -> Response:
        """The thread in AG-UI's message shapes."""
        thread = await operations.thread(operations.principal(request), request.path_params["thread"])
        stored, _ = await operations.conversation(thread)
        return Response(msgspec.json.encode({"messages": ag_ui_messages(stored)}), media_type="application/json")

    return [
        Route(f"{PREFIX}/run", run, methods=["POST"]),
        Route(f"{PREFIX}/agents/{{agent}}/runs", run, methods=["POST"]),
        Route(f"{PREFIX}/threads/{{thread}}/runs", run, methods=["POST"]),
        Route(f"{PREFIX}/runs/{{run}}/stream", run_stream, methods=["GET"]),
        Route(f"{PREFIX}/agents/{{agent}}/runs/{{run}}/stream", run_stream, methods=["GET"]),
        Route(f"{PREFIX}/threads/{{thread}}/stream", thread_stream, methods=["GET"]),
        Route(f"{PREFIX}/threads/{{thread}}/messages", messages, methods=["GET"]),
    ]


def _watch(
    run: Run,
    reader: Reader,
    *,
    start: int = 0,
    after: int = 0,
    messages: list[wire.HistoryMessage] | None = None,
) -> Watch:
    """What is void and was not seen in part is left out. Readers that are told the same share bytes."""
    told = "" if messages is None else blake2b(msgspec.json.encode(messages), digest_size=16).hexdigest()
    return Watch(
        key=f"ag_ui:{reader.protocol_version}:{reader.run_id}:{told}",
        encoder=lambda: Encoder(
            run_id=run.id,
            thread_id=run.thread_id,
            client_run_id=reader.run_id,
            protocol_version=reader.protocol_version,
            before=messages,
        ),
        start=start,
        after=after,
        voids=tuple(void for void in run.voids if void[0] >= after),
    )
