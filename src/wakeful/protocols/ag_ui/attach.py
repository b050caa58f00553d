"""How a client of AG-UI comes to see a run: when it starts one, and when it comes back to one."""

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
from wakeful.protocols.ag_ui.encode import Encoder
from wakeful.protocols.ag_ui.history import ag_ui_messages, before
from wakeful.server import sse
from wakeful.server.operations import Operations, Watch


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the run id to be echoed, and the version of AG-UI the client declared."""

    run_id: str
    protocol_version: str | None


def watch(
    run: Run, reader: Reader, *, start: int = 0, after: int = 0, messages: list[wire.HistoryMessage] | None = None
) -> Watch:
    """The run as events; `messages` are given first. What is void and was not seen in part is left out.

    Readers that are told the same share bytes.
    """
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


class Attach:
    """Shows a run again; the query may have `runId`, to be echoed, and `protocolVersion`.

    With `Last-Event-ID` a client is sent what came after that event. Else it is sent the run from its beginning, after
    the messages before it; of what it held those it is not given again are dropped.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def by_run(self, request: Request) -> Response:
        """The run of this id; raises `NotFound`."""
        ids = request.path_params
        run = await self._operations.run(self._operations.principal(request), ids["run"])
        if ids.get("agent", run.agent_id) != run.agent_id:
            raise NotFound("run", run.id)
        return await self._stream(request, run)

    async def by_thread(self, request: Request) -> Response:
        """The thread's present run, else its last one; an empty stream when there was none.

        That is no 204, because the protocol's own client cannot read one.
        """
        principal, store = self._operations.principal(request), self._operations.store
        thread = await store.get_thread(principal.scope, request.path_params["thread"])
        run = await store.active_run(thread.key) or await store.latest_run(thread.key) if thread else None
        return await self._stream(request, run) if run else Response(sse.HEARTBEAT, media_type="text/event-stream")

    async def _stream(self, request: Request, run: Run) -> Response:
        query = request.query_params
        reader = Reader(query.get("runId") or run.id, query.get("protocolVersion"))
        seen = sse.last_event_id(request.headers.get("last-event-id"))
        if seen or (run.status is RunStatus.QUEUED and run.started_at is None):  # more may come before it
            return self._operations.watch(run, watch(run, reader, after=seen))
        thread = await self._operations.thread(self._operations.principal(request), run.thread_id)
        stored, _ = await self._operations.conversation(thread)
        return self._operations.watch(run, watch(run, reader, messages=ag_ui_messages(before(stored, run.id))))
