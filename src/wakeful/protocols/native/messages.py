"""`GET /v1/threads/{id}/messages`: what was said."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from wakeful.contracts.message import Visibility
from wakeful.contracts.query import MessageQuery
from wakeful.protocols.native import wire
from wakeful.protocols.native.encode import message_view
from wakeful.server import pages
from wakeful.server.documented import documented
from wakeful.server.operations import Operations

SHOWN: dict[str, Visibility | None] = {"external": "external", "internal": "internal", "all": None}


def router(operations: Operations) -> APIRouter:
    """The routes."""
    api = documented("messages", prefix="/v1/threads/{thread_id}", admit=operations.principal)

    @api.get("/messages", summary="Messages of a thread")
    async def list_messages(
        request: Request,
        thread_id: str,
        *,
        after: Annotated[int | None, Query(description="Exclusive message sequence number.")] = None,
        before: Annotated[int | None, Query(description="Exclusive message sequence number.")] = None,
        order: Literal["asc", "desc"] = "asc",
        visibility: Literal["external", "internal", "all"] = "external",
        run_id: str | None = None,
        run_alias: Annotated[str | None, Query(alias="runId", include_in_schema=False)] = None,
        replaced_by: Annotated[
            str | None, Query(description="The messages that this run took the place of, not the present ones.")
        ] = None,
        cursor: str | None = None,
        limit: int = pages.DEFAULT,
    ) -> wire.MessagePage:
        thread = await operations.thread(operations.principal(request), thread_id)
        run = pages.given(run_id, run_alias)
        filters = {"t": thread.id, "a": after, "b": before, "o": order, "v": visibility, "r": run, "y": replaced_by}
        seen = int(pages.decode_cursor(cursor, filters)[0]) if cursor else None
        rows = await operations.messages(
            MessageQuery(
                thread_key=thread.key,
                after=seen if seen is not None and order == "asc" else after,
                before=seen if seen is not None and order == "desc" else before,
                order=order,
                visibility=SHOWN[visibility],
                run_id=run,
                replaced_by=replaced_by,
                limit=pages.clamp(limit),
            )
        )
        return wire.MessagePage(
            messages=[message_view(seq, message) for seq, message in rows.items],
            total=rows.total,
            has_more=rows.has_more,
            next_cursor=pages.encode_cursor(filters, (rows.items[-1][0], "")) if rows.has_more else None,
        )

    return api
