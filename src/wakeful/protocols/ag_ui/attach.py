"""How a client of AG-UI comes to see a run: when it starts one, and when it comes back to one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from hashlib import blake2b

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.errors import NotFound
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.run import Run
from wakeful.protocols.ag_ui.encode import Encoder
from wakeful.protocols.ag_ui.history import ag_ui_messages, before
from wakeful.protocols.ag_ui.messages import HistoryMessage
from wakeful.server import sse
from wakeful.server.operations import Operations, Watch

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads: the run id to be echoed, the version of AG-UI the client declared, and what it holds.

    A client that asked for the run holds the messages it `sent`; one that comes back is given those `before` the run.
    Both are None where nobody knows. `answered` are the interrupts of a waiting run that have an answer.
    """

    run_id: str
    protocol_version: str | None
    sent: tuple[msgspec.Raw, ...] | None = None
    before: list[HistoryMessage] | None = None
    answered: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Equal for readers that are shown the same."""
        told = msgspec.json.encode([self.before, self.sent, sorted(self.answered)])
        return f"ag_ui:{self.protocol_version}:{self.run_id}:{blake2b(told, digest_size=16).hexdigest()}"

    def encoder(self, run: Run) -> Encoder:
        """What shows the run to this reader."""
        return Encoder(
            run_id=run.id,
            thread_id=run.thread_id,
            client_run_id=self.run_id,
            protocol_version=self.protocol_version,
            before=self.before,
            purge=bool(run.voids),
            sent=self.sent,
            answered=self.answered,
        )


def watch(run: Run, reader: Reader, *, start: int = 0, after: int = 0) -> Watch:
    """The run as events. What is void and was not seen in part is left out. Readers of one key share bytes."""
    return Watch(
        key=reader.key,
        encoder=lambda: reader.encoder(run),
        start=start,
        after=after,
        voids=tuple(void for void in run.voids if void[0] >= after),
    )


async def answered(operations: Operations, run: Run) -> frozenset[str]:
    """The interrupts of a waiting run that have an answer, while others have none."""
    if run.status is not RunStatus.WAITING:
        return frozenset()
    records = await operations.store.interrupts(run.key)
    return frozenset(record.interrupt.id for record in records if record.decision is not None)


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
        run = await self._of_thread(request)
        return await self._stream(request, run) if run else _nothing()

    async def replay(self, request: Request) -> Response:
        """What is committed of that run, at once: a run that goes on ends the stream without an end of its own."""
        run = await self._of_thread(request)
        if run is None:
            return _nothing()
        reader, seen = await self._reader(request, run)
        await self._operations.log(run, after=seen, limit=1)  # what is wrong with it is told before the stream begins
        return sse.EventStream(self._committed(run, reader, seen), going_down=lambda: False)

    async def _stream(self, request: Request, run: Run) -> Response:
        reader, seen = await self._reader(request, run)
        return self._operations.watch(run, watch(run, reader, after=seen))

    async def _of_thread(self, request: Request) -> Run | None:
        principal, store = self._operations.principal(request), self._operations.store
        thread = await store.get_thread(principal.scope, request.path_params["thread"])
        return await store.active_run(thread.key) or await store.latest_run(thread.key) if thread else None

    async def _reader(self, request: Request, run: Run) -> tuple[Reader, int]:
        """The reader and the last event it saw."""
        query = request.query_params
        reader = Reader(
            run_id=query.get("runId") or run.id,
            protocol_version=query.get("protocolVersion"),
            answered=await answered(self._operations, run),
        )
        seen = sse.last_event_id(request.headers.get("last-event-id"))
        if seen or (run.status is RunStatus.QUEUED and run.started_at is None):  # more may come before it
            return reader, seen
        thread = await self._operations.thread(self._operations.principal(request), run.thread_id)
        stored, _ = await self._operations.conversation(thread)
        return replace(reader, before=ag_ui_messages(before(stored, run.id))), seen

    async def _committed(self, run: Run, reader: Reader, seen: int) -> AsyncGenerator[bytes]:
        frames = sse.framed(reader.encoder(run))
        voids = watch(run, reader, after=seen).voids or ()
        at, more = 0, True
        while more:
            page = await self._operations.log(run, after=at, limit=PAGE)
            shown: list[bytes] = []
            for entry in page.entries:
                at, data = entry.seq, frames(entry)
                if at > seen and not any(after < at <= upto for after, upto in voids):
                    shown.append(data)
            if any(shown):
                yield b"".join(shown)
            more = page.has_more


def _nothing() -> Response:
    return Response(sse.HEARTBEAT, media_type="text/event-stream")
