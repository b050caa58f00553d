"""AG-UI's routes: one handler behind every path layout."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wakeful.protocols.ag_ui.attach import Attach, Reader, watch
from wakeful.protocols.ag_ui.decode import decode
from wakeful.protocols.ag_ui.history import ag_ui_messages
from wakeful.server.body import read_json
from wakeful.server.forwarded import forwarded, wants_json
from wakeful.server.operations import Operations
from wakeful.server.routing import Route

PREFIX = "/v1/ag-ui"


def routes(operations: Operations) -> list[Route]:
    """All routes of the protocol."""
    attach = Attach(operations)

    async def run(request: Request) -> Response:
        """Submit a turn or the answers to open questions, and stream what follows."""
        principal = operations.principal(request)
        ids = request.path_params
        asked = decode(
            await read_json(request),
            thread_id=ids.get("thread"),
            agent_id=ids.get("agent"),
            strict_ids="agent" in ids,
        )
        receipt = await operations.submit(principal, asked.request, origin="ag_ui")
        if receipt.answers and wants_json(request):
            return forwarded(receipt)
        reader = Reader(asked.client_run_id or receipt.run.id, asked.protocol_version)
        return operations.watch(receipt.run, watch(receipt.run, reader, start=receipt.after, after=receipt.after))

    async def messages(request: Request) -> Response:
        """The thread in AG-UI's message shapes."""
        thread = await operations.thread(operations.principal(request), request.path_params["thread"])
        stored, _ = await operations.conversation(thread)
        return Response(msgspec.json.encode({"messages": ag_ui_messages(stored)}), media_type="application/json")

    return [
        Route(f"{PREFIX}/run", run, methods=["POST"]),
        Route(f"{PREFIX}/agents/{{agent}}/runs", run, methods=["POST"]),
        Route(f"{PREFIX}/threads/{{thread}}/runs", run, methods=["POST"]),
        Route(f"{PREFIX}/runs/{{run}}/stream", attach.by_run, methods=["GET"]),
        Route(f"{PREFIX}/agents/{{agent}}/runs/{{run}}/stream", attach.by_run, methods=["GET"]),
        Route(f"{PREFIX}/threads/{{thread}}/stream", attach.by_thread, methods=["GET"]),
        Route(f"{PREFIX}/threads/{{thread}}/messages", messages, methods=["GET"]),
    ]
