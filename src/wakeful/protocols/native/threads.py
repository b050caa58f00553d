"""`/v1/threads`: conversations."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.query import ThreadChange, ThreadQuery, ThreadRows
from wakeful.contracts.store import ChildStrategy
from wakeful.protocols.native import wire
from wakeful.protocols.native.encode import summary_view, thread_view
from wakeful.server import pages
from wakeful.server.documented import documented
from wakeful.server.operations import Operations

Alias = Annotated[str | None, Query(include_in_schema=False)]


class ThreadListing:
    """The query of a thread list, as FastAPI reads it."""

    def __init__(
        self,
        *,
        resource_id: str | None = None,
        parent_thread_id: str | None = None,
        root: bool = False,
        cursor: str | None = None,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: int = pages.DEFAULT,
        resource_alias: Annotated[str | None, Query(alias="resourceId", include_in_schema=False)] = None,
        parent_alias: Annotated[str | None, Query(alias="parentThreadId", include_in_schema=False)] = None,
    ) -> None:
        self.resource_id = pages.given(resource_id, resource_alias)
        self.parent_thread_id = pages.given(parent_thread_id, parent_alias)
        self.root = root
        self.cursor = cursor
        self.offset = offset
        self.limit = pages.clamp(limit)
        if root and self.parent_thread_id:
            raise BadRequest("root=true and parent_thread_id exclude each other; send one of them")

    @property
    def filters(self) -> dict[str, Any]:
        """What a cursor is bound to."""
        return {"resource": self.resource_id, "parent": self.parent_thread_id, "root": self.root}

    def query(self, scope: str) -> ThreadQuery:
        """The store's query."""
        position = pages.decode_cursor(self.cursor, self.filters) if self.cursor else None
        return ThreadQuery(
            scope=scope,
            resource_id=self.resource_id,
            parent_thread_id=self.parent_thread_id,
            root=self.root,
            after=(position[0], str(position[1])) if position else None,
            offset=0 if position else self.offset,
            limit=self.limit,
        )

    def page(self, rows: ThreadRows) -> dict[str, Any]:
        """What both list routes answer besides their items."""
        last = rows.items[-1] if rows.has_more else None
        return {
            "total": rows.total,
            "has_more": rows.has_more,
            "next_cursor": pages.encode_cursor(self.filters, (last.updated_at, last.id)) if last else None,
            "offset": self.offset,
            "limit": self.limit,
        }


def router(operations: Operations) -> APIRouter:
    """The routes."""
    api = documented("threads", prefix="/v1/threads", admit=operations.principal)
    _lists(api, operations)
    _single(api, operations)
    return api


def _lists(api: APIRouter, operations: Operations) -> None:
    @api.get("", summary="Ids of threads, newest activity first")
    async def list_threads(request: Request, listing: Annotated[ThreadListing, Depends()]) -> wire.ThreadPage:
        rows = await operations.threads(listing.query(operations.principal(request).scope))
        return wire.ThreadPage(items=[thread.id for thread in rows.items], **listing.page(rows))

    @api.get("/summaries", summary="Threads with title, times, message count and agent")
    async def list_summaries(request: Request, listing: Annotated[ThreadListing, Depends()]) -> wire.SummaryPage:
        rows = await operations.threads(listing.query(operations.principal(request).scope))
        return wire.SummaryPage(items=[summary_view(thread) for thread in rows.items], **listing.page(rows))

    @api.post("", status_code=201, summary="A new thread")
    async def create_thread(request: Request, body: wire.CreateThreadBody) -> wire.ThreadView:
        thread = await operations.create_thread(
            operations.principal(request),
            title=body.title,
            resource_id=body.resource_id,
            parent_thread_id=body.parent_thread_id,
            thread_id=body.id,
        )
        return thread_view(thread)


def _single(api: APIRouter, operations: Operations) -> None:
    @api.get("/{thread_id}", summary="One thread")
    async def get_thread(request: Request, thread_id: str) -> wire.ThreadView:
        return thread_view(await operations.thread(operations.principal(request), thread_id))

    @api.get("/{thread_id}/state", summary="What the thread's agents, tools and client share")
    async def get_state(request: Request, thread_id: str) -> wire.StateView:
        thread = await operations.thread(operations.principal(request), thread_id)
        return wire.StateView(state=await operations.store.shared_state(thread.key))

    @api.patch("/{thread_id}", summary="Change a thread")
    @api.patch("/{thread_id}/metadata", summary="Change a thread")
    async def update_thread(request: Request, thread_id: str, body: wire.UpdateThreadBody) -> wire.ThreadView:
        thread = await operations.thread(operations.principal(request), thread_id)
        return thread_view(await operations.update_thread(thread, _change(body)))

    @api.delete("/{thread_id}", status_code=204, summary="Remove a thread")
    async def delete_thread(
        request: Request,
        thread_id: str,
        child_strategy: ChildStrategy | None = None,
        alias: Annotated[ChildStrategy | None, Query(alias="childStrategy", include_in_schema=False)] = None,
    ) -> Response:
        thread = await operations.thread(operations.principal(request), thread_id)
        await operations.delete_thread(thread, child_strategy or alias or "detach")
        return Response(status_code=204)


def _change(body: wire.UpdateThreadBody) -> ThreadChange:
    """Only what was sent."""
    sent = body.model_fields_set

    def value(field: str) -> Any:
        return getattr(body, field) if field in sent else msgspec.UNSET

    custom = value("custom")
    return ThreadChange(
        title=value("title"),
        resource_id=value("resource_id"),
        parent_thread_id=value("parent_thread_id"),
        custom={} if custom is None else custom,
    )
