"""`/v1/runs`: starting runs, finding them, counting them and watching their events."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from wakeful.contracts.errors import NotFound
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import RunQuery
from wakeful.contracts.run import Run
from wakeful.protocols.native import wire
from wakeful.protocols.native.control_wire import LAST
from wakeful.protocols.native.decode import run_request
from wakeful.protocols.native.encode import Encoder, event_view, run_view
from wakeful.server import pages
from wakeful.server.documented import documented
from wakeful.server.operations import Operations, Watch
from wakeful.server.sse import last_event_id

EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Events of the run."}
}


class RunListing:
    """The query of a run list, as FastAPI reads it."""

    def __init__(
        self,
        *,
        status: wire.Status | None = None,
        agent_id: str | None = None,
        origin: str | None = None,
        parent_run_id: str | None = None,
        created_at_from: int | None = None,
        created_at_to: int | None = None,
        updated_at_from: int | None = None,
        updated_at_to: int | None = None,
        cursor: str | None = None,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: int = pages.DEFAULT,
    ) -> None:
        self._filters = {
            "status": status,
            "agent_id": pages.given(agent_id),
            "origin": pages.given(origin),
            "parent_run_id": pages.given(parent_run_id),
            "created_from": created_at_from,
            "created_to": created_at_to,
            "updated_from": updated_at_from,
            "updated_to": updated_at_to,
        }
        self._cursor = cursor
        self._offset = offset
        self._limit = pages.clamp(limit)

    async def page(self, operations: Operations, scope: str, thread_id: str | None) -> wire.RunPage:
        """One page of a scope's runs, of one thread or of all."""
        filters = {**self._filters, "thread_id": thread_id}
        seen = pages.decode_cursor(self._cursor, filters) if self._cursor else None
        query = RunQuery(
            scope=scope,
            after=(seen[0], int(seen[1])) if seen else None,
            offset=0 if seen else self._offset,
            limit=self._limit,
        )
        given: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
        if "status" in given:
            given["status"] = RunStatus(given["status"])
        rows = await operations.runs(msgspec.structs.replace(query, **given))
        last = rows.items[-1] if rows.has_more else None
        return wire.RunPage(
            items=[run_view(run) for run in rows.items],
            total=rows.total,
            has_more=rows.has_more,
            next_cursor=pages.encode_cursor(filters, (last.created_at, last.key)) if last else None,
            offset=self._offset,
            limit=self._limit,
        )


def router(operations: Operations) -> APIRouter:
    """The routes."""
    api = documented("runs", prefix="/v1", admit=operations.principal)
    _start(api, operations)
    _find(api, operations)
    _of_thread(api, operations)
    _watch(api, operations)
    return api


def _start(api: APIRouter, operations: Operations) -> None:
    @api.post(
        "/runs",
        response_class=Response,
        responses=EVENT_STREAM,
        summary="Run an agent and stream its events",
    )
    async def start_run(
        request: Request,
        body: wire.RunBody,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
    ) -> Response:
        receipt = await operations.submit(
            operations.principal(request),
            run_request(body, operations.files()),
            origin="native",
            idempotency_key=idempotency_key,
        )
        return operations.watch(receipt.run, _watching(receipt.run, after=receipt.after), headers=_ids(receipt.run))


def _find(api: APIRouter, operations: Operations) -> None:
    @api.get("/runs", summary="Runs, newest first")
    async def list_runs(
        request: Request,
        listing: Annotated[RunListing, Depends()],
        thread_id: str | None = None,
        alias: Annotated[str | None, Query(alias="threadId", include_in_schema=False)] = None,
    ) -> wire.RunPage:
        return await listing.page(operations, operations.principal(request).scope, pages.given(thread_id, alias))

    @api.get("/runs/summary", summary="How many runs are unfinished")
    async def count_runs(request: Request) -> wire.RunCountsView:
        counts = await operations.count_runs(operations.principal(request))
        return wire.RunCountsView(queued=counts.queued, running=counts.running, waiting=counts.waiting)

    @api.get("/runs/{run_id}", summary="One run")
    async def get_run(request: Request, run_id: str) -> wire.RunView:
        return run_view(await operations.run(operations.principal(request), run_id))


def _of_thread(api: APIRouter, operations: Operations) -> None:
    @api.get("/threads/{thread_id}/runs", summary="Runs of a thread, newest first")
    async def list_thread_runs(
        request: Request, thread_id: str, listing: Annotated[RunListing, Depends()]
    ) -> wire.RunPage:
        principal = operations.principal(request)
        thread = await operations.thread(principal, thread_id)
        return await listing.page(operations, principal.scope, thread.id)

    @api.get("/threads/{thread_id}/runs/active", summary="The unfinished run of a thread")
    async def active_run(request: Request, thread_id: str) -> wire.ActiveRunView:
        thread = await operations.thread(operations.principal(request), thread_id)
        run = await operations.store.active_run(thread.key)
        if run is None:
            return wire.ActiveRunView(active_run=None)
        records = await operations.store.interrupts(run.key)
        interrupts = [msgspec.to_builtins(record.interrupt) for record in records if record.decision is None]
        return wire.ActiveRunView(active_run=run_view(run), interrupts=interrupts)

    @api.get("/threads/{thread_id}/runs/latest", summary="The newest run of a thread")
    async def latest_run(request: Request, thread_id: str) -> wire.RunView:
        thread = await operations.thread(operations.principal(request), thread_id)
        run = await operations.store.latest_run(thread.key)
        if run is None:
            raise NotFound("run", f"latest of thread {thread_id}")
        return run_view(run)


def _watch(api: APIRouter, operations: Operations) -> None:
    @api.get("/runs/{run_id}/events", summary="Committed events of a run")
    async def list_events(
        request: Request, run_id: str, after: Annotated[int, Query(ge=0, le=LAST)] = 0, limit: int = pages.DEFAULT
    ) -> wire.EventPage:
        run = await operations.run(operations.principal(request), run_id)
        page = await operations.log(run, after=after, limit=pages.clamp(limit))
        return wire.EventPage(
            items=[event_view(run, entry) for entry in page.entries],
            has_more=page.has_more,
            next_cursor=page.entries[-1].seq if page.has_more else None,
        )

    @api.get(
        "/runs/{run_id}/events/stream",
        response_class=Response,
        responses=EVENT_STREAM,
        summary="Events of a run until it is finished",
    )
    async def stream_events(
        request: Request,
        run_id: str,
        after: Annotated[int | None, Query(ge=0, le=LAST)] = None,
        last_id: Annotated[str | None, Header(alias="last-event-id")] = None,
    ) -> Response:
        run = await operations.run(operations.principal(request), run_id)
        seen = after if after is not None else last_event_id(last_id)
        return operations.watch(run, _watching(run, after=seen, until_finished=True))


def _watching(run: Run, *, after: int, until_finished: bool = False) -> Watch:
    """The encoder keeps no state, so folding may begin where showing begins."""
    return Watch(key="native", encoder=lambda: Encoder(run), start=after, after=after, until_finished=until_finished)


def _ids(run: Run) -> dict[str, str]:
    """Lets a client find its run before the first event; only for ids that fit a header."""
    pairs = {"x-wakeful-run-id": run.id, "x-wakeful-thread-id": run.thread_id}
    return {name: value for name, value in pairs.items() if value.isascii() and value.isprintable()}
