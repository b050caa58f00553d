"""Stopping runs and threads, and answering what a run asks. Each verb can wait for its effect."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from wakeful.contracts.lifecycle import FINISHED
from wakeful.contracts.run import Run
from wakeful.protocols.native import control_wire as wire
from wakeful.protocols.native.decode import decision
from wakeful.server.documented import documented
from wakeful.server.operations import Operations

LONGEST_WAIT = 30
Wait = Annotated[
    float,
    Query(
        ge=0,
        le=LONGEST_WAIT,
        allow_inf_nan=False,
        description="Seconds to wait for the run to rest; the answer then says where it is.",
    ),
]


def router(operations: Operations) -> APIRouter:
    """The routes."""
    api = documented("control", prefix="/v1", admit=operations.principal)
    _stop(api, operations)
    _answer(api, operations)
    return api


def _stop(api: APIRouter, operations: Operations) -> None:
    control = operations.control

    @api.post("/runs/{run_id}/cancel", status_code=202, summary="Ask a run to stop")
    async def cancel_run(request: Request, run_id: str, wait: Wait = 0) -> wire.CancelView:
        run = await operations.run(operations.principal(request), run_id)
        was_finished = run.status in FINISHED
        run = await control.rested(await control.cancel(run), wait)
        status = "already_finished" if was_finished else "cancel_requested"
        return wire.CancelView(status=status, run_id=run.id, run_status=run.status.value)

    @api.post("/threads/{thread_id}/cancel", status_code=202, summary="Ask what a thread does now to stop")
    async def cancel_thread(request: Request, thread_id: str, wait: Wait = 0) -> wire.CancelView:
        thread = await operations.thread(operations.principal(request), thread_id)
        run = await control.rested(await control.cancel_thread(thread), wait)
        return wire.CancelView(status="cancel_requested", run_id=run.id, run_status=run.status.value)

    @api.post("/threads/{thread_id}/interrupt", status_code=202, summary="End what a thread does and what is queued")
    async def interrupt_thread(request: Request, thread_id: str, wait: Wait = 0) -> wire.InterruptView:
        thread = await operations.thread(operations.principal(request), thread_id)
        done = await control.interrupt(thread)
        run = await control.rested(done.cancelled, wait) if done.cancelled else None
        return wire.InterruptView(
            thread_id=thread.id,
            generation=done.generation,
            cancelled_run_id=run.id if run else None,
            run_status=run.status.value if run else None,
            superseded_count=len(done.superseded),
            superseded_run_ids=list(done.superseded),
        )


def _answer(api: APIRouter, operations: Operations) -> None:
    control = operations.control

    async def decide(run: Run, bodies: list[wire.DecisionBody], wait: float) -> wire.DecisionView:
        receipt = await control.decide(run, [decision(body) for body in bodies])
        run = await control.rested(receipt.run, wait)
        return wire.DecisionView(
            run_id=run.id,
            run_status=run.status.value,
            accepted=list(receipt.accepted),
            already=list(receipt.already),
            resumed=receipt.effect == "resumed",
        )

    @api.post("/runs/{run_id}/decision", status_code=202, summary="Answer a question of a waiting run")
    async def decide_one(request: Request, run_id: str, body: wire.DecisionBody, wait: Wait = 0) -> wire.DecisionView:
        return await decide(await operations.run(operations.principal(request), run_id), [body], wait)

    @api.post("/runs/{run_id}/decisions", status_code=202, summary="Answer several questions, all or none")
    async def decide_many(request: Request, run_id: str, body: wire.DecisionsBody, wait: Wait = 0) -> wire.DecisionView:
        return await decide(await operations.run(operations.principal(request), run_id), body.decisions, wait)

    @api.post("/threads/{thread_id}/decision", status_code=202, summary="Answer a question of a thread's waiting run")
    async def decide_on_thread(
        request: Request, thread_id: str, body: wire.DecisionBody, wait: Wait = 0
    ) -> wire.DecisionView:
        thread = await operations.thread(operations.principal(request), thread_id)
        return await decide(await control.asking(thread, body.target), [body], wait)
