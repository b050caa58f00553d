"""Answers without a stream, for clients that ask for JSON."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.run import Run
from wakeful.runtime.receipt import Receipt


class Forwarded(msgspec.Struct, frozen=True):
    """Decisions were recorded; the continuation can be watched elsewhere. `effect` is `Receipt`'s."""

    run_id: str
    thread_id: str
    effect: str
    status: str = "decision_forwarded"


def wants_json(request: Request) -> bool:
    """Whether the client takes JSON and no event stream; one that names neither takes a stream."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/event-stream" not in accepted and "*/*" not in accepted


def forwarded(receipt: Receipt) -> Response:
    """202: the answers were taken."""
    body = Forwarded(receipt.run.id, receipt.run.thread_id, receipt.effect)
    return Response(msgspec.json.encode(body), status_code=202, media_type="application/json")


def stopping(run: Run) -> Response:
    """202: the run was asked to stop."""
    body = msgspec.json.encode({"status": "cancel_requested", "run_id": run.id})
    return Response(body, status_code=202, media_type="application/json")
