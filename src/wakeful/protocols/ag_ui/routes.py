"""AG-UI's routes: one handler behind every path layout."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.run import Run
from wakeful.protocols.ag_ui.decode import Input, decode
from wakeful.protocols.ag_ui.encode import Encoder
from wakeful.protocols.ag_ui.history import ag_ui_messages
from wakeful.server.body import read_json
from wakeful.server.operations import Operations, Watch
from wakeful.server.routing import Route

PREFIX = "/v1/ag-ui"


def routes(operations: Operations) -> list[Route]:
    """All routes of the protocol."""

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
        return operations.watch(receipt.run, _watch(receipt.run, asked, receipt.after))

    async def messages(request: Request) -> Response:
        """The thread in AG-UI's message shapes."""
        thread = await operations.thread(operations.principal(request), request.path_params["thread"])
        stored, _ = await operations.conversation(thread)
        return Response(msgspec.json.encode({"messages": ag_ui_messages(stored)}), media_type="application/json")

    return [
        Route(f"{PREFIX}/run", run, methods=["POST"]),
        Route(f"{PREFIX}/agents/{{agent}}/runs", run, methods=["POST"]),
        Route(f"{PREFIX}/threads/{{thread}}/runs", run, methods=["POST"]),
        Route(f"{PREFIX}/threads/{{thread}}/messages", messages, methods=["GET"]),
    ]


def _watch(run: Run, asked: Input, after: int) -> Watch:
    """The client's run id is echoed; readers that sent the same one in the same dialect share bytes."""
    client_run_id = asked.client_run_id or run.id
    return Watch(
        key=f"ag_ui:{asked.protocol_version}:{client_run_id}",
        encoder=lambda: Encoder(
            run_id=run.id,
            thread_id=run.thread_id,
            client_run_id=client_run_id,
            protocol_version=asked.protocol_version,
        ),
        start=after,
        after=after,
    )
