"""The AI SDK's routes: one handler behind every path layout."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.run import Run
from wakeful.protocols.ai_sdk.decode import decode
from wakeful.protocols.ai_sdk.dialects import Dialect, asked_dialect
from wakeful.protocols.ai_sdk.encode import Encoder
from wakeful.protocols.ai_sdk.history import ui_messages
from wakeful.server.body import read_json
from wakeful.server.forwarded import forwarded, wants_json
from wakeful.server.operations import Operations, Watch
from wakeful.server.routing import Route

HEADERS = {"x-vercel-ai-ui-message-stream": "v1"}
DONE = b"data: [DONE]\n\n"
PREFIX = "/v1/ai-sdk"


def routes(operations: Operations) -> list[Route]:
    """All routes of the protocol. A client says which major version it speaks: `dialects.py`."""

    def dialect_of(request: Request) -> Dialect:
        return asked_dialect(request) or operations.ai_sdk_version

    async def chat(request: Request) -> Response:
        """Submit a turn or the answers to open questions, and stream what follows."""
        principal = operations.principal(request)
        ids = request.path_params
        body = await read_json(request)
        asked = decode(body, operations.files(), thread_id=ids.get("thread"), agent_id=ids.get("agent"))
        dialect = asked_dialect(request) or asked.dialect or operations.ai_sdk_version
        receipt = await operations.submit(principal, asked.request, origin="ai_sdk")
        if receipt.answers and wants_json(request):
            return forwarded(receipt)
        return stream(receipt.run, dialect, after=receipt.after)

    async def resume(request: Request) -> Response:
        """Replay the thread's present answer from its beginning and follow it; 204 when there is none to show.

        A step that began again is shown from there.
        """
        principal, dialect = operations.principal(request), dialect_of(request)
        thread = await operations.store.get_thread(principal.scope, request.path_params["thread"])
        run = await operations.showable(thread) if thread else None
        return stream(run, dialect) if run else Response(status_code=204, headers=HEADERS)

    async def stop(request: Request) -> Response:
        """Stop what the thread does; the stream of its answer ends with an abort."""
        thread = await operations.thread(operations.principal(request), request.path_params["thread"])
        run = await operations.control.cancel_thread(thread)
        body = msgspec.json.encode({"status": "cancel_requested", "run_id": run.id})
        return Response(body, status_code=202, media_type="application/json")

    async def messages(request: Request) -> Response:
        """The thread as UI messages, with what still waits for an answer."""
        principal, dialect = operations.principal(request), dialect_of(request)
        thread = await operations.thread(principal, request.path_params["thread"])
        stored, interrupts = await operations.conversation(thread)
        body = msgspec.json.encode({"messages": ui_messages(stored, interrupts, dialect=dialect)})
        return Response(body, media_type="application/json")

    def stream(run: Run, dialect: Dialect, *, after: int = 0) -> Response:
        return operations.watch(run, _watch(run, dialect, after), headers=HEADERS, trailer=DONE)

    return [
        Route(f"{PREFIX}/chat", chat, methods=["POST"]),
        Route(f"{PREFIX}/agents/{{agent}}/runs", chat, methods=["POST"]),
        Route(f"{PREFIX}/threads/{{thread}}/runs", chat, methods=["POST"]),
        Route(f"{PREFIX}/chat/{{thread}}/stop", stop, methods=["POST"]),
        Route(f"{PREFIX}/threads/{{thread}}/stop", stop, methods=["POST"]),
        Route(f"{PREFIX}/chat/{{thread}}/stream", resume, methods=["GET"]),
        Route(f"{PREFIX}/threads/{{thread}}/stream", resume, methods=["GET"]),
        # Where the AI SDK's own transport looks when its `api` is the agent's runs.
        Route(f"{PREFIX}/agents/{{agent}}/runs/{{thread}}/stream", resume, methods=["GET"]),
        Route(f"{PREFIX}/agents/{{agent}}/chats/{{thread}}/stream", resume, methods=["GET"]),
        Route(f"{PREFIX}/threads/{{thread}}/messages", messages, methods=["GET"]),
        Route(f"{PREFIX}/chat/{{thread}}/messages", messages, methods=["GET"]),
    ]


def _watch(run: Run, dialect: Dialect, after: int) -> Watch:
    """The run's events after `after`. All of it is folded: an end tells what the whole run took."""
    return Watch(
        key=f"ai_sdk:{dialect}:{after}",
        encoder=lambda: Encoder(run_id=run.id, thread_id=run.thread_id, dialect=dialect, after=after),
        after=after,
        voids=run.voids,
    )
