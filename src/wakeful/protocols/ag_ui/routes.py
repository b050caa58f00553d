"""AG-UI's routes: one handler behind every path layout."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.errors import Conflict
from wakeful.contracts.request import RunRequest
from wakeful.protocols.ag_ui import wire
from wakeful.protocols.ag_ui.attach import Attach, Reader, answered, watch
from wakeful.protocols.ag_ui.capabilities import capabilities
from wakeful.protocols.ag_ui.decode import Input, decode
from wakeful.protocols.ag_ui.history import ag_ui_messages
from wakeful.protocols.ag_ui.reception import Continuation, Reception
from wakeful.protocols.ag_ui.resume import Refusal
from wakeful.server import sse
from wakeful.server.auth import Principal
from wakeful.server.body import read_json
from wakeful.server.forwarded import Forwarded, forwarded, stopping, wants_json
from wakeful.server.operations import Operations
from wakeful.server.routing import Route

PREFIX = "/v1/ag-ui"


def routes(operations: Operations) -> list[Route]:
    """All routes of the protocol."""
    attach, runs, pages = Attach(operations), Runs(operations), Pages(operations)
    return [
        Route(f"{PREFIX}/run", runs.run, methods=["POST"]),
        Route(f"{PREFIX}/agents/{{agent}}/runs", runs.run, methods=["POST"]),
        Route(f"{PREFIX}/threads/{{thread}}/runs", runs.run, methods=["POST"]),
        Route(f"{PREFIX}/runs/{{run}}/stream", attach.by_run, methods=["GET"]),
        Route(f"{PREFIX}/agents/{{agent}}/runs/{{run}}/stream", attach.by_run, methods=["GET"]),
        Route(f"{PREFIX}/threads/{{thread}}/stream", attach.by_thread, methods=["GET"]),
        Route(f"{PREFIX}/threads/{{thread}}/replay", attach.replay, methods=["GET"]),
        Route(f"{PREFIX}/threads/{{thread}}/stop", pages.stop, methods=["POST"]),
        Route(f"{PREFIX}/threads/{{thread}}/messages", pages.messages, methods=["GET"]),
        Route(f"{PREFIX}/capabilities", pages.capabilities, methods=["GET"]),
        Route(f"{PREFIX}/agents/{{agent}}/capabilities", pages.capabilities, methods=["GET"]),
    ]


class Runs:
    """Takes the input of a run and streams what answers it."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._reception = Reception(operations)

    async def run(self, request: Request) -> Response:
        """Submit a turn or the answers to open questions, and stream what follows.

        Answers that were given before bring the same again, after the messages before it: a client that holds a part
        of that drops it.
        Answers that are not taken are a stream with a RUN_ERROR and nothing else, or a 409 for a client that asked
        for JSON.
        """
        principal = self._operations.principal(request)
        ids = request.path_params
        asked = decode(
            await read_json(request),
            self._operations.files(),
            thread_id=ids.get("thread"),
            agent_id=ids.get("agent"),
            strict_ids="agent" in ids,
        )
        judged = await self._reception.judge(principal, asked)
        if isinstance(judged, RunRequest):
            try:
                receipt = await self._operations.submit(principal, judged, origin="ag_ui")
            except Conflict as error:
                judged = await self._second_look(principal, asked, error)
            else:
                if receipt.answers and wants_json(request):
                    return forwarded(receipt)
                if not receipt.answers or receipt.effect != "replayed":
                    answer = Continuation(receipt.run, receipt.after, opened=receipt.opened)
                    return await self._show(principal, answer, asked)
                judged = await self._reception.continuation(receipt.run, asked)
        if isinstance(judged, Refusal):
            return self._refused(request, judged)
        return await self._again(request, principal, judged, asked)

    async def _second_look(self, principal: Principal, asked: Input, error: Conflict) -> Continuation | Refusal:
        """What to say of answers that were overtaken; raises `error` when it is about something else."""
        if asked.request.messages or not asked.request.decisions:
            raise error
        judged = await self._reception.judge(principal, asked)
        if not isinstance(judged, RunRequest):
            return judged
        if not asked.resume:
            raise error
        return Refusal("INTERRUPT_MISMATCH", error.message)

    async def _again(self, request: Request, principal: Principal, given: Continuation, asked: Input) -> Response:
        if wants_json(request):
            body = Forwarded(given.run.id, given.run.thread_id, "replayed")
            return Response(msgspec.json.encode(body), status_code=202, media_type="application/json")
        return await self._show(principal, given, asked)

    async def _show(self, principal: Principal, given: Continuation, asked: Input) -> Response:
        run = given.run
        reader = Reader(
            run_id=asked.client_run_id or run.id,
            protocol_version=asked.protocol_version,
            answered=await answered(self._operations, run),
        )
        if given.again is not None:
            stored, _ = await self._operations.conversation(await self._operations.thread(principal, run.thread_id))
            rest = [message for message in stored if message.id not in given.again]
            reader = replace(reader, before=ag_ui_messages(rest))
        elif asked.held is not None and await self._reception.holds_all(principal, given, asked, asked.held):
            reader = replace(reader, sent=asked.held.messages)
        return self._operations.watch(run, watch(run, reader, start=given.after, after=given.after))

    def _refused(self, request: Request, refusal: Refusal) -> Response:
        if wants_json(request):
            raise Conflict(refusal.message, details={"code": refusal.code})
        error = wire.RunError(message=refusal.message, code=refusal.code, timestamp=self._operations.now())

        async def frames() -> AsyncGenerator[bytes]:
            yield b"data: %b\n\n" % msgspec.json.encode(error)

        return sse.EventStream(frames(), going_down=lambda: False)


class Pages:
    """What is asked of threads and agents beside their runs."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def messages(self, request: Request) -> Response:
        """The thread in AG-UI's message shapes."""
        thread = await self._operations.thread(self._operations.principal(request), request.path_params["thread"])
        stored, _ = await self._operations.conversation(thread)
        return _json({"messages": ag_ui_messages(stored)})

    async def stop(self, request: Request) -> Response:
        """Stop what the thread does; its stream ends as a cancelled one."""
        thread = await self._operations.thread(self._operations.principal(request), request.path_params["thread"])
        return stopping(await self._operations.control.cancel_thread(thread))

    async def capabilities(self, request: Request) -> Response:
        """What the agent can do, or the default agent where none is named; raises `NotFound`."""
        self._operations.principal(request)
        agent = self._operations.agent(request.path_params.get("agent"))
        delegates = [self._operations.agent(name) for name in agent.delegates]
        return _json(capabilities(agent, self._operations.agent_tools(agent), delegates))


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
