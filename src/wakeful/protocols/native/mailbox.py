"""`/v1/threads/{id}/mailbox`: what waits on a thread. Every change answers with the mailbox as it is then."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from wakeful.contracts.thread import Thread
from wakeful.protocols.native import control_wire as wire
from wakeful.protocols.native.decode import messages
from wakeful.protocols.native.encode import mailbox_view
from wakeful.server.checks import check_messages
from wakeful.server.documented import documented
from wakeful.server.operations import Operations


def router(operations: Operations) -> APIRouter:
    """The routes."""
    api = documented("mailbox", prefix="/v1/threads/{thread_id}/mailbox", admit=operations.principal)
    control = operations.control

    async def shown(thread: Thread) -> wire.MailboxView:
        return mailbox_view(await control.entries(thread))

    @api.get("", summary="What waits on a thread")
    async def list_entries(request: Request, thread_id: str) -> wire.MailboxView:
        return await shown(await operations.thread(operations.principal(request), thread_id))

    @api.put("/order", summary="Change the order of what waits")
    async def reorder_entries(request: Request, thread_id: str, body: wire.OrderBody) -> wire.MailboxView:
        thread = await operations.thread(operations.principal(request), thread_id)
        await control.reorder_entries(thread, body.run_ids, body.revision)
        return await shown(thread)

    @api.patch("/{run_id}", summary="Change the messages of what waits")
    async def edit_entry(request: Request, thread_id: str, run_id: str, body: wire.EditBody) -> wire.MailboxView:
        thread = await operations.thread(operations.principal(request), thread_id)
        edited = messages(body.messages, operations.files())
        check_messages(edited)
        await control.edit_entry(thread, run_id, body.revision, edited)
        return await shown(thread)

    @api.delete("/{run_id}", summary="Take back what waits")
    async def withdraw_entry(
        request: Request, thread_id: str, run_id: str, revision: Annotated[int | None, Query(ge=1, le=wire.LAST)] = None
    ) -> wire.MailboxView:
        thread = await operations.thread(operations.principal(request), thread_id)
        await control.withdraw_entry(thread, run_id, revision)
        return await shown(thread)

    return api
