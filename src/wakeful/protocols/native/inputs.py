"""`POST /v1/threads/{id}/messages` and `POST /v1/runs/{id}/inputs`: saying more in the background."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request

from wakeful.protocols.native import control_wire as wire
from wakeful.protocols.native.decode import MODES, run_input, thread_request
from wakeful.protocols.native.encode import accepted_view
from wakeful.server.documented import documented
from wakeful.server.operations import Operations

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]


def router(operations: Operations) -> APIRouter:
    """The routes."""
    api = documented("inputs", prefix="/v1", admit=operations.principal)

    @api.post("/threads/{thread_id}/messages", status_code=202, summary="Say something on a thread")
    async def post_messages(
        request: Request, thread_id: str, body: wire.ThreadMessagesBody, idempotency_key: IdempotencyKey = None
    ) -> wire.Accepted:
        principal = operations.principal(request)
        thread = await operations.thread(principal, thread_id)
        receipt = await operations.submit(
            principal,
            thread_request(thread.id, body, operations.files()),
            origin="native",
            mode=MODES[body.mode],
            idempotency_key=idempotency_key,
        )
        return accepted_view(receipt.run, effect=receipt.effect, dispatch_id=receipt.dispatch_id)

    @api.post("/runs/{run_id}/inputs", status_code=202, summary="Say something to a run, or answer its questions")
    async def post_inputs(
        request: Request, run_id: str, body: wire.InputsBody, idempotency_key: IdempotencyKey = None
    ) -> wire.Accepted:
        run = await operations.run(operations.principal(request), run_id)
        receipt = await operations.control.add_input(
            run,
            run_input(body, operations.files()),
            origin="native",
            mode=MODES[body.mode],
            idempotency_key=idempotency_key,
        )
        return accepted_view(receipt.run, effect=receipt.effect, dispatch_id=receipt.dispatch_id)

    return api
