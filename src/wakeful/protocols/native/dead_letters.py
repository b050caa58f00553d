"""`/v1/dead-letters`: deliveries that were given up, and trying them again."""

from __future__ import annotations

from fastapi import APIRouter, Request

from wakeful.protocols.native import control_wire as wire
from wakeful.protocols.native.encode import accepted_view, dead_letter_view
from wakeful.server import pages
from wakeful.server.documented import documented
from wakeful.server.operations import Operations

FILTERS = {"list": "dead letters"}


def router(operations: Operations) -> APIRouter:
    """The routes."""
    api = documented("dead letters", prefix="/v1/dead-letters", admit=operations.principal)

    @api.get("", summary="Deliveries that were given up, newest first")
    async def list_dead_letters(
        request: Request, cursor: str | None = None, limit: int = pages.DEFAULT
    ) -> wire.DeadLetterPage:
        before = int(pages.decode_cursor(cursor, FILTERS)[0]) if cursor else None
        size = pages.clamp(limit)
        found = await operations.control.dead_letters(operations.principal(request), before=before, limit=size + 1)
        has_more = len(found) > size
        return wire.DeadLetterPage(
            items=[dead_letter_view(letter) for _, letter in found[:size]],
            has_more=has_more,
            next_cursor=pages.encode_cursor(FILTERS, (found[size - 1][0], "")) if has_more else None,
        )

    @api.post("/{dispatch_id}/retry", status_code=202, summary="Try again, as a new run")
    async def retry(request: Request, dispatch_id: str) -> wire.Accepted:
        receipt = await operations.control.retry(operations.principal(request), dispatch_id)
        return accepted_view(receipt.run, effect=receipt.effect, dispatch_id=receipt.dispatch_id)

    return api
